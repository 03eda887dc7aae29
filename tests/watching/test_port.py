"""Every process shows on a port of its own how it is and what it counts, whatever its database does."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import metrics
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.storage.sealing import KeyRing
from app.workflows.seed import seed
from chaos.wire import Fate
from tests.conftest import KeyFactory
from tests.watching.numbers import of, read
from tests.watching.processes import a_door, becomes, lintas, status
from tests.workflows.conftest import PPU, a_referral

Sessions = async_sessionmaker[AsyncSession]
SOON = 4.0
"""Seconds; what must happen within two may take longer on a machine that does much else."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=SOON, trust_env=False) as client:
        yield client


@pytest.fixture
async def seeded(sessions: Sessions, clock: SettableClock) -> Sessions:
    async with sessions.begin() as tx:
        await seed(tx, clock())
    return sessions


@pytest.mark.usefixtures("seeded")
async def test_a_worker_says_how_it_is_and_what_it_counts(
    tmp_path: Path, key_ring: KeyRing, database_url: str, client: httpx.AsyncClient
) -> None:
    async with lintas(tmp_path, key_ring, database_url, "work") as worker:
        await becomes(client, f"{worker.watched_at}/health/ready", 200)
        ready = await client.get(f"{worker.watched_at}/health/ready")
        numbers = read((await client.get(f"{worker.watched_at}/metrics")).text)
        found = [await status(client, f"{worker.watched_at}{path}") for path in ("/health/live", "/health/startup")]
        nothing = await status(client, f"{worker.watched_at}/v1/referrals")

    assert ready.headers["content-type"] == "application/health+json"
    assert {"claims:age", "clocks:age", "clock:skew"} <= ready.json()["checks"].keys()
    assert (found, nothing) == ([200, 200], 404)
    assert of(numbers, "lintas_ready") == of(numbers, "lintas_database_up") == 1
    assert of(numbers, "lintas_offers_open", urgency="emergency") == 0
    assert of(numbers, "lintas_months_ahead") == 4
    assert of(numbers, "lintas_claim_looks_total", result="done") >= 1


