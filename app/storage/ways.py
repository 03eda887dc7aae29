"""The ways by which agencies are told that work: an endpoint that takes offers and does not fail, or the console."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.channel import MAILTO, Channel
from app.domain.events import EventType
from app.domain.regions import NATION, ancestry
from app.domain.retry import FAILING_AFTER
from app.storage.endpoints import ACTIVE, FAILING
from app.storage.tables import agencies, console_looks, endpoints, reached_agencies

_LASTING = and_(
    endpoints.c.state == ACTIVE,
    endpoints.c.state_reason.is_distinct_from(FAILING),
    or_(
        endpoints.c.event_types.is_(None),
        literal(EventType.HANDOFF_OFFERED.value, Text()) == func.any(endpoints.c.event_types),
    ),
)
_WORKING = and_(
    _LASTING,
    or_(endpoints.c.failing_since.is_(None), endpoints.c.failing_since > func.now() - FAILING_AFTER),
    endpoints.c.breaker_opened_at.is_(None),
)
"""An endpoint whose breaker is open is no way now: nothing is sent to it. It is still one that lasts, as most do."""
_LOOKED_INTO = console_looks.c.reaches_until > func.now()
_CHANNEL = case(
    (func.lower(func.left(endpoints.c.url, len(MAILTO))) == MAILTO, literal_column(f"'{Channel.MAIL}'", Text)),
    else_=literal_column(f"'{Channel.WEBHOOK}'", Text),
)


_LOOKING = 0x6C656E65
"""The class of the advisory lock by which one at a time looks who has lost its last way."""
LAPSED_LATELY = timedelta(hours=1)
"""How long ago a sign-in has ceased to count, for its end to be why an agency lost its last way."""
_CODES = bindparam("codes", type_=ARRAY(Text()))
# Built once: each intake asks this, and building it takes SQLAlchemy longer than PostgreSQL takes to answer.
_WAYS_OF = union(
    select(endpoints.c.agency_code, _CHANNEL.label("channel")).where(
        endpoints.c.agency_code == func.any(_CODES), _WORKING
    ),
    select(console_looks.c.agency_code, literal_column(f"'{Channel.CONSOLE}'", Text)).where(
        console_looks.c.agency_code == func.any(_CODES), _LOOKED_INTO
    ),
)


@dataclass(frozen=True, slots=True)
class Lost:
    """An agency that has lost its last working way."""

    agency_code: str
    at: datetime
    console_lapsed: bool
    """Nobody of it signs in to the console any more, which was such a way."""


@dataclass(frozen=True, slots=True)
class Reached:
    """An agency that can be offered something, with the ways by which it is told."""

    body: Mapping[str, Any]
    """As the registry has it written."""
    ways: tuple[Channel, ...]
    lost_at: datetime | None
    """Since when no way works, where it had one before. Real time."""


async def working(session: AsyncSession, agency_codes: Iterable[str]) -> dict[str, tuple[Channel, ...]]:
    """Give the working ways of these agencies to be told of an offer; who has none is not in it.

    An endpoint does not fail as long as no worker noticed, and real time does not say so.
    """
    found = await session.execute(_WAYS_OF, {"codes": sorted(agency_codes)})
    ways: dict[str, set[str]] = {}
    for agency_code, channel in found:
        ways.setdefault(agency_code, set()).add(channel)
    return {code: _in_order(channels) for code, channels in ways.items()}


async def reachable(session: AsyncSession, agency_codes: Iterable[str]) -> set[str]:
    """Say which agencies have a working way to be told of an offer."""
    return set(await working(session, agency_codes))


async def listed(
    session: AsyncSession, *, coordinated_by: str | None, reached: bool | None, after: str | None, limit: int
) -> list[Reached]:
    """List the active agencies that offer something by code, with their ways, those reached or not where that is said.

    Of `coordinated_by`, those at home where that agency coordinates; None is all.
    """
    body = agencies.c.body
    of_endpoints = select(func.array_agg(_CHANNEL.distinct())).where(
        endpoints.c.agency_code == agencies.c.code, _WORKING
    )
    in_console = exists(select(1).where(console_looks.c.agency_code == agencies.c.code, _LOOKED_INTO))
    has_way = or_(exists(select(1).where(endpoints.c.agency_code == agencies.c.code, _WORKING)), in_console)
    wanted = (
        select(
            body,
            of_endpoints.scalar_subquery().label("sent"),
            in_console.label("in_console"),
            reached_agencies.c.lost_at,
        )
        .select_from(agencies.outerjoin(reached_agencies, reached_agencies.c.agency_code == agencies.c.code))
        .where(_can_be_offered())
        .order_by(agencies.c.code)
        .limit(limit)
    )
    if coordinated_by is not None:
        own = select(body["coordinator_for"].astext).where(agencies.c.code == coordinated_by)
        territory = await session.scalar(own)
        if territory is None:
            return []
        if territory != NATION:
            home = body["region"].astext
            wanted = wanted.where(or_(home == territory, home.startswith(f"{territory}.", autoescape=True)))
    if reached is not None:
        wanted = wanted.where(has_way if reached else ~has_way)
    if after is not None:
        wanted = wanted.where(agencies.c.code > after)
    return [
        Reached(row.body, _in_order({*(row.sent or ()), *((Channel.CONSOLE,) if row.in_console else ())}), row.lost_at)
        for row in await session.execute(wanted)
    ]


async def seen_in_console(session: AsyncSession, agency_code: str, *, reaches_for: timedelta) -> None:
    """Keep that somebody of an agency signed in to the console, which is a working way to be told for so long."""
    now = func.now()
    values = {"signed_in_at": now, "reaches_until": now + reaches_for}
    line = upsert(console_looks).values(agency_code=agency_code, **values)
    await session.execute(line.on_conflict_do_update(index_elements=["agency_code"], set_=values))


async def note_lost(session: AsyncSession) -> Sequence[Lost]:
    """Keep which agencies have a way that lasts, and give those that had one and have lost the last.

    Each loss is given once, by however many processes this is asked at once: one looks, and the others are given none.
    """
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOOKING, 0))):
        return ()
    lasting = union(
        select(endpoints.c.agency_code).where(_LASTING),
        select(console_looks.c.agency_code).where(_LOOKED_INTO),
    ).subquery()
    noted = select(1).where(
        reached_agencies.c.agency_code == lasting.c.agency_code, reached_agencies.c.lost_at.is_(None)
    )
    fresh = upsert(reached_agencies).from_select(
        ["agency_code"], select(lasting.c.agency_code).where(~exists(noted)).order_by(lasting.c.agency_code)
    )
    await session.execute(fresh.on_conflict_do_update(index_elements=["agency_code"], set_={"lost_at": None}))
    still = select(1).where(lasting.c.agency_code == reached_agencies.c.agency_code)
    lapsed = exists(
        select(1).where(
            console_looks.c.agency_code == reached_agencies.c.agency_code,
            console_looks.c.reaches_until > func.now() - LAPSED_LATELY,
        )
    )
    lost = await session.execute(
        update(reached_agencies)
        .where(reached_agencies.c.lost_at.is_(None), ~exists(still))
        .values(lost_at=func.now())
        .returning(reached_agencies.c.agency_code, reached_agencies.c.lost_at, lapsed.label("console_lapsed"))
    )
    return [Lost(*row) for row in lost]


async def coordinator_of(session: AsyncSession, agency_code: str) -> str | None:
    """Name who coordinates where an agency is at home: the narrowest that is not itself, of equals the first by code.

    None where there is nobody, or where the agency can be offered nothing at all.
    """
    home = await session.scalar(
        select(agencies.c.body["region"].astext).where(agencies.c.code == agency_code, _can_be_offered())
    )
    if home is None:
        return None
    around = ancestry(home)
    territory = agencies.c.body["coordinator_for"].astext
    found = await session.execute(
        select(territory, agencies.c.code).where(
            territory == func.any(literal(list(around), ARRAY(Text()))),
            agencies.c.code != agency_code,
            _is_active(),
        )
    )
    ranked = sorted((around.index(region), code) for region, code in found)
    return ranked[0][1] if ranked else None


def _can_be_offered() -> ColumnElement[bool]:
    services = agencies.c.body["services"]
    return and_(_is_active(), func.coalesce(services, func.jsonb_build_object()) != func.jsonb_build_object())


def _is_active() -> ColumnElement[bool]:
    return func.coalesce(agencies.c.body["active"].as_boolean(), true())


def _in_order(channels: Iterable[str]) -> tuple[Channel, ...]:
    return tuple(channel for channel in Channel if channel in set(channels))
