"""What for somebody looks at something or changes it, as the audit says it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Purpose(StrEnum):
    """What for."""

    REFER = "refer"
    """To refer a victim, and to follow what becomes of it."""
    DECIDE = "decide"
    """To decide whether to take an offer."""
    SERVE = "serve"
    """To give the service that was taken on."""
    COORDINATE = "coordinate"
    EXPLAIN = "explain"
    """To understand a decision."""
    KEEP_TIME = "keep_time"
    """What happens because nobody acted first."""
    NOTIFY = "notify"
    """To bring an agency its news."""
    GOVERN = "govern"
    """To settle by what referrals are decided."""
    COUNT = "count"
    """To count without knowing anybody."""
    GIVE_RIGHTS = "give_rights"
    """To give a person what is theirs: access, correction, restriction, erasure."""
    ADMINISTER = "administer"
    ACCOUNT = "account"
    """To look into the audit itself."""


_OF_ACTIONS: Mapping[str, Purpose] = MappingProxyType(
    {
        "referral": Purpose.REFER,
        "consent": Purpose.REFER,
        "answer": Purpose.REFER,
        "handoff": Purpose.SERVE,
        "service_request": Purpose.COORDINATE,
        "decision": Purpose.EXPLAIN,
        "clock": Purpose.KEEP_TIME,
        "clocks": Purpose.KEEP_TIME,
        "endpoint": Purpose.NOTIFY,
        "delivery": Purpose.NOTIFY,
        "recovery": Purpose.NOTIFY,
        "feed": Purpose.NOTIFY,
        "document": Purpose.GOVERN,
        "agency": Purpose.GOVERN,
        "service": Purpose.GOVERN,
        "regions": Purpose.GOVERN,
        "reference": Purpose.GOVERN,
        "statistics": Purpose.COUNT,
        "rights": Purpose.GIVE_RIGHTS,
        "key": Purpose.ADMINISTER,
        "seal": Purpose.ADMINISTER,
        "proposal": Purpose.ADMINISTER,
        "certificate": Purpose.ADMINISTER,
        "token_subject": Purpose.ADMINISTER,
        "session": Purpose.ADMINISTER,
        "audit": Purpose.ACCOUNT,
    }
)


def purpose_of(action: str) -> Purpose | None:
    """Say what an action is for, by what it is done to; None where that is not settled."""
    return _OF_ACTIONS.get(action.partition(".")[0])