async def test_a_worker_that_waits_for_its_database_is_alive_and_not_ready(
    tmp_path: Path, key_ring: KeyRing, client: httpx.AsyncClient
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    async with lintas(tmp_path, key_ring, nowhere, "work") as worker:
        await becomes(client, f"{worker.watched_at}/health/live", 200)
        ready = await client.get(f"{worker.watched_at}/health/ready")
        started = await status(client, f"{worker.watched_at}/health/startup")
        numbers = read((await client.get(f"{worker.watched_at}/metrics")).text)

    assert (ready.status_code, started) == (503, 503)
    assert ready.json()["checks"] == {"database:responseTime": [{"status": "fail", "componentType": "datastore"}]}
    assert of(numbers, "lintas_database_up") == 0
    assert not any(name == "lintas_offers_open" for name, _ in numbers), "what is not known is not shown"
    assert "nobody" not in ready.text


@pytest.mark.parametrize("fate", ["refused", "silent"])
async def test_readiness_follows_the_database_under_load_and_no_request_hangs(
    tmp_path: Path,
    key_ring: KeyRing,
    database_url: str,
    seeded: Sessions,
    a_key: KeyFactory,
    client: httpx.AsyncClient,
    fate: str,
) -> None:
    key = await a_key(PPU, Role.SENDER)
    lasted: list[float] = []
    answered: dict[int, int] = {}
    over = asyncio.Event()
    assert seeded

    async def send_on_and_on() -> None:
        async with httpx.AsyncClient(timeout=15, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as sender:
            number = 0
            while not over.is_set():
                number += 1
                began = asyncio.get_running_loop().time()
                headers = {"Idempotency-Key": f"{id(sender)}-{number}"}
                sent = await sender.post(f"{api.served_at}/v1/referrals", json=a_referral(), headers=headers)
                answered[sent.status_code] = answered.get(sent.status_code, 0) + 1
                lasted.append(asyncio.get_running_loop().time() - began)

    async with (
        a_door(database_url) as door,
        lintas(
            tmp_path,
            key_ring,
            door.address(database_url),
            "serve",
            LINTAS_DATABASE__STATEMENT_TIMEOUT="2",
            LINTAS_RATE_LIMIT__PER_KEY="0",
        ) as api,
    ):
        for at in (api.served_at, api.watched_at):
            await becomes(client, f"{at}/health/ready", 200)
        async with asyncio.TaskGroup() as senders:
            for _ in range(6):
                senders.create_task(send_on_and_on())
            for _ in range(2):
                before = answered.get(201, 0)
                if fate == "refused":
                    await door.shut()
                else:
                    door.lose(Fate.SILENT)
                await asyncio.gather(
                    *(becomes(client, f"{at}/health/ready", 503, within=SOON) for at in (api.served_at, api.watched_at))
                )
                assert await status(client, f"{api.served_at}/health/live") == 200
                if fate == "refused":
                    await door.reopen()
                else:
                    door.heal()
                await asyncio.gather(
                    *(becomes(client, f"{at}/health/ready", 200, within=SOON) for at in (api.served_at, api.watched_at))
                )
                async with asyncio.timeout(30):
                    while answered.get(201, 0) < before + 3:  # noqa: ASYNC110 - another task counts
                        await asyncio.sleep(0.05)
            over.set()

    assert answered.keys() <= {201, 503}
    assert answered[201] > 0
    assert max(lasted) < 14, "every request had an answer"


async def test_a_port_that_is_taken_stops_the_start_and_is_named(
    tmp_path: Path, key_ring: KeyRing, database_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with lintas(tmp_path, key_ring, database_url, "work", LINTAS_METRICS__PORT=port) as worker:
            ended = await asyncio.wait_for(worker.process.wait(), 30)

    assert ended == 1
    assert "LINTAS_METRICS__PORT" in worker.log.read_text()


@pytest.mark.usefixtures("seeded")
async def test_without_a_port_nothing_is_shown(
    tmp_path: Path, key_ring: KeyRing, database_url: str, client: httpx.AsyncClient
) -> None:
    async with lintas(tmp_path, key_ring, database_url, "serve", LINTAS_METRICS__PORT="") as api:
        await becomes(client, f"{api.served_at}/health/ready", 200)

        assert await status(client, f"{api.served_at}/metrics") == 404
        assert await status(client, f"{api.watched_at}/metrics") == 0


async def test_the_log_line_of_a_request_names_the_case_it_was_about(
    tmp_path: Path, key_ring: KeyRing, database_url: str, seeded: Sessions, a_key: KeyFactory, client: httpx.AsyncClient
) -> None:
    key = await a_key(PPU, Role.SENDER)
    assert seeded
    async with lintas(tmp_path, key_ring, database_url, "serve") as api:
        await becomes(client, f"{api.served_at}/health/ready", 200)
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
        sent = await client.post(f"{api.served_at}/v1/referrals", json=a_referral(), headers=headers)
        scraped = read((await client.get(f"{api.watched_at}/metrics")).text)

    lines = [json.loads(line) for line in api.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [one for one in lines if one.get("route") == "/v1/referrals"]
    assert (line["referral_id"], line["request_id"]) == (sent.json()["id"], sent.headers["x-request-id"])
    assert of(scraped, "lintas_referrals_received_total", urgency="standard") == 1
    labels = {"method": "POST", "route": "/v1/referrals", "status": "2xx"}
    assert of(scraped, "lintas_http_request_duration_seconds_count", **labels) == 1
    assert {name.removesuffix("_bucket") for name, _ in scraped if name.startswith("lintas_")} <= {
        f"{name}{end}" for name in metrics.DESCRIBED for end in ("", "_count", "_sum")
    }
