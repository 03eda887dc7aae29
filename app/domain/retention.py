"""How long a case is kept after it has ended, by what kind of case it is and how it ended.

The months below are working assumptions for each operator to settle with its lawyers: long enough for a person to come
back and for a court to ask (KUHP Ps. 78: eighteen years for the gravest offences, which for a child count from its
eighteenth birthday), no longer than the purpose needs (UU PDP 27/2022 Ps. 16). A legal hold goes before all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from app.domain.handoff import ReferralState, RequestState
from app.domain.months import months_later

ADULT_FROM = 18
TRAFFICKING = "trafficking"
LONGEST = 1200
FOREVER = "forever"


class CaseClass(StrEnum):
    """What kind of case it is, the first that fits."""

    CHILD = "child"
    """Under 18 when the case came in, or of unknown age."""
    TRAFFICKING = "trafficking"
    ADULT = "adult"


class Ended(StrEnum):
    """How a case ended."""

    SERVED = "served"
    """At least one service was given."""
    UNSERVED = "unserved"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


Kept = tuple[CaseClass, Ended]

KEPT_MONTHS: Mapping[Kept, int | None] = MappingProxyType(
    {
        (CaseClass.CHILD, Ended.SERVED): 300,
        (CaseClass.CHILD, Ended.UNSERVED): 120,
        (CaseClass.CHILD, Ended.CANCELLED): 60,
        (CaseClass.CHILD, Ended.ENTERED_IN_ERROR): 3,
        (CaseClass.TRAFFICKING, Ended.SERVED): 216,
        (CaseClass.TRAFFICKING, Ended.UNSERVED): 120,
        (CaseClass.TRAFFICKING, Ended.CANCELLED): 60,
        (CaseClass.TRAFFICKING, Ended.ENTERED_IN_ERROR): 3,
        (CaseClass.ADULT, Ended.SERVED): 120,
        (CaseClass.ADULT, Ended.UNSERVED): 60,
        (CaseClass.ADULT, Ended.CANCELLED): 24,
        (CaseClass.ADULT, Ended.ENTERED_IN_ERROR): 3,
    }
)
"""Months after the end, by class and ending; None is for ever."""


class RetentionInvalid(Exception):
    """The operator's document says something of retention that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The operator's terms: how many months each kind of case is kept after its end."""

    months: Mapping[Kept, int | None] = field(default_factory=lambda: KEPT_MONTHS)

    def kept_until(self, named: str | None, ended_at: datetime | None) -> datetime | None:
        """Say until when a case is kept; None for as long as it runs, and for ever."""
        if named is None or ended_at is None:
            return None
        kept = self.months[kept_as_read(named)]
        return None if kept is None else months_later(ended_at, kept)


def kept_as(
    *, age: int | None, case_types: Iterable[str], state: ReferralState, requests: Iterable[RequestState]
) -> str:
    """Name how a case that has ended is kept: its class and its ending, as `child.served`."""
    if age is None or age < ADULT_FROM:
        kind = CaseClass.CHILD
    else:
        kind = CaseClass.TRAFFICKING if TRAFFICKING in set(case_types) else CaseClass.ADULT
    if state is ReferralState.ENTERED_IN_ERROR:
        ended = Ended.ENTERED_IN_ERROR
    elif RequestState.FULFILLED in set(requests):
        ended = Ended.SERVED
    else:
        ended = Ended.CANCELLED if state is ReferralState.CANCELLED else Ended.UNSERVED
    return written(kind, ended)


def written(kind: CaseClass, ended: Ended) -> str:
    """Write class and ending as they are kept."""
    return f"{kind.value}.{ended.value}"


def kept_as_read(named: str) -> Kept:
    """Read what `kept_as` wrote."""
    kind, _, ended = named.partition(".")
    return CaseClass(kind), Ended(ended)


def read_retention(said: object) -> Retention:
    """Read an operator's document: {class: {ending: months or "forever"}}; what it does not say stays as shipped.

    RetentionInvalid names what cannot be meant.
    """
    if not isinstance(said, Mapping):
        raise RetentionInvalid("retention: a mapping of classes is expected")
    months = dict(KEPT_MONTHS)
    for kind, endings in said.items():
        if kind not in set(CaseClass) or not isinstance(endings, Mapping):
            raise RetentionInvalid(f"retention: the classes are {', '.join(CaseClass)}, each a mapping of endings")
        for ended, kept in endings.items():
            if ended not in set(Ended):
                raise RetentionInvalid(f"retention, {kind}: the endings are {', '.join(Ended)}")
            is_months = type(kept) is int and 1 <= kept <= LONGEST
            if not is_months and kept != FOREVER:
                raise RetentionInvalid(f"retention, {kind}, {ended}: months from 1 to {LONGEST}, or {FOREVER}")
            months[CaseClass(kind), Ended(ended)] = None if kept == FOREVER else kept
    return Retention(MappingProxyType(months))
