"""The handoffs that wait for an agency, most urgent first: emergencies before all else, then by when each is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import DateTime, case, func, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.handoff import HandoffState
from app.domain.referral import Handoff
from app.domain.vocabulary import Urgency
from app.storage.cases import handoff_of, is_restricted
from app.storage.tables import handoffs, referrals, service_requests

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When what has no limit is due: after all that has one."""
_RANK = case({one.value: place for place, one in enumerate(Urgency)}, value=handoffs.c.urgency, else_=len(Urgency))
_LIMIT = case(
    {
        HandoffState.OFFERED.value: handoffs.c.respond_by,
        HandoffState.ACCEPTED.value: handoffs.c.start_by,
        HandoffState.ON_HOLD.value: handoffs.c.review_on,
        HandoffState.CANCEL_REQUESTED.value: handoffs.c.cancel_by,
    },
    value=handoffs.c.state,
)
_DUE = func.coalesce(_LIMIT, literal(NEVER, DateTime(timezone=True)))


@dataclass(frozen=True, slots=True)
class WorkLine:
    """A handoff that waits for its receiver."""

    handoff: Handoff
    service_type: str
    sender_code: str
    due: datetime | None
    """By when its receiver must act: answer, start, look again or confirm; None where nothing limits it."""
    rank: int

    @property
    def place(self) -> tuple[int, datetime, UUID]:
        """Where it stands in the list."""
        return self.rank, self.due or NEVER, self.handoff.id


async def work_of(
    session: AsyncSession,
    agency_code: str,
    *,
    states: Iterable[HandoffState],
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> Sequence[WorkLine]:
    """List an agency's handoffs of states that are live, most urgent first; those of restricted cases are left out.

    An agency has as many of these as its people can hold in their heads: they are sorted for each page.
    """
    wanted = (
        select(
            handoffs,
            service_requests.c.service_type,
            referrals.c.sender_code,
            _LIMIT.label("due"),
            _RANK.label("rank"),
        )
        .join(service_requests, service_requests.c.id == handoffs.c.service_request_id)
        .join(referrals, referrals.c.id == handoffs.c.referral_id)
        .where(
            handoffs.c.agency_code == agency_code,
            handoffs.c.state.in_([state.value for state in states]),
            # As the index has it, whatever is asked for.
            text("handoffs.state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')"),
            ~handoffs.c.barred,
            ~is_restricted(),
        )
    )
    if after is not None:
        wanted = wanted.where(tuple_(_RANK, _DUE, handoffs.c.id) > tuple_(*after))
    found = await session.execute(wanted.order_by(_RANK, _DUE, handoffs.c.id).limit(limit))
    return [WorkLine(handoff_of(row), row.service_type, row.sender_code, row.due, row.rank) for row in found]
