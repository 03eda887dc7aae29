"""A process of the service, laid out: what its API and its workers share."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import getpid
from socket import gethostname
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.api import readying
from app.api.key_uses import KeyUses
from app.api.readying import Process, Readying
from app.domain.addresses import Reach
from app.domain.clock import BusinessClock
from app.domain.progress import Progress
from app.domain.proposals import SecondPerson
from app.domain.retention import Retention, RetentionInvalid, read_retention
from app.reference.yaml_text import Unreadable, load_yaml
from app.settings import Settings
from app.storage.console_sessions import SessionTerms
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.storage.shared_clock import SharedClock, since_boot
from app.workflows.desk import Terms


def real_time() -> datetime:
    """Read the clock: the business clock of a service in earnest, and what leases and outages are counted by."""
    return datetime.now(UTC)  # noqa: TID251 - this is the entry point that reads it for all


@dataclass(frozen=True, slots=True)
class Service:
    """What the API and the workers of one process share."""

    id: UUID
    process: str
    """What this process is and where it runs, as whoever looks after the key ring reads it."""
    settings: Settings
    engine: AsyncEngine
    health_engine: AsyncEngine
    """One connection of its own, so that a process which is busy does not look as if it were not ready."""
    sessions: async_sessionmaker[AsyncSession]
    key_ring: KeyRing
    ring_checked: asyncio.Event
    """Not set while it is not known yet whether the key ring is the one that the database was sealed by."""
    reference: ReferenceKeeper
    clock: BusinessClock
    real_clock: SharedClock
    """What deliveries are scheduled and signed by; the business clock too, where none is set."""
    signing_clock: BusinessClock
    """What webhooks are dated and signed by: receivers hold it against their own clocks."""
    retention: Retention
    revision: str | None
    key_uses: KeyUses
    """When each key was last used, as this process saw it."""
    sandbox: bool
    """Whether this is a world of an integrator's own, whose clock can be moved."""
    progress: Progress
    """How its workers get on, where it has any."""
    readying: Readying
    listen_url: str | None
    """The database's own address, for LISTEN; None where only a pooler is known, and polling has to do."""

    @property
    def terms(self) -> Terms:
        """What the operator has settled."""
        return Terms(
            public_url=self.settings.reached_at,
            outage_after=self.settings.outage_after,
            confirm_vital_interest=self.settings.confirm_vital_interest,
            fallback_coordinator=self.settings.fallback_coordinator,
            reach=Reach(
                self.settings.webhook.allow_networks,
                self.settings.webhook.allow_http,
                sends_mail=self.settings.mail.host is not None,
            ),
            console_reaches_for=self.settings.console_reaches_for,
            retention=self.retention,
            erasure_ledger=self.settings.ledger,
            second_person=second_person_of(self.settings),
            sandbox=self.sandbox,
        )


def second_person_of(settings: Settings) -> SecondPerson:
    """Say for what a second person is asked for."""
    said, usual = settings.second_person, not settings.is_trial
    return SecondPerson(
        publishing=usual if said.publishing is None else said.publishing,
        endpoints=usual if said.endpoints is None else said.endpoints,
        within=said.within,
    )


def compose(
    settings: Settings,
    *,
    url: str,
    key_ring: KeyRing,
    name: str,
    clock: BusinessClock | None = None,
    machine_clock: BusinessClock = real_time,
    revision: str | None = None,
    sandbox: bool = False,
) -> Service:
    """Lay out a process; it connects when it first has something to do.

    `clock` is a business clock that is set, in a demonstration or a test; `machine_clock` is the clock of this machine.
    In a `sandbox` the database's clock may run ahead of it; what is signed is dated by the machine's all the same.
    """
    pool = Pool(
        size=settings.database.pool_size,
        overflow=settings.database.pool_overflow,
        statement=settings.database.statement_timeout,
        through_pgbouncer=settings.database.through_pgbouncer,
    )
    engine = open_engine(url, application_name=f"lintas {name}", pool=pool)
    real_clock = SharedClock(machine_clock)
    ring_checked = asyncio.Event()
    ring_checked.set()
    moment = timedelta(seconds=readying.DEADLINE)
    own = Pool(
        size=1,
        # For a second look where the first hangs, and for whoever counts what waits: readiness does not wait for that.
        overflow=2,
        wait=moment,
        connect=moment,
        statement=moment,
        through_pgbouncer=settings.database.through_pgbouncer,
    )
    health_engine = open_engine(url, application_name=f"lintas {name} health", pool=own)
    direct = settings.database.listen_url
    listen_url = str(direct) if direct else None if settings.database.through_pgbouncer else url
    reference, progress = ReferenceKeeper(), Progress(since_boot)
    looked_at = Process(
        sessions_of(health_engine),
        key_ring,
        ring_checked,
        reference,
        revision,
        skew=None if sandbox else real_clock.skew,
        progress=progress,
    )
    return Service(
        id=uuid7(),
        process=f"{name} {gethostname()}:{getpid()}",
        settings=settings,
        engine=engine,
        health_engine=health_engine,
        sessions=sessions_of(engine),
        key_ring=key_ring,
        ring_checked=ring_checked,
        reference=reference,
        clock=clock or real_clock,
        real_clock=real_clock,
        signing_clock=machine_clock if sandbox else real_clock,
        retention=retention_of(settings),
        revision=revision,
        key_uses=KeyUses(real_clock),
        sandbox=sandbox,
        progress=progress,
        readying=Readying(looked_at),
        listen_url=listen_url,
    )


def session_terms_of(settings: Settings) -> SessionTerms:
    """Say how long somebody stays signed in to the console, and for how long that reaches their agency."""
    return SessionTerms(settings.sign_in.idle, settings.sign_in.longest, settings.console_reaches_for)


def retention_of(settings: Settings) -> Retention:
    """Read how long the operator keeps cases; RetentionInvalid if that cannot be read."""
    if settings.retention_file is None:
        return Retention()
    try:
        return read_retention(load_yaml(settings.retention_file.read_text("utf-8")).value)
    except (Unreadable, UnicodeDecodeError, OSError) as error:
        said = error.message if isinstance(error, Unreadable) else type(error).__name__
        raise RetentionInvalid(f"LINTAS_RETENTION_FILE cannot be read: {said}") from None
