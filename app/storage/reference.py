"""The rules and code sets in force: read once, and again as soon as the database says that they changed."""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.agreement import Document, parse_document
from app.domain.region_names import RegionNames
from app.domain.regions import Level, Region, Regions
from app.domain.registry import Registry
from app.domain.routing import Rules, compile_rules
from app.domain.vocabulary import Vocabulary
from app.reference.load import parse_registry, parse_vocabulary
from app.storage.tables import agencies, agency_history, code_sets, documents, regions, registry_state

# Whoever changes the registry or publishes takes this lock alone; intake shares it, so none is decided by stale rules.
REGISTRY_LOCK = 0x4C494E54
# Before that, this one, so that nobody asks for the other alone while a document is checked: intake would queue there.
CHANGE_LOCK = 0x4C494E55


async def hold_still(session: AsyncSession) -> None:
    """Wait until nobody changes the registry, and let nobody until the transaction ends; intake goes on."""
    await session.execute(select(func.pg_advisory_xact_lock(CHANGE_LOCK)))


async def take_alone(session: AsyncSession) -> None:
    """Hold the registry still, and wait until no intake is being decided; none is until the transaction ends."""
    await hold_still(session)
    await session.execute(select(func.pg_advisory_xact_lock(REGISTRY_LOCK)))


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything a referral is judged by, at one version of the registry."""

    version: int
    vocabulary: Vocabulary
    regions: Regions
    region_names: RegionNames
    registry: Registry
    documents: tuple[Document, ...]
    rules: Rules


@dataclass(slots=True)
class ReferenceKeeper:
    """Holds the reference of the newest version seen; one in each process."""

    _held: Reference | None = field(default=None)
    _replays: dict[int, Rules] = field(default_factory=dict)

    @property
    def version(self) -> int | None:
        """Give the version of the reference that was read last; None before the first."""
        return self._held.version if self._held is not None else None

    @property
    def loaded(self) -> bool:
        """Say whether a reference was read yet."""
        return self._held is not None

    async def current(self, session: AsyncSession, *, to_change: bool = False) -> Reference:
        """Give the reference in force, which stays in force until the caller's transaction ends.

        Who is going to change it says so, and waits here until no intake is being decided.
        """
        if to_change:
            await take_alone(session)
        else:
            await session.execute(select(func.pg_advisory_xact_lock_shared(REGISTRY_LOCK)))
        version = await session.scalar(select(registry_state.c.version))
        if self._held is None or self._held.version != version:
            self._held = await _load(session, version or 0)
        return self._held

    async def rules_at(self, session: AsyncSession, version: int) -> Rules:
        """Give the rules as the registry stood at a version, for a replay."""
        current = await self.current(session)
        if version == current.version:
            return current.rules
        if version not in self._replays:
            if len(self._replays) >= 8:
                self._replays.pop(next(iter(self._replays)))
            self._replays[version] = await _rules_at(session, current, version)
        return self._replays[version]


async def _load(session: AsyncSession, version: int) -> Reference:
    body = await session.scalar(select(code_sets.c.body).order_by(code_sets.c.version.desc()).limit(1))
    vocabulary = parse_vocabulary(body)
    listed = await _regions(session)
    bodies = (await session.scalars(select(agencies.c.body).order_by(agencies.c.code))).all()
    registry = parse_registry({"agencies": list(bodies)}, vocabulary, version=version)
    published = await _documents(session, vocabulary, version)
    return Reference(
        version=version,
        vocabulary=vocabulary,
        regions=listed,
        region_names=RegionNames(listed.current),
        registry=registry,
        documents=published,
        rules=compile_rules(registry, published, vocabulary),
    )


async def _regions(session: AsyncSession) -> Regions:
    known = (await session.execute(select(*regions.c))).all()
    retired = frozenset(row.code for row in known if row.retired_at is not None)
    return Regions({row.code: Region(row.code, row.name, Level(row.level), row.parent) for row in known}, retired)


async def _documents(session: AsyncSession, vocabulary: Vocabulary, version: int) -> tuple[Document, ...]:
    bodies = await session.scalars(
        select(documents.c.body)
        .where(documents.c.registry_version <= version)
        .order_by(documents.c.id, documents.c.version)
    )
    return tuple(parse_document(body, vocabulary) for body in bodies)


async def _rules_at(session: AsyncSession, current: Reference, version: int) -> Rules:
    latest = (
        select(agency_history.c.code, agency_history.c.body)
        .where(agency_history.c.registry_version <= version)
        .order_by(agency_history.c.code, agency_history.c.registry_version.desc())
        .ext(distinct_on(agency_history.c.code))
    )
    bodies = [row.body for row in await session.execute(latest)]
    registry = parse_registry({"agencies": bodies}, current.vocabulary, version=version)
    published = await _documents(session, current.vocabulary, version)
    return compile_rules(registry, published, current.vocabulary)
