"""What commands share: settings, the database they work on, one transaction, and how they speak to people."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.settings import Settings, read_settings
from app.storage import audit_chain, events, readiness
from app.storage.database import Pool, is_passing, open_engine, open_for_migrations, sessions_of
from app.storage.key_sources import EnvironmentKeys, FileKeys, KeySource
from app.storage.ring_checks import Flaw, RingFlaw
from app.storage.sealing import KeyRing, KeyRingInvalid
from app.workflows import prepare_trial
from app.workflows.check_key_ring import check_key_ring

log = structlog.get_logger()

T = TypeVar("T")
Sessions = async_sessionmaker[AsyncSession]


class CannotGoOn(Exception):
    """The command cannot do what it was asked; said in Indonesian and English."""

    def __init__(self, indonesian: str, english: str) -> None:
        super().__init__(f"{indonesian}\n{english}")


def settings_with(**given: Any) -> Settings:
    """Read the settings, those that were given on the command line before all others."""
    return read_settings(**{name: value for name, value in given.items() if value is not None})


def address_of(settings: Settings) -> str | None:
    """Give the address of the database that the settings name."""
    return str(settings.database_url) if settings.database_url else None


def given_database(settings: Settings) -> str:
    """Give the address of the database that the settings must name."""
    url = address_of(settings)
    if url is None:
        raise CannotGoOn(
            "LINTAS_DATABASE_URL belum diisi; untuk mencoba, jalankan `lintas all`",
            "LINTAS_DATABASE_URL is not set; to try Lintas out, run `lintas all`",
        )
    return url


def any_database(settings: Settings) -> str:
    """Give the address of the database that the settings name, or of the one that `lintas all` runs here."""
    return address_of(settings) or prepare_trial.address_of_own_database(settings.data_dir) or given_database(settings)


def has_database() -> bool:
    """Say whether the settings name a database, or `lintas all` runs one here."""
    settings = settings_with()
    return (address_of(settings) or prepare_trial.address_of_own_database(settings.data_dir)) is not None


def direct_address(settings: Settings, url: str) -> str:
    """Give the database's own address, which migrations want: what they hold, a pooler would hand to another."""
    return str(settings.database.listen_url) if settings.database.listen_url else url


def key_source_of(settings: Settings) -> KeySource | None:
    """Say where the settings have the keys of the ring come from."""
    if settings.key_ring is not None:
        return EnvironmentKeys(settings.key_ring.get_secret_value())
    return FileKeys(settings.key_ring_file) if settings.key_ring_file is not None else None


def key_ring_of(settings: Settings) -> KeyRing | None:
    """Fetch the key ring that the settings name; not for use within an event loop."""
    source = key_source_of(settings)
    if source is None:
        return None
    try:
        return KeyRing(run_to_end(source.fetch()))
    except KeyRingInvalid as error:
        variable = "LINTAS_KEY_RING" if settings.key_ring is not None else "LINTAS_KEY_RING_FILE"
        raise KeyRingInvalid("\n".join(f"{variable}: {line}" for line in str(error).splitlines())) from None


def given_key_ring(settings: Settings) -> KeyRing:
    """Read the key ring that the settings must name."""
    ring = key_ring_of(settings)
    if ring is None:
        raise CannotGoOn(
            "LINTAS_KEY_RING_FILE atau LINTAS_KEY_RING belum diisi",
            "neither LINTAS_KEY_RING_FILE nor LINTAS_KEY_RING is set",
        )
    return ring


def ring_of(settings: Settings) -> KeyRing:
    """Read the key ring that the settings name, or that of the trial that `lintas all` runs here."""
    trial = settings.data_dir / "keyring.json"
    ring = key_ring_of(settings)
    if ring is None and trial.exists():
        ring = KeyRing.read(trial)
    return ring or given_key_ring(settings)


def look_at_ledger(settings: Settings) -> None:
    """See that erasures can be written down, and warn where they cannot: nothing could be erased then."""
    if settings.erasure_ledger is None:
        with suppress(OSError):
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(settings.ledger if settings.ledger.exists() else settings.ledger.parent, os.W_OK):
        log.warning("erasure_ledger_unavailable")


