"""Tokens, certificates and forwarded addresses, on the service as its entry point puts it together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.caller import Role
from app.domain.client_certificate import HeaderForm, KnownBy, Presented
from app.domain.clock import SettableClock
from app.main import compose, listen, serve
from app.settings import CertificateSettings, RateLimitSettings, Settings, TokenSettings
from app.storage.sealing import KeyRing
from app.workflows.register_certificate import register_certificate
from app.workflows.seed import seed
from tests.api.issuers import AUDIENCE, an_issuer

Sessions = async_sessionmaker[AsyncSession]
LOOPBACK = ip_network("127.0.0.0/8")
FINGERPRINT = "ab" * 32


@asynccontextmanager
async def served(url: str, key_ring: KeyRing, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Serve with these settings on a port of its own."""
    service = compose(Settings(**settings), url=url, key_ring=key_ring, name="tests")
    listener = listen("127.0.0.1", 0)
    stop, hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(serve(service, listener, stop, hurry, ready.set))
    try:
        async with asyncio.timeout(30):
            await ready.wait()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield client
    finally:
        stop.set()
        hurry.set()
        async with asyncio.timeout(30):
            await running
        await service.engine.dispose()
        await service.health_engine.dispose()


@pytest.fixture
async def seeded(sessions: Sessions, clock: SettableClock) -> Sessions:
    """The agencies that ship."""
    async with sessions.begin() as tx:
        await seed(tx, clock())
    return sessions


@pytest.mark.usefixtures("seeded")
async def test_an_issuer_that_does_not_answer_keeps_nobody_from_starting_and_stopping(
    database_url: str, key_ring: KeyRing
) -> None:
    async with an_issuer() as issuer:
        issuer.gate = asyncio.Event()
        settings = TokenSettings(issuer=issuer.url, audience=AUDIENCE)
        async with served(database_url, key_ring, tokens=settings) as client:
            async with asyncio.timeout(30):
                # It looks for the keys by itself, beside what it serves.
                await issuer.was_asked.wait()
            assert (await client.get("/health/live")).status_code == 200


@pytest.mark.usefixtures("seeded")
async def test_a_token_is_taken_by_real_time_over_a_real_socket(database_url: str, key_ring: KeyRing) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - tokens are judged by real time
    async with an_issuer() as issuer:
        settings = TokenSettings(issuer=issuer.url, audience=AUDIENCE)
        async with served(database_url, key_ring, tokens=settings) as client:
            good = await client.get("/v1/events", headers={"Authorization": f"Bearer {issuer.token(now)}"})
            late = issuer.token(now, exp=int(now.timestamp()) - 60)
            bad = await client.get("/v1/events", headers={"Authorization": f"Bearer {late}"})

    assert good.status_code == 200, good.text
    assert bad.status_code == 401
    assert bad.headers["WWW-Authenticate"].endswith('error_description="expired"')


async def test_the_certificate_counts_by_who_sent_it_and_the_limit_by_the_address_it_names(
    database_url: str, seeded: Sessions, key_ring: KeyRing
) -> None:
    async with seeded.begin() as tx:
        await register_certificate(
            tx,
            agency_code="dp3a-kukar",
            presented=Presented(KnownBy.FINGERPRINT, FINGERPRINT),
            roles=[Role.SENDER],
        )
    believed = CertificateSettings(header="X-Client-Cert", form=HeaderForm.FINGERPRINT, proxies=(LOOPBACK,))
    elsewhere = CertificateSettings(
        header="X-Client-Cert", form=HeaderForm.FINGERPRINT, proxies=(ip_network("10.0.0.0/8"),)
    )
    limits = RateLimitSettings(failures_per_address=2)
    headers = {"X-Client-Cert": FINGERPRINT, "X-Forwarded-For": "198.51.100.7"}

    async with served(database_url, key_ring, certificates=believed, rate_limit=limits) as client:
        # The address that the proxy passes on is the client's; whether it is believed goes by its own.
        taken = await client.get("/v1/events", headers=headers)
        guesses = [
            await client.get("/v1/events", headers={**headers, "X-Client-Cert": quote(f"{number:064x}")})
            for number in range(4)
        ]
        other = await client.get("/v1/events", headers={"X-Client-Cert": "cd" * 32, "X-Forwarded-For": "198.51.100.8"})
        again = await client.get("/v1/events", headers=headers)
    async with served(database_url, key_ring, certificates=elsewhere) as client:
        refused = await client.get("/v1/events", headers=headers)

    assert taken.status_code == again.status_code == 200
    assert [answer.status_code for answer in guesses] == [401, 401, 429, 429]
    assert other.status_code == refused.status_code == 401
