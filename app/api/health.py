"""Whether this process lives, is ready, and has started: for whoever runs it, and without a key."""

import asyncio
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage import events, readiness, ring_checks

DEADLINE = 1.0
"""Seconds in which the database must have answered everything."""

log = structlog.get_logger()
router = APIRouter(prefix="/health", tags=["health"])

Result = Literal["ok", "failed"]


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests can be served, and what stands in the way."""

    status: Result
    checks: dict[str, Result]


NOT_READY = {
    "model": Readiness,
    "content": {
        "application/json": {
            "examples": {
                "database": {
                    "summary": "The database does not answer.",
                    "value": {"status": "failed", "checks": {"database": "failed"}},
                }
            }
        }
    },
}


class Readying:
    """Looks whether the process is ready: one look at a time, however many ask, and never for long."""

    def __init__(self, app: FastAPI, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._state = app.state
        self._sessions = sessions
        self._registry_read = False
        self._look: asyncio.Task[dict[str, Result]] | None = None
        self.started = False

    async def checks(self) -> dict[str, Result]:
        """Give each check's result within the deadline; what hangs has failed."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._all())
        look = self._look
        done, _ = await asyncio.wait({look}, timeout=DEADLINE)
        if not done:
            # Not waited for: to end a connection that hangs may hang as well.
            look.cancel()
            return {"database": "failed"}
        if look.cancelled():
            return {"database": "failed"}
        results = look.result()
        self.started = self.started or "failed" not in results.values()
        return results

    async def _all(self) -> dict[str, Result]:
        results: dict[str, Result] = {"database": "failed"}
        try:
            async with self._sessions.begin() as tx:
                found, expected = await readiness.revision(tx), self._state.revision
                at_head = expected is None or (found or "") >= expected  # ahead is a newer version, rolled out
                results |= {"database": "ok", "migrations": "ok" if at_head else "failed"}
                if at_head:
                    results |= {"key_ring": "failed", "feed": "failed", "registry": "failed"}
                    flawed = await ring_checks.flaws(tx, self._state.key_ring)
                    results["key_ring"] = "failed" if flawed or not self._state.ring_checked.is_set() else "ok"
                    results["feed"] = "failed" if await events.is_cut_off(tx) else "ok"
                    if not self._registry_read:
                        # Once is enough: to ask again is to wait for whoever publishes, and readiness waits for nobody.
                        await self._state.reference.current(tx)
                    self._registry_read = True
                    results["registry"] = "ok"
        except Exception as error:  # noqa: BLE001 - whatever it is, the process is not ready, and says so
            log.warning("not_ready", error=type(error).__name__)
        return results


async def readying(request: Request) -> Readying:
    """Give the one that looks."""
    found: Readying = request.app.state.readying
    return found


Looks = Annotated[Readying, Depends(readying)]


@router.get("/live")
async def check_liveness() -> Liveness:
    """Say that the process answers. If it does not, start it anew."""
    return Liveness()


@router.get("/ready", responses={503: {**NOT_READY, "description": "Not ready"}})
async def check_readiness(looks: Looks, response: Response) -> Readiness:
    """Say whether requests can be served: database, migrations, key ring, feed, registry. If not, go elsewhere."""
    return _answer(await looks.checks(), response)


@router.get("/startup", responses={503: {**NOT_READY, "description": "Not started yet"}})
async def check_startup(looks: Looks, response: Response) -> Readiness:
    """Say whether the process has been ready once."""
    if looks.started:
        return Readiness(status="ok", checks={})
    return _answer(await looks.checks(), response)


def _answer(checks: dict[str, Result], response: Response) -> Readiness:
    failed = "failed" in checks.values()
    response.status_code = 503 if failed else 200
    return Readiness(status="failed" if failed else "ok", checks=checks)
