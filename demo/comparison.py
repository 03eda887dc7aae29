"""What came of it all against what should have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import func, select

from app.domain.handoff import HandoffState
from app.service import Service
from app.storage.deliveries import DELIVERED, SUPERSEDED
from app.storage.tables import attempts, endpoints, every_delivery, handoffs, referrals
from demo.journeys import Journey
from demo.receivers import Receivers
from demo.records import of_records

UNORDERED = ("warnings", "missing")
SHORT = ("outcome", "reason", "agency", "clause", "document", "warnings", "missing", "coordinator", "citation")
"""What the 201 shows of a decision."""
ANSWERED_WITH, FAILURES = 500, 2
"""How, and how often, one receiver fails an emergency's offer: Lintas comes back after 2 s, then after 10 s."""
FINAL = (HandoffState.COMPLETED, HandoffState.DECLINED, HandoffState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, and every difference that was found."""

    cases: int
    handoffs: int
    webhooks: int
    superseded: int
    differences: tuple[str, ...]
    different: frozenset[int]
    """The numbers of the cases that were not decided as they should be."""


def of_decisions(journey: Journey) -> Iterator[str]:
    """Compare each service's decision with what its case expects, and with what the 201 said of it."""
    case = journey.case
    if journey.received_at != case.received_at:
        yield f"{case.name}: received at {journey.received_at.isoformat()}, expected {case.received_at.isoformat()}"
    for line in journey.services:
        result = {**line.decision["result"], "chain": [one["agency"] for one in line.decision["result"]["chain"]]}
        for key, value in case.expect.get(line.service, {}).items():
            if _ordered(key, result[key]) != _ordered(key, value):
                yield f"{case.name}: {line.service}.{key} is {result[key]!r}, expected {value!r}"
        tried = set(line.decision["tried"])
        if tried != case.tried:
            yield f"{case.name}: {line.service} was decided after {sorted(tried)} had been tried"
        for key in SHORT:
            shown, kept = line.shown[key], line.shown_of[key]
            if shown != kept:
                yield f"{case.name}: {line.service}.{key} is {shown!r} in the 201, but was kept as {kept!r}"


def _ordered(key: str, value: Any) -> Any:
    return sorted(value) if key in UNORDERED else value


async def of_handoffs(service: Service) -> tuple[int, list[str]]:
    """Count the handoffs, and see that each was answered or has expired."""
    async with service.sessions.begin() as tx:
        found = (await tx.execute(select(handoffs.c.agency_code, handoffs.c.state))).all()
    return len(found), [f"{row.agency_code}: a handoff is left {row.state}" for row in found if row.state not in FINAL]


async def of_failures(service: Service, fails: str | None) -> list[str]:
    """See that the receiver that was to fail did, as often as it was to, and took the webhook in the end."""
    async with service.sessions.begin() as tx:
        found = await tx.execute(
            select(endpoints.c.agency_code, every_delivery.c.state, func.count())
            .select_from(attempts)
            .join(every_delivery, every_delivery.c.id == attempts.c.delivery_id)
            .join(endpoints, endpoints.c.id == every_delivery.c.endpoint_id)
            .where(attempts.c.status == ANSWERED_WITH)
            .group_by(endpoints.c.agency_code, every_delivery.c.id, every_delivery.c.state)
        )
        failed = [tuple(row) for row in found]
    expected = [] if fails is None else [(fails, DELIVERED, FAILURES)]
    return [] if failed == expected else [f"webhooks answered with {ANSWERED_WITH}: {failed}, expected {expected}"]


async def compare(service: Service, receivers: Receivers, journeys: Sequence[Journey], *, fails: str | None) -> Counted:
    """Count and compare everything."""
    handoffs_made, of_states = await of_handoffs(service)
    webhooks, of_webhooks = await of_records(service, receivers)
    async with service.sessions.begin() as tx:
        cases = await tx.scalar(select(func.count()).select_from(referrals))
        superseded = await tx.scalar(
            select(func.count()).select_from(every_delivery).where(every_delivery.c.state == SUPERSEDED)
        )
    of_attempts = await of_failures(service, fails)
    decided = {journey.case.number: list(of_decisions(journey)) for journey in journeys}
    return Counted(
        cases=cases or 0,
        handoffs=handoffs_made,
        webhooks=webhooks,
        superseded=superseded or 0,
        differences=(
            *chain.from_iterable(decided.values()),
            *of_states,
            *of_attempts,
            *of_webhooks,
            *receivers.complaints(),
        ),
        different=frozenset(number for number, found in decided.items() if found),
    )
