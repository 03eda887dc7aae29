"""Erasing a person: what opens the sealed fields is destroyed, and so is all by which the person could be found."""

import os
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, delete, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.coarsening import coarse
from app.domain.facts import Facts
from app.storage import identity_hashes
from app.storage.rights import is_held
from app.storage.tables import (
    attempts,
    data_keys,
    decisions,
    events,
    every_delivery,
    facts,
    idempotency_records,
    referrals,
    sealed_fields,
)

Place = tuple[datetime, UUID]
"""After which case a portion begins: its end and its id."""


async def destroy(session: AsyncSession, referral_id: UUID) -> None:
    """Destroy what is known of the person of a locked referral; the skeleton of decisions and handoffs stays."""
    await session.execute(delete(sealed_fields).where(sealed_fields.c.referral_id == referral_id))
    await session.execute(delete(data_keys).where(data_keys.c.referral_id == referral_id))
    await identity_hashes.forget(session, referral_id)
    await _coarsen(session, referral_id)
    await _forget_reference(session, referral_id)
    await _forget_answers(session, referral_id)
    await _forget_what_receivers_answered(session, referral_id)


async def _coarsen(session: AsyncSession, referral_id: UUID) -> None:
    known = (
        await session.execute(select(facts.c.version, facts.c.body).where(facts.c.referral_id == referral_id))
    ).all()
    for version, body in known:
        left = coarse(Facts.from_json(body)).to_json()
        this = (facts.c.referral_id == referral_id) & (facts.c.version == version)
        await session.execute(update(facts).where(this).values(body=left, consent=None))
    # What it moved on stays with the decision; why, which may tell of a guardian or a child, goes.
    grounded = (decisions.c.referral_id == referral_id) & decisions.c.ground.is_not(None)
    kept = func.jsonb_set(decisions.c.ground, literal(["because"], ARRAY(Text)), literal([], JSONB))
    await session.execute(update(decisions).where(grounded).values(ground=kept))


async def _forget_reference(session: AsyncSession, referral_id: UUID) -> None:
    # Chance instead of a hash: nobody who knows the sender's reference finds the case by it, and none meets another.
    await session.execute(
        update(referrals).where(referrals.c.id == referral_id).values(sender_reference_hash=os.urandom(32))
    )


async def _forget_answers(session: AsyncSession, referral_id: UUID) -> None:
    # The key stays until its time: a repeat that comes late must not send the person in anew.
    await session.execute(
        update(idempotency_records)
        .where(idempotency_records.c.referral_id == referral_id)
        .values(answer=b"", request_hash=b"")
    )


async def _forget_what_receivers_answered(session: AsyncSession, referral_id: UUID) -> None:
    of_this_case = (
        select(attempts.c.delivery_id, attempts.c.id)
        .join(every_delivery, every_delivery.c.id == attempts.c.delivery_id)
        .join(events, events.c.id == every_delivery.c.event_id)
        .where(attempts.c.answer.is_not(None), events.c.referral_id == referral_id)
    )
    for delivery_id, attempt_id in (await session.execute(of_this_case)).all():
        await session.execute(
            update(attempts)
            .where(attempts.c.delivery_id == delivery_id, attempts.c.id == attempt_id)
            .values(answer=None)
        )


async def due(
    session: AsyncSession, kept_as: str, *, ended_before: datetime, after: Place | None, limit: int
) -> Sequence[tuple[datetime, UUID]]:
    """List the next cases of one class and ending that ended before a moment, the first to end first.

    What is erased, restricted or under legal hold is left out.
    """
    wanted = (
        select(referrals.c.ended_at, referrals.c.id)
        .where(
            referrals.c.kept_as == kept_as,
            referrals.c.ended_at <= ended_before,
            referrals.c.erased_at.is_(None),
            referrals.c.restricted_at.is_(None),
            ~is_held(),
        )
        .order_by(referrals.c.ended_at, referrals.c.id)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(tuple_(referrals.c.ended_at, referrals.c.id) > tuple_(*after))
    return [(row.ended_at, row.id) for row in await session.execute(wanted)]


async def lock_free(session: AsyncSession, referral_id: UUID) -> bool:
    """Lock a referral, unless somebody is at work on it."""
    locked = select(referrals.c.id).where(referrals.c.id == referral_id).with_for_update(skip_locked=True)
    return await session.scalar(locked) is not None
