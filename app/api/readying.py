"""Whether a process is ready: looked at once at a time, however many ask, and never for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import metrics
from app.api.validation import ReferenceSource
from app.domain.progress import Progress
from app.storage import events, readiness, ring_checks
from app.storage.database import is_passing
from app.storage.reference import REGISTRY_LOCK
from app.storage.ring_checks import Flaw
from app.storage.sealing import KeyRing

DEADLINE = 1.0
"""Seconds in which the database must have answered everything."""
GIVEN_UP_AFTER = 5.0
"""Seconds after which a look that has not ended is not waited for."""
MOST_LOOKS = 2
SKEWED = 5.0
"""Seconds between the clocks of machine and database from which on it is said. Nothing goes by the machine's clock,
so nobody is turned away for it; but one of the two is wrong, and receivers hold signatures against their own."""

Status = Literal["pass", "warn", "fail"]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found of one thing."""

    status: Status
    component: Literal["component", "datastore", "system"]
    value: float | None = None
    unit: Literal["ms", "s"] | None = None


Checks = dict[str, Check]
"""By what was looked at, as the draft names it: `database:responseTime`."""
_NO_DATABASE = {"database:responseTime": Check("fail", "datastore")}


@dataclass(frozen=True, slots=True)
class Process:
    """What is looked at of a process."""

    sessions: async_sessionmaker[AsyncSession]
    key_ring: KeyRing
    ring_checked: asyncio.Event
    reference: ReferenceSource
    revision: str | None
    """The migration that this version was written for; None is whichever."""
    skew: Callable[[AsyncSession], Awaitable[timedelta]] | None = None
    """How far this machine's clock is ahead of the database's."""
    progress: Progress | None = None
    """Of the workers of this process, if it has any."""


class Readying:
    """Looks whether the process is ready, and whether it ever was."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._looks: dict[asyncio.Task[Checks], float] = {}
        self.started = False

    async def checks(self) -> Checks:
        """Give what was found, within the deadline; what hangs has failed."""
        self._look_anew()
        done, _ = await asyncio.wait(tuple(self._looks), timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        ended = [look for look in done if not look.cancelled()]
        found = ended[-1].result() if ended else _NO_DATABASE | self._claims()
        ready = is_ready(found)
        self.started = self.started or ready
        metrics.READY.set(ready)
        metrics.DATABASE_UP.set(found["database:responseTime"].status == "pass")
        return found

    def _look_anew(self) -> None:
        """Have one look, however many ask, and after its deadline another beside it.

        On a machine that is busy the first one may still come to its end, which many that are broken off never do; and
        where it hangs on a connection that is lost, the other finds a new one.
        """
        now = asyncio.get_running_loop().time()
        self._looks = {look: began for look, began in self._looks.items() if not look.done()}
        for look, began in self._looks.items():
            if now - began > GIVEN_UP_AFTER:
                # Not waited for: to end a connection that hangs may hang as well.
                look.cancel()
        under_way = {look: began for look, began in self._looks.items() if now - began <= GIVEN_UP_AFTER}
        latest = max(under_way.values(), default=None)
        if latest is None or (now - latest >= DEADLINE and len(under_way) < MOST_LOOKS):
            self._looks[asyncio.create_task(self._all())] = now

    async def _all(self) -> Checks:
        found: Checks = dict(_NO_DATABASE)
        for last in (False, True):
            try:
                async with self._process.sessions.begin() as tx:
                    await self._look_into(tx, found)
                break
            except Exception as error:  # noqa: BLE001 - whatever it is, the process is not ready, and says so
                # A connection that was open before the database went away says nothing of whether it is back.
                if last or not is_passing(error):
                    log.warning("not_ready", error=type(error).__name__)
                    break
        return found | self._claims()

    async def _look_into(self, tx: AsyncSession, found: Checks) -> None:
        process, began = self._process, time.perf_counter()
        revision, expected = await readiness.revision(tx), process.revision
        took = round((time.perf_counter() - began) * 1000, 1)
        at_head = expected is None or (revision or "") >= expected  # ahead is a newer version, rolled out
        found["database:responseTime"] = Check("pass", "datastore", took, "ms")
        found["database:migration"] = _check(at_head, "datastore")
        metrics.MIGRATED.set(at_head)
        if not at_head:
            return
        rest = ("keyRing:keys", "feed:continuity", "registry:version")
        found |= dict.fromkeys(rest, Check("fail", "datastore"))
        flaws = await ring_checks.flaws(tx, process.key_ring)
        for kind in Flaw:
            metrics.KEY_RING_FLAWS.labels(kind.value).set(sum(one.flaw is kind for one in flaws))
        found["keyRing:keys"] = _check(not flaws and process.ring_checked.is_set(), "component")
        found["feed:continuity"] = _check(not await events.is_cut_off(tx), "datastore")
        if process.skew is not None:
            skew = (await process.skew(tx)).total_seconds()
            metrics.CLOCK_SKEW.set(skew)
            found["clock:skew"] = Check("warn" if abs(skew) > SKEWED else "pass", "system", round(skew, 3), "s")
        found["registry:version"] = Check(await self._registry(tx), "datastore")

    async def _registry(self, tx: AsyncSession) -> Status:
        """See that the registry can be read, and read it anew where that waits for nobody who publishes."""
        source = self._process.reference
        if source.version is None:
            await source.current(tx)
        elif source.version != await readiness.registry_version(tx):
            if not await tx.scalar(select(func.pg_try_advisory_xact_lock_shared(REGISTRY_LOCK))):
                return "warn"
            await source.current(tx)
        now = await readiness.registry_version(tx)
        metrics.REGISTRY_VERSION.labels("process").set(source.version or 0)
        metrics.REGISTRY_VERSION.labels("database").set(now)
        return "pass"

    def _claims(self) -> Checks:
        progress = self._process.progress
        if progress is None:
            return {}
        return {
            f"{what}:age": Check("fail" if progress.is_stuck(what, age) else "pass", "component", round(age, 1), "s")
            for what, age in progress.ages().items()
        }


def is_ready(checks: Checks) -> bool:
    """Say whether what was found lets the process serve; what is only warned of does."""
    return all(check.status != "fail" for check in checks.values())


def _check(good: bool, component: Literal["component", "datastore", "system"]) -> Check:
    return Check("pass" if good else "fail", component)
