"""The world: the whole service in this process on a database of its own, begun, ended and begun anew."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from socket import socket
from types import MappingProxyType

import structlog
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Role
from app.main import serve
from app.observability import told_of
from app.reference.load import shipped
from app.sandbox import posts
from app.sandbox.behaviour import Behaviour, PlayedBy
from app.sandbox.databases import Databases
from app.sandbox.passing import Passage, Passed
from app.sandbox.players import Players
from app.sandbox.records import players, printed_keys
from app.service import Service, compose
from app.settings import Settings
from app.storage.migrating import head
from app.storage.sealing import KeyRing
from app.workers import hold_key_ring, jobs_of, repeat, work
from app.workflows import keep_history
from app.workflows.issue_key import IssuedKey, issue_key
from app.workflows.seed import seed

log = structlog.get_logger()

YOURS: Mapping[Role, str] = MappingProxyType(
    {Role.SENDER: "dp3ap2kb-ppu", Role.RECEIVER: "uptd-ppa-ppu", Role.COORDINATOR: "dp3a-kukar"}
)
"""Whose keys are printed: a sending agency, a receiving one, and a coordinator. They are yours to play."""
EVERY_ROLE = (Role.SENDER, Role.RECEIVER, Role.COORDINATOR)
LOOK_EVERY = 1.0
READY_WITHIN = 30.0
ENDS_WITHIN = 5.0


class WorldEnded(Exception):
    """The service of the world ended by itself."""


@dataclass(frozen=True, slots=True)
class PrintedKey:
    """A key that the integrator has."""

    role: str
    agency: str
    secret: str


class World:
    """The service with all that the sandbox adds to it; one thing at a time is done to the whole of it."""

    def __init__(self, settings: Settings, databases: Databases, key_ring: KeyRing, listener: socket, at: str) -> None:
        """Take where the API listens, and where the agencies that are played are reached."""
        self._settings = settings
        self._databases = databases
        self._key_ring = key_ring
        self._listener = listener
        self._at = at
        self._whole = asyncio.Lock()
        self._looking = asyncio.Lock()
        self.begun = asyncio.Event()
        """Set when all of it is there for the first time."""
        self.ended = asyncio.Event()
        """Set when the service ended though nobody had it end."""

    async def begin(self) -> None:
        """Begin, or go on where it was left."""
        new = await self._databases.begin()
        await self._start()
        if new:
            async with self.service.sessions.begin() as tx:
                await self._fill(tx)
            await self.players.equip(await self.players.all())
            await self._end()
            await self._databases.keep_beginning()
            await self._start()
        await self.players.equip(await self.players.all())
        self.begun.set()

    async def end(self) -> None:
        """End, keeping everything."""
        async with self._whole:
            await self._end()

    async def reset(self) -> None:
        """Make everything as it was at first: the same keys, no referral, no endpoint of yours, the clock at now."""
        async with self._whole:
            await self._end()
            self._settings.ledger.unlink(missing_ok=True)
            await self._databases.go_back()
            await self._start()
            await self.players.equip(await self.players.all())

    async def pass_to(self, moment: datetime, *, within: float) -> Passed:
        """Let time pass until a moment, each thing done when it is due, but for no longer than so many seconds."""
        async with self._whole:
            return await self._passage.to(moment, within=within)

    async def printed_keys(self) -> list[PrintedKey]:
        """List the keys that the integrator was given at first."""
        async with self.service.sessions.begin() as tx:
            found = await tx.execute(select(printed_keys.c.role, printed_keys.c.agency_code, printed_keys.c.secret))
            in_order = {role.value: place for place, role in enumerate(YOURS)}
            return sorted((PrintedKey(*row) for row in found), key=lambda key: in_order[key.role])

    async def issue_key(self, agency: str, roles: list[Role]) -> IssuedKey:
        """Issue one more key, else UnknownAgency."""
        async with self.service.sessions.begin() as tx:
            return await issue_key(tx, agency_code=agency, roles=roles, label="sandbox", sandbox=True)

    @property
    def now(self) -> datetime:
        """What time it is in this world."""
        return self.service.clock()

    # --- the parts ---

    async def _start(self) -> None:
        self._stop, self._hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.service: Service = compose(
            self._settings,
            url=self._databases.world,
            key_ring=self._key_ring,
            name="sandbox",
            revision=head(),
            sandbox=True,
        )
        await self._look()
        await keep_history.make_months(
            self.service.sessions, now=self.service.clock(), kept=self._settings.history_months
        )
        self.players = Players(self.service.sessions, self.service.clock, api=self._settings.reached_at, at=self._at)
        self._passage = Passage(self.service, self.players, jobs_of(self.service, self._stop), self._look)
        self._living = asyncio.create_task(self._live(ready))
        self._living.add_done_callback(partial(self._note_end, self._stop))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._living, waiting}, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not ready.is_set():
            await self._end()
            raise WorldEnded

    async def _live(self, ready: asyncio.Event) -> None:
        service, stop = self.service, self._stop
        through = posts.written_down(service.sessions, service.clock)
        async with asyncio.TaskGroup() as tasks:
            # What the server closes at its end is a copy: the next one listens at the same port, which nobody takes.
            tasks.create_task(serve(service, self._listener.dup(), stop, self._hurry, ready.set))
            tasks.create_task(work(service, stop, through=through))
            tasks.create_task(hold_key_ring(service, stop))
            tasks.create_task(repeat("shared_clock", self._look, every=LOOK_EVERY, stop=stop))
            tasks.create_task(repeat("sandbox_agencies", self.players.act, every=0.1, stop=stop))

    async def _look(self) -> None:
        # One at a time: what was read before the clock was moved must not be believed after it.
        async with self._looking, self.service.sessions.begin() as tx:
            await self.service.real_clock.look(tx)

    async def _end(self) -> None:
        self._stop.set()
        longest = self._settings.stop_within.total_seconds() + ENDS_WITHIN
        await asyncio.wait({self._living}, timeout=longest)
        if not self._living.done():
            self._hurry.set()
            self._living.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._living, return_exceptions=True)
        await self.players.aclose()
        await asyncio.gather(self.service.engine.dispose(), self.service.health_engine.dispose())

    def _note_end(self, stop: asyncio.Event, living: "asyncio.Task[None]") -> None:
        error = None if living.cancelled() else living.exception()
        if error is not None:
            log.error("sandbox_broke", **told_of(error))
        if not stop.is_set() or error is not None:
            self.ended.set()

    async def _fill(self, tx: AsyncSession) -> None:
        await seed(tx, self.service.clock())
        for agency in sorted(shipped().registry.agencies):
            key = await issue_key(tx, agency_code=agency, roles=EVERY_ROLE, label="sandbox", sandbox=True)
            played_by = PlayedBy.YOU if agency in YOURS.values() else PlayedBy.SANDBOX
            behaviour = Behaviour(played_by=played_by).model_dump(mode="json")
            await tx.execute(insert(players).values(agency_code=agency, key=key.secret, behaviour=behaviour))
        for role, agency in YOURS.items():
            key = await issue_key(tx, agency_code=agency, roles={role}, label="yours", sandbox=True)
            line = insert(printed_keys).values(role=role.value, agency_code=agency, secret=key.secret)
            await tx.execute(line)


@asynccontextmanager
async def begun(world: World) -> AsyncIterator[World]:
    """Have a world, until left."""
    await world.begin()
    try:
        yield world
    finally:
        await world.end()