async def look_at_role(sessions: Sessions) -> None:
    """Warn where the role that this process works as could change what the audit holds."""
    async with sessions.begin() as tx:
        if await audit_chain.may_be_changed(tx):
            log.warning("audit_within_reach")


async def check_database(sessions: Sessions, key_ring: KeyRing) -> None:
    """See that what lies in the database can be opened and told, else CannotGoOn; wait for a database that is away."""
    while True:
        try:
            async with sessions.begin() as tx:
                migrated = await readiness.revision(tx) is not None
                cut_off = migrated and await events.is_cut_off(tx)
            flaws = await check_key_ring(sessions, key_ring) if migrated else None
            break
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("worker_waits_for_database", worker="start", error=type(error).__name__)
        await asyncio.sleep(1)
    if flaws is None:
        raise CannotGoOn("jalankan `lintas migrate` lebih dahulu", "run `lintas migrate` first")
    if flaws:
        raise unfit(flaws)
    if cut_off:
        raise CannotGoOn(
            "basis data ini dipulihkan dari dump: jalankan `lintas repair-feed` lebih dahulu",
            "this database was restored from a dump: run `lintas repair-feed` first",
        )


_FLAWS = {
    Flaw.MISSING: (
        "data disegel dengan kunci yang tidak ada di gantungan kunci: {}",
        "data was sealed under keys that the key ring does not hold: {}",
    ),
    Flaw.WRONG: (
        "kunci di gantungan kunci bukan kunci yang dikenal basis data ini; idnya sama, isinya lain: {}",
        "keys of the key ring are not the ones that this database knows; same id, other bytes: {}",
    ),
    Flaw.WRONG_HASH_KEY: (
        "hash_key di gantungan kunci bukan hash_key yang dipakai basis data ini",
        "the key ring's hash_key is not the one that this database was written with",
    ),
}


def unfit(flaws: Sequence[RingFlaw]) -> CannotGoOn:
    """Say what is wrong with a key ring."""
    found = {kind: [one.key_id for one in flaws if one.flaw is kind] for kind in Flaw}
    said = [[words.format(", ".join(found[kind])) for words in _FLAWS[kind]] for kind in Flaw if found[kind]]
    return CannotGoOn("; ".join(one[0] for one in said), "; ".join(one[1] for one in said))


def run_to_end(what: Coroutine[Any, Any, T]) -> T:
    """Run something to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(what)


def with_sessions(what: Callable[[Sessions], Coroutine[Any, Any, T]], *, longest: timedelta | None = None) -> T:
    """Do something on the database, in transactions of its own; `longest` is how long a statement of it may take."""
    url = any_database(settings_with())
    pool = Pool() if longest is None else Pool(statement=longest)

    async def once() -> T:
        engine = open_engine(url, application_name="lintas cli", pool=pool)
        try:
            return await what(sessions_of(engine))
        finally:
            await engine.dispose()

    return run_to_end(once())


def without_limits(url: str, what: Callable[[Sessions], Coroutine[Any, Any, T]]) -> T:
    """Do something on the database of an address, however long a statement of it takes."""

    async def once() -> T:
        engine = open_for_migrations(url)
        try:
            return await what(sessions_of(engine))
        finally:
            await engine.dispose()

    return run_to_end(once())


def revision_at(url: str) -> str | None:
    """Give the migration that the database of an address stands at; None if it was never migrated."""

    async def look(sessions: Sessions) -> str | None:
        async with sessions.begin() as tx:
            return await readiness.revision(tx)

    return without_limits(url, look)


def in_transaction(what: Callable[[AsyncSession], Coroutine[Any, Any, T]]) -> T:
    """Do something on the database, in one transaction."""

    async def once(sessions: Sessions) -> T:
        async with sessions.begin() as tx:
            return await what(tx)

    return with_sessions(once)


def print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in columns, nothing cut short: what is shown is there to be copied."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
