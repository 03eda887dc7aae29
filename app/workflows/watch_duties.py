"""The duties that a handoff carries: they are reminded of and reported, never enforced."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain.calendar import halfway
from app.domain.case import Case
from app.domain.events import EventType
from app.domain.handoff import LIVE, TAKEN
from app.domain.referral import Clock, ClockKind, Handoff
from app.storage import clocks
from app.workflows.call_coordinator import tell_overdue
from app.workflows.desk import Desk


def watch_duties(case: Case, handoff: Handoff, *, since: datetime | None = None) -> None:
    """See that the coordinator hears of each duty that passes while the handoff is live.

    `since`: only of those that pass after this moment; the others were told of before.
    """
    for identity, _, due_at in _duties(handoff):
        if since is None or due_at > since:
            _start(case, handoff, ClockKind.DUTY_OVERDUE, due_at, identity)


def remind_of_duties(desk: Desk, case: Case, handoff: Handoff) -> None:
    """See that whoever has taken a handoff is reminded of each duty at half of the time that is left for it."""
    for identity, _, due_at in _duties(handoff):
        if due_at > desk.now:
            _start(case, handoff, ClockKind.DUTY_REMINDER, halfway(desk.now, due_at), identity)


def run_duty_clock(desk: Desk, case: Case, handoff: Handoff, clock: Clock) -> None:
    """Remind of one duty, or tell the coordinator that it has passed."""
    named = {identity: duty for identity, duty, _ in _duties(handoff)}
    duty = named.get(clock.detail or "")
    if duty is None or duty.get("kept_at") is not None:
        return
    what = {"duty": duty["duty"], "due_at": duty["due_at"]}
    if clock.kind is ClockKind.DUTY_OVERDUE:
        if handoff.state in LIVE:
            handoff = mark_duty(case, handoff, clock.detail or "", passed_at=clock.due_at)
            where = {"document": duty["document"], "clause": duty["clause"]}
            tell_overdue(desk, case, handoff.service_request_id, "duty_overdue", handoff_id=handoff.id, **what, **where)
    elif handoff.state in TAKEN and not handoff.barred:
        # Who may see nothing of the case is not reminded of it; its coordinator hears when the duty passes.
        case.tell_of_handoff(handoff, EventType.HANDOFF_REMINDER, {handoff.agency_code}, because=["duty"], **what)


async def mark_what_passed(desk: Desk, case: Case, handoff: Handoff) -> Handoff:
    """Mark the duties whose time has run out by now though no worker has seen it yet, before their clocks stop."""
    open_ = [
        due_at for _, duty, due_at in _duties(handoff) if duty.get("kept_at") is None and duty.get("passed_at") is None
    ]
    if not any(due_at <= desk.now for due_at in open_):
        return handoff
    for identity, due_at in await clocks.overdue_duties(desk.tx, handoff.id, now=desk.now):
        handoff = mark_duty(case, handoff, identity, passed_at=due_at)
    return handoff


def mark_duty(case: Case, handoff: Handoff, identity: str, **moments: datetime) -> Handoff:
    """Note when a duty was kept (`kept_at`), or when its time ran out (`passed_at`); what is noted stays."""
    said = {name: moment.astimezone(UTC).isoformat() for name, moment in moments.items()}
    marked = tuple(
        {**duty, **{name: duty.get(name) or moment for name, moment in said.items()}} if known == identity else duty
        for known, duty, _ in _duties(handoff)
    )
    return case.put_handoff(replace(handoff, duties=marked))


def _duties(handoff: Handoff) -> Iterator[tuple[str, Mapping[str, Any], datetime]]:
    for duty in handoff.duties:
        yield f"{duty['document']}/{duty['clause']}", duty, datetime.fromisoformat(duty["due_at"])


def _start(case: Case, handoff: Handoff, kind: ClockKind, due_at: datetime, identity: str) -> None:
    case.start_clock(kind, due_at, handoff.service_request_id, handoff.id, identity)
