"""The whole service in this process, as `lintas all` runs it, but on whatever business clock it is given."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from socket import create_server

from app.domain.caller import Role
from app.domain.clock import BusinessClock
from app.main import serve
from app.service import Service, compose
from app.settings import RateLimitSettings, Settings, WebhookSettings
from app.storage.migrating import head
from app.storage.sealing import KeyRing
from app.workers import work
from app.workflows.issue_key import issue_key
from app.workflows.seed import seed

HOST = "127.0.0.1"
READY_WITHIN = 20.0
ROLES = (Role.SENDER, Role.RECEIVER, Role.COORDINATOR)
FALLBACK_COORDINATOR = "lpsk"
"""Whom the operator of the demonstration named for what no coordinator may see."""


@asynccontextmanager
async def lintas(
    database_url: str, clock: BusinessClock | None = None, *, name: str = "demo", per_key: int = 0
) -> AsyncIterator[Service]:
    """Run API and workers on a free port and a migrated database, until left; by real time if no clock is given.

    A key may ask `per_key` times a minute; 0 is no limit.
    """
    with create_server((HOST, 0), backlog=1024) as listener:
        settings = Settings(
            host=HOST,
            port=listener.getsockname()[1],
            public_url=None,
            fallback_coordinator=FALLBACK_COORDINATOR,
            webhook=WebhookSettings.model_validate({"allow_http": True, "allow_networks": "127.0.0.0/8"}),
            rate_limit=RateLimitSettings(per_key=per_key, failures_per_address=0),
            stop_within=timedelta(seconds=2),
        )
        service = compose(
            settings, url=database_url, key_ring=KeyRing.generate(name), name=name, clock=clock, revision=head()
        )
        async with service.sessions.begin() as tx:
            await seed(tx, service.clock())
        stop, hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(service, listener, stop, hurry, ready.set))
                tasks.create_task(work(service, stop))
                try:
                    await asyncio.wait_for(ready.wait(), READY_WITHIN)
                    yield service
                finally:
                    stop.set()
        finally:
            await service.engine.dispose()


async def issue_keys(service: Service, agencies: Iterable[str]) -> dict[str, str]:
    """Issue a key to each agency, with every role but the operator's."""
    async with service.sessions.begin() as tx:
        return {
            agency: (await issue_key(tx, agency_code=agency, roles=ROLES, label="demo")).secret for agency in agencies
        }
