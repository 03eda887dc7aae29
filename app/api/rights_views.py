"""The rights of a case's person as those concerned read them: what was asked, until when, what came of it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.api.validation import Answer
from app.domain.case import Case
from app.domain.rights import LegalHold, RightsRequest
from app.storage import rights
from app.workflows.desk import Desk


class RightsRequestView(Answer):
    """What a person asked for. The law gives 3 x 24 hours from the moment at which they did."""

    id: UUID
    referral_id: UUID
    right: str = Field(description="access, correction, restriction, erasure")
    asked_at: datetime
    due_at: datetime
    hours_left: float = Field(description="Until it is due, as long as it waits; below 0 it is overdue.")
    is_late: bool = Field(description="Whether it was answered, or still waits, after its time.")
    hours_taken: float | None = Field(description="From when the person asked to the answer.")
    recorded_at: datetime
    recorded_by: str | None = Field(description="Null: the operator's command line.")
    answered_at: datetime | None
    answered_by: str | None
    outcome: str | None = Field(description="done, refused")
    refused_because: str | None
    reason: str | None = Field(description="Of a restriction.")
    lifted_at: datetime | None = Field(description="Of a restriction: when it ended.")

    @classmethod
    def of(cls, request: RightsRequest, now: datetime) -> "RightsRequestView":
        """Show a request."""
        taken = None if request.answered_at is None else request.answered_at - request.asked_at
        return cls(
            id=request.id,
            referral_id=request.referral_id,
            right=request.right.value,
            asked_at=request.asked_at,
            due_at=request.due_at,
            hours_left=round((request.due_at - (request.answered_at or now)).total_seconds() / 3600, 1),
            is_late=request.is_late(now),
            hours_taken=None if taken is None else round(taken.total_seconds() / 3600, 1),
            recorded_at=request.recorded_at,
            recorded_by=request.recorded_by,
            answered_at=request.answered_at,
            answered_by=request.answered_by,
            outcome=request.outcome.value if request.outcome else None,
            refused_because=request.refused_because,
            reason=request.reason,
            lifted_at=request.lifted_at,
        )


class LegalHoldView(Answer):
    """What keeps a case from being erased, as long as it is not lifted."""

    id: UUID
    referral_id: UUID
    reason: str
    set_at: datetime
    set_by: str | None
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_because: str | None

    @classmethod
    def of(cls, hold: LegalHold) -> "LegalHoldView":
        """Show a hold."""
        return cls(
            id=hold.id,
            referral_id=hold.referral_id,
            reason=hold.reason.value,
            set_at=hold.set_at,
            set_by=hold.set_by,
            lifted_at=hold.lifted_at,
            lifted_by=hold.lifted_by,
            lifted_because=hold.lifted_because,
        )


class RightsView(Answer):
    """Where a case stands by the rights of its person; nothing of the case itself."""

    referral_id: UUID
    state: str
    ended_at: datetime | None
    kept_until: datetime | None = Field(description="When its time is over, unless a hold keeps it; null: not settled.")
    restricted_at: datetime | None
    is_restricted: bool = Field(description="Whether nobody works on it: false where an emergency runs all the same.")
    erased_at: datetime | None
    legal_holds: list[LegalHoldView]
    requests: list[RightsRequestView]


async def rights_view(desk: Desk, case: Case) -> RightsView:
    """Show where a case stands."""
    referral = case.referral
    return RightsView(
        referral_id=referral.id,
        state=referral.state.value,
        ended_at=referral.ended_at,
        kept_until=None if referral.erased_at else desk.terms.retention.kept_until(referral.kept_as, referral.ended_at),
        restricted_at=referral.restricted_at,
        is_restricted=referral.is_restricted,
        erased_at=referral.erased_at,
        legal_holds=[LegalHoldView.of(hold) for hold in await rights.holds_of(desk.tx, referral.id)],
        requests=[RightsRequestView.of(one, desk.now) for one in await rights.requests_of(desk.tx, referral.id)],
    )
