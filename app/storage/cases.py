"""A referral with all that belongs to it: locked, read and kept as one."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.case import Case
from app.domain.consent import Consent, Ended
from app.domain.facts import Facts
from app.domain.handoff import HandoffState, ReferralState, RequestState
from app.domain.referral import Coordination, Handoff, Mode, Referral, ServiceRequest
from app.domain.vocabulary import Urgency
from app.storage import events
from app.storage.tables import (
    clocks,
    coordinations,
    decisions,
    facts,
    handoffs,
    referrals,
    service_requests,
    uncoordinated,
)


def coordinated_by(agency_code: str) -> ColumnElement[bool]:
    """Say in SQL that an agency coordinates a request of the referral."""
    return exists(
        select(1)
        .select_from(coordinations.join(service_requests))
        .where(
            service_requests.c.referral_id == referrals.c.id,
            coordinations.c.agency_code == agency_code,
        )
    )


def coordinated_by_nobody() -> ColumnElement[bool]:
    """Say in SQL that a request of the referral has no coordinator, so that an operator must act."""
    request = service_requests.alias()
    coordinated = exists(select(1).where(coordinations.c.service_request_id == request.c.id))
    return exists(select(1).where(request.c.referral_id == referrals.c.id, ~coordinated))


def owned_by(agency_code: str) -> ColumnElement[bool]:
    """Say in SQL that an agency sent the referral or holds it, and was not named in it since."""
    theirs = or_(referrals.c.sender_code == agency_code, referrals.c.holder_code == agency_code)
    return and_(theirs, ~and_(referrals.c.sender_barred, referrals.c.sender_code == agency_code))


CaseNamed = UUID | ScalarSelect[UUID]
"""The id of a referral, or a query for it, which is then part of the one that looks for the case."""


async def lock(session: AsyncSession, referral_id: CaseNamed, *, public_url: str) -> Case | None:
    """Lock a referral and read all that belongs to it; None where it does not exist."""
    row = (
        await session.execute(select(referrals).where(referrals.c.id == referral_id).with_for_update())
    ).one_or_none()
    return None if row is None else await _read(session, row, public_url)


async def read(session: AsyncSession, referral_id: UUID, *, public_url: str) -> Case | None:
    """Read a referral and all that belongs to it, without a lock; None where it does not exist."""
    row = (await session.execute(select(referrals).where(referrals.c.id == referral_id))).one_or_none()
    return None if row is None else await _read(session, row, public_url)


def is_restricted() -> ColumnElement[bool]:
    """Say in SQL that nobody may see or move a referral, as `Referral.is_restricted` does."""
    running = and_(
        referrals.c.urgency == Urgency.EMERGENCY.value,
        referrals.c.state == ReferralState.OPEN.value,
    )
    return and_(referrals.c.restricted_at.is_not(None), ~running)


async def lock_visible_to(
    session: AsyncSession,
    agency_code: str,
    *,
    public_url: str,
    referral_id: CaseNamed | None = None,
    handoff_id: UUID | None = None,
    service_request_id: UUID | None = None,
    reading: bool = False,
    operator: bool = False,
    everywhere: bool = False,
) -> Case | None:
    """Lock the referral that an agency names, itself or by a part of it, if the agency may see that part.

    `reading` takes no lock; an `operator` sees also what nobody coordinates; `everywhere` is for who answers for all.

    What is not there and what is not the agency's are one query and one answer: None.
    """
    wanted = select(referrals) if reading else select(referrals).with_for_update(of=referrals)
    theirs: ColumnElement[bool] = or_(owned_by(agency_code), coordinated_by(agency_code))
    if operator:
        theirs = or_(theirs, coordinated_by_nobody())
    if everywhere:
        theirs = true()
    if referral_id is not None:
        wanted = wanted.where(referrals.c.id == referral_id, theirs)
    elif handoff_id is not None:
        receiving = and_(handoffs.c.agency_code == agency_code, ~handoffs.c.barred)
        wanted = wanted.join(handoffs, handoffs.c.referral_id == referrals.c.id).where(
            handoffs.c.id == handoff_id, or_(receiving, theirs)
        )
    else:
        wanted = wanted.join(service_requests).where(service_requests.c.id == service_request_id, theirs)
    row = (await session.execute(wanted)).one_or_none()
    if row is None:
        return None
    case = await _read(session, row, public_url)
    # The lock may have waited for a story that ended the agency's sight of it.
    seen = handoff_id is None or case.shows_handoff(agency_code, handoff_id)
    return case if seen else None


async def _read(session: AsyncSession, row: Row[Any], public_url: str) -> Case:
    referral = Referral(
        id=row.id,
        sender_code=row.sender_code,
        holder_code=row.holder_code,
        mode=Mode(row.mode),
        urgency=Urgency(row.urgency),
        state=ReferralState(row.state),
        version=row.version,
        facts_version=row.facts_version,
        consent_withdrawn_at=row.consent_withdrawn_at,
        received_at=row.received_at,
        confirm_by=row.confirm_by,
        confirmed_at=row.confirmed_at,
        confirmed_by=row.confirmed_by,
        confirmed_for=row.confirmed_for,
        ended_at=row.ended_at,
        kept_as=row.kept_as,
        restricted_at=row.restricted_at,
        erased_at=row.erased_at,
        sender_barred=row.sender_barred,
    )
    known = (
        await session.execute(
            select(facts.c.body, facts.c.consent_services, facts.c.consent).where(
                facts.c.referral_id == referral.id, facts.c.version == referral.facts_version
            )
        )
    ).one()
    requests = await session.execute(
        select(service_requests).where(service_requests.c.referral_id == referral.id).order_by(service_requests.c.id)
    )
    made = await session.execute(select(handoffs).where(handoffs.c.referral_id == referral.id).order_by(handoffs.c.id))
    coordinating = await session.execute(
        select(coordinations).join(service_requests).where(service_requests.c.referral_id == referral.id)
    )
    return Case(
        referral=referral,
        facts=Facts.from_json(known.body),
        consent=_consent(known, referral),
        requests={request.id: _request(request) for request in requests},
        handoffs={handoff.id: handoff_of(handoff) for handoff in made},
        coordinations={
            (line.service_request_id, line.agency_code): Coordination(
                line.service_request_id, line.agency_code, line.position, line.told_at
            )
            for line in coordinating
        },
        public_url=public_url,
    )


def _consent(known: Any, referral: Referral) -> Consent:
    consent = Consent.from_json(known.consent, known.consent_services)
    if known.consent is None and referral.consent_withdrawn_at is not None:
        return replace(consent, ended=Ended.WITHDRAWN)
    return consent


def _request(row: Row[Any]) -> ServiceRequest:
    values = {**row._mapping, "state": RequestState(row.state), "tried": tuple(row.tried)}
    return ServiceRequest(**values)


def handoff_of(row: Row[Any]) -> Handoff:
    """Read a handoff from its row."""
    values = {column.name: row._mapping[column.name] for column in handoffs.columns}
    values |= {"state": HandoffState(row.state), "urgency": Urgency(row.urgency), "duties": tuple(row.duties)}
    return Handoff(**values)


async def add(session: AsyncSession, case: Case, *, reference_hash: bytes) -> bool:
    """Write a new referral and its facts; False where the sender used this reference before."""
    row = asdict(case.referral) | {"sender_reference_hash": reference_hash}
    written = await session.execute(upsert(referrals).values(row).on_conflict_do_nothing().returning(referrals.c.id))
    if written.one_or_none() is None:
        return False
    await _add_facts(session, case, case.referral.received_at)
    case.new.update({case.referral.id, *case.requests})
    return True


async def of_reference(session: AsyncSession, sender_code: str, reference_hash: bytes) -> UUID:
    """Find the referral that a sender gave this reference."""
    theirs = select(referrals.c.id).where(
        referrals.c.sender_code == sender_code, referrals.c.sender_reference_hash == reference_hash
    )
    found: UUID = (await session.execute(theirs)).scalar_one()
    return found


async def save(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """Keep what a story changed, and announce its news, in one transaction."""
    case.settle()
    case.note_end(now)
    if case.facts_changed:
        case.put_referral(facts_version=case.referral.facts_version + 1)
        await _add_facts(session, case, now)
    if case.referral.id not in case.new:
        case.put_referral(version=case.referral.version + 1)
        fields = asdict(case.referral)
        await session.execute(update(referrals).where(referrals.c.id == fields.pop("id")).values(fields))
    elif case.referral.confirm_by is not None:
        # A new referral was written before its requests were routed, and only then is it known.
        this = referrals.c.id == case.referral.id
        await session.execute(update(referrals).where(this).values(confirm_by=case.referral.confirm_by))

    known_handoffs = [handoff for key, handoff in case.handoffs.items() if key in case.changed and key not in case.new]
    new_handoffs = [handoff for key, handoff in case.handoffs.items() if key in case.new]
    known_requests = [request for key, request in case.requests.items() if key in case.changed and key not in case.new]
    new_requests = [request for key, request in case.requests.items() if key in case.new]
    await _insert(session, service_requests, map(asdict, new_requests))
    await _update(session, service_requests, [asdict(request) for request in known_requests])
    await _insert(
        session,
        decisions,
        ({**asdict(decision), "result": dict(decision.result)} for decision in case.decisions),
    )
    # The ended handoff first: a request makes one at a time.
    await _update(session, handoffs, [_handoff_row(handoff) for handoff in known_handoffs])
    await _insert(session, handoffs, map(_handoff_row, new_handoffs))
    await _save_clocks(session, case)
    await _save_coordinations(session, case)
    await events.announce(session, case.news, now=now)


async def _add_facts(session: AsyncSession, case: Case, now: datetime) -> None:
    await session.execute(
        insert(facts).values(
            referral_id=case.referral.id,
            version=case.referral.facts_version,
            body=case.facts.to_json(),
            consent_services=None if case.consent.services is None else sorted(case.consent.services),
            consent=case.consent.to_json(),
            recorded_at=now,
        )
    )


async def _save_clocks(session: AsyncSession, case: Case) -> None:
    # What is new has no clocks yet but those started here.
    known = {subject: kinds for subject, kinds in case.clocks_stopped.items() if subject not in case.new}
    for runs_on in set(known.values()):
        stopped = [subject for subject, kinds in known.items() if kinds == runs_on]
        await session.execute(
            delete(clocks).where(
                clocks.c.kind.not_in(runs_on),
                or_(
                    clocks.c.handoff_id.in_(stopped),
                    and_(clocks.c.handoff_id.is_(None), clocks.c.service_request_id.in_(stopped)),
                ),
            )
        )
        if case.referral.id in stopped:
            of_referral = and_(clocks.c.referral_id == case.referral.id, clocks.c.service_request_id.is_(None))
            await session.execute(delete(clocks).where(clocks.c.kind.not_in(runs_on), of_referral))
    await _insert(session, clocks, map(asdict, case.clocks_started))


async def _save_coordinations(session: AsyncSession, case: Case) -> None:
    if case.coordinations_ended:
        await session.execute(
            delete(coordinations).where(
                tuple_(coordinations.c.service_request_id, coordinations.c.agency_code).in_(case.coordinations_ended)
            )
        )
    touched = {request_id for request_id, _ in (*case.coordinations_changed, *case.coordinations_ended)}
    lonely = [{"service_request_id": key} for key in case.requests if not case.coordinators(key)]
    lonely = [row for row in lonely if row["service_request_id"] in touched | case.new]
    if lonely:
        await session.execute(upsert(uncoordinated).on_conflict_do_nothing(), lonely)
    if found := [key for key in touched - case.new if case.coordinators(key)]:
        await session.execute(delete(uncoordinated).where(uncoordinated.c.service_request_id.in_(found)))
    rows = [asdict(case.coordinations[key]) for key in sorted(case.coordinations_changed)]
    if rows:
        line = upsert(coordinations)
        await session.execute(
            line.on_conflict_do_update(
                index_elements=["service_request_id", "agency_code"],
                set_={"told_at": line.excluded.told_at, "position": line.excluded.position},
            ),
            rows,
        )


def _handoff_row(handoff: Handoff) -> dict[str, Any]:
    return {**asdict(handoff), "duties": [dict(duty) for duty in handoff.duties]}


async def _insert(session: AsyncSession, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    written = list(rows)
    if written:
        await session.execute(insert(table), written)


async def _update(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        columns = [name for name in rows[0] if name != "id"]
        await session.execute(
            update(table)
            .where(table.c.id == bindparam("key"))
            .values({name: bindparam(f"new_{name}") for name in columns}),
            [{"key": row["id"], **{f"new_{name}": row[name] for name in columns}} for row in rows],
        )
