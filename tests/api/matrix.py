"""Who may ask for what: one line for every operation, as the design has it and not as the code does."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.api import examples
from app.api.route import LintasRoute
from app.domain.caller import Role
from app.main import ROUTERS

BY_LETTER = {
    "S": Role.SENDER,
    "R": Role.RECEIVER,
    "C": Role.COORDINATOR,
    "O": Role.OPERATOR,
    "P": Role.PROTECTION_OFFICER,
}
EVERY = "SRCOP"
NOT_FOUND = (404, "not_found")


@dataclass(frozen=True, slots=True)
class Line:
    """Who may ask for an operation, and what another agency hears."""

    roles: str = EVERY
    """Those who may ask, by their letters."""
    seen_by: str = ""
    """Those of them who are also shown what is another agency's."""
    body: Mapping[str, Any] | None = None
    """What reaches as far as looking for it."""
    theirs: str | None = None
    """An address of another agency's, where it is not by an id."""
    refused: tuple[int, str] = NOT_FOUND
    """The status and the code of what another agency hears of it, there or not."""

    @property
    def open_to(self) -> frozenset[Role]:
        """The roles that may ask."""
        return frozenset(BY_LETTER[letter] for letter in self.roles)

    @property
    def strangers(self) -> tuple[Role, ...]:
        """The roles that may ask, and at another agency learn nothing."""
        return tuple(BY_LETTER[letter] for letter in self.roles if letter not in self.seen_by)


def handed(body: Mapping[str, Any] | None = None, roles: str = "R") -> Line:
    """A step of a handoff."""
    return Line(roles, body=body)


