"""What a story did to a case is counted once it is committed: codes and seconds, and nothing of the case."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from app import metrics
from app.domain.case import Case
from app.domain.events import EventType
from app.storage.after_commit import after_commit

_NEWS = {type_: type_.value.removeprefix("handoff.") for type_ in EventType if type_.value.startswith("handoff.")}


def count_case(session: AsyncSession, case: Case) -> None:
    """Have what the story decided and did counted when its transaction commits."""
    referral = case.referral
    urgency = referral.urgency.value
    counting: list[Callable[[], None]] = []
    if referral.id in case.new:
        counting.append(metrics.REFERRALS.labels(urgency).inc)
    for decision in case.decisions:
        reason = str(decision.result.get("reason") or "")
        counting.append(metrics.DECISIONS.labels(decision.outcome, reason).inc)
    # One thing that happened is told to some in one way and to others in another.
    for type_, handoff in {(type_, handoff.id): (type_, handoff) for type_, handoff in case.handoff_news}.values():
        if type_ is EventType.HANDOFF_OFFERED and handoff.id not in case.new:
            # An offer that stands is told of anew.
            continue
        counting.append(metrics.HANDOFF_NEWS.labels(_NEWS[type_], handoff.urgency.value).inc)
        if type_ is EventType.HANDOFF_OFFERED and _is_first(case, handoff.service_request_id):
            waited = (handoff.offered_at - referral.received_at).total_seconds()
            counting.append(partial(metrics.FIRST_OFFER.labels(urgency).observe, waited))
        elif type_ is EventType.HANDOFF_ACCEPTED:
            waited = (handoff.changed_at - referral.received_at).total_seconds()
            counting.append(partial(metrics.ACCEPTANCE.labels(urgency).observe, waited))
    for one in counting:
        after_commit(session, one)


def _is_first(case: Case, request_id: object) -> bool:
    return sum(handoff.service_request_id == request_id for handoff in case.handoffs.values()) == 1