LINES: Mapping[str, Line] = MappingProxyType(
    {
        "POST /v1/referrals": Line("S"),
        "GET /v1/referrals": Line("SC"),
        "GET /v1/referrals/{referral_id}": Line("SCP"),
        "POST /v1/referrals/{referral_id}/amend": Line("SC", body={"urgency": "urgent"}),
        "POST /v1/referrals/{referral_id}/cancel": Line("SC"),
        "POST /v1/referrals/{referral_id}/void": Line("SC"),
        "POST /v1/referrals/{referral_id}/consent/withdraw": Line(),
        "POST /v1/referrals/{referral_id}/consent/confirm": Line("SC", body=examples.CONFIRMATION),
        "GET /v1/handoffs": Line("R"),
        "GET /v1/handoffs/{handoff_id}": Line(),
        "POST /v1/handoffs/{handoff_id}/accept": handed(examples.NOTE),
        "POST /v1/handoffs/{handoff_id}/decline": handed(examples.DECLINE),
        "POST /v1/handoffs/{handoff_id}/start": handed(examples.NOTE),
        "POST /v1/handoffs/{handoff_id}/hold": handed(examples.HOLD),
        "POST /v1/handoffs/{handoff_id}/resume": handed(examples.NOTE),
        "POST /v1/handoffs/{handoff_id}/hand-back": handed(examples.DECLINE),
        "POST /v1/handoffs/{handoff_id}/complete": handed(examples.COMPLETE),
        "POST /v1/handoffs/{handoff_id}/fail": handed(examples.FAIL),
        "POST /v1/handoffs/{handoff_id}/confirm-cancel": handed(examples.NOTE),
        "POST /v1/handoffs/{handoff_id}/keep-duty": handed(examples.KEEP_DUTY),
        "POST /v1/handoffs/{handoff_id}/withdraw": handed(examples.WITHDRAW, "SC"),
        "POST /v1/handoffs/{handoff_id}/request-cancel": handed(examples.WITHDRAW, "SC"),
        "GET /v1/service-requests": Line("CO"),
        "GET /v1/service-requests/{service_request_id}": Line("SCO"),
        "POST /v1/service-requests/{service_request_id}/acknowledge": Line("CO"),
        "POST /v1/service-requests/{service_request_id}/place": Line(
            "CO", body={"agency": "uptd-ppa-kukar", "reason": "agreed_by_phone"}
        ),
        "POST /v1/service-requests/{service_request_id}/close-unmet": Line("CO", body={"reason": "nobody_able"}),
        "POST /v1/referrals/{referral_id}/rights-requests": Line("SCP", body=examples.RIGHTS_ASKED),
        "GET /v1/rights-requests": Line("P"),
        "POST /v1/rights-requests/{rights_request_id}/answer": Line("P", body=examples.RIGHTS_ANSWER),
        "GET /v1/referrals/{referral_id}/rights": Line("SCP"),
        "POST /v1/referrals/{referral_id}/restrict": Line("P", body=examples.RESTRICTION),
        "POST /v1/referrals/{referral_id}/lift-restriction": Line("P"),
        "POST /v1/referrals/{referral_id}/legal-holds": Line("P", body=examples.LEGAL_HOLD),
        "POST /v1/legal-holds/{legal_hold_id}/lift": Line("P", body=examples.LIFT_HOLD),
        "POST /v1/referrals/{referral_id}/erase": Line("P"),
        "GET /v1/referrals/{referral_id}/export": Line("P"),
        "GET /v1/referrals/{referral_id}/export/text": Line("P"),
        "POST /v1/routing/preview": Line("SC"),
        "GET /v1/decisions/{decision_id}": Line("SC"),
        "POST /v1/decisions/{decision_id}/replay": Line("SC"),
        "GET /v1/events": Line(),
        "POST /v1/endpoints": Line(),
        "GET /v1/endpoints": Line(seen_by="O", theirs="/v1/endpoints?agency={code}", refused=(403, "role_required")),
        "GET /v1/endpoints/{endpoint_id}": Line(seen_by="O"),
        "PUT /v1/endpoints/{endpoint_id}": Line(body=examples.ENDPOINT),
        "POST /v1/endpoints/{endpoint_id}/ping": Line(),
        "POST /v1/endpoints/{endpoint_id}/pause": Line(seen_by="O"),
        "POST /v1/endpoints/{endpoint_id}/enable": Line(seen_by="O"),
        "POST /v1/endpoints/{endpoint_id}/disable": Line(seen_by="O"),
        "POST /v1/endpoints/{endpoint_id}/challenge": Line(),
        "POST /v1/endpoints/{endpoint_id}/verify": Line(body=examples.PROOF),
        "POST /v1/endpoints/{endpoint_id}/rotate-secret": Line(body=examples.ROTATION),
        "PUT /v1/endpoints/{endpoint_id}/headers": Line(body=examples.HEADERS),
        "PUT /v1/endpoints/{endpoint_id}/tls": Line(body={}),
        "GET /v1/endpoints/{endpoint_id}/health": Line(seen_by="O"),
        "GET /v1/failing-endpoints": Line("O"),
        "GET /v1/endpoints/{endpoint_id}/deliveries": Line(),
        "GET /v1/deliveries/{delivery_id}": Line(),
        "GET /v1/deliveries/{delivery_id}/attempts": Line(),
        "POST /v1/deliveries/{delivery_id}/resend": Line(),
        "POST /v1/endpoints/{endpoint_id}/recover": Line(body=examples.RECOVER),
        "GET /v1/endpoints/{endpoint_id}/recoveries": Line(),
        "GET /v1/recoveries/{recovery_id}": Line(),
        "POST /v1/recoveries/{recovery_id}/cancel": Line(),
        "GET /v1/agencies": Line(),
        "GET /v1/agencies/{code}": Line(),
        "PUT /v1/agencies/{code}": Line("O"),
        "PUT /v1/agencies/{code}/services/{service_type}": Line(
            seen_by="O",
            theirs="/v1/agencies/{code}/services/legal_service",
            refused=(403, "role_required"),
            body={"area": ["64.02"]},
        ),
        "GET /v1/reach": Line("CO"),
        "GET /v1/keys": Line(seen_by="O", theirs="/v1/keys?agency={code}", refused=(403, "role_required")),
        "GET /v1/keys/{key_id}": Line(seen_by="O"),
        "POST /v1/keys/{key_id}/rotate": Line(body=examples.KEY_ROTATION),
        "POST /v1/keys/{key_id}/revoke": Line(seen_by="O"),
        "GET /v1/agreements": Line(),
        "GET /v1/agreements/{id}/versions/{version}": Line(seen_by="O", theirs="/v1/agreements/{draft}/versions/1"),
        "PUT /v1/agreements/{id}/versions/{version}": Line("O"),
        "DELETE /v1/agreements/{id}/versions/{version}": Line("O"),
        "POST /v1/agreements/{id}/versions/{version}/simulate": Line("O"),
        "POST /v1/agreements/{id}/versions/{version}/check": Line("O"),
        "POST /v1/agreements/{id}/versions/{version}/publish": Line("O"),
        "GET /v1/proposals": Line(),
        "GET /v1/proposals/{proposal_id}": Line(seen_by="O"),
        "POST /v1/proposals/{proposal_id}/refuse": Line(seen_by="O"),
        "POST /v1/proposals/{proposal_id}/withdraw": Line(seen_by="O"),
        "POST /v1/proposals/{proposal_id}/confirm": Line(seen_by="O"),
        "GET /v1/reference/code-sets": Line(),
        "GET /v1/reference/regions": Line(),
        "GET /v1/statistics/referrals": Line("CO"),
        "GET /v1/statistics/duties": Line("CO"),
    }
)
"""By method and path."""

FOR_ANYBODY = frozenset(
    {
        "GET /.well-known/webhook-keys/{endpoint_id}",
        "GET /docs",
        "GET /docs/assets/{digest}/{name}",
        "GET /docs/{first}",
        "GET /docs/{language}/{slug}",
        "GET /health/live",
        "GET /health/ready",
        "GET /health/startup",
        "GET /openapi.json",
    }
)
"""What is answered without a key, and shows nothing of any case."""

NOWHERE = MappingProxyType({"code": "nobody-here", "draft": "no-such-agreement"})
AN_ID = "019f0000-0000-7000-8000-000000000000"


def operations() -> Iterator[tuple[str, LintasRoute]]:
    """Give every operation that wants a caller, by the name of its line."""
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, LintasRoute):
            (method,) = tuple(route.methods or ())
            yield f"{method} {route.path}", route


def address(path: str, things: Mapping[str, str]) -> str:
    """Write an address of some things; what is not among them is nowhere."""
    known = {"id": "some-agreement", "version": "1", "service_type": "legal_service", **NOWHERE, **things}
    return re.sub(r"\{([a-z_]+)\}", lambda name: known.get(name[1], AN_ID), path)
