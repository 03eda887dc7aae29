"""A real Prometheus scrapes a running Lintas, and the alerts that matter most fire when they should and not before."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.caller import Role
from app.storage.sealing import KeyRing
from app.workflows.seed import seed
from chaos.units import free_port
from tests.conftest import KeyFactory
from tests.delivery.world import World, until
from tests.watching.processes import Running, a_door, becomes, lintas
from tests.workflows.conftest import PPU, a_referral, denied

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs prometheus: the package of that name of Debian"
)


class Prometheus:
    """A Prometheus that runs, and what it says."""

    def __init__(self, client: httpx.AsyncClient, at: str) -> None:
        self._client = client
        self._at = at

    async def firing(self) -> set[str]:
        """Name the alerts that fire now; nothing while it does not answer."""
        try:
            answer = await self._client.get(f"{self._at}/api/v1/alerts")
        except httpx.TransportError:
            return set()
        alerts: list[dict[str, Any]] = answer.json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    async def value(self, expression: str) -> float | None:
        """Give the one number of an expression."""
        try:
            answer = await self._client.get(f"{self._at}/api/v1/query", params={"query": expression})
        except httpx.TransportError:
            return None
        if answer.status_code != 200:
            return None
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    async def fires(self, *names: str) -> None:
        """Wait until all of these fire."""
        fired: set[str] = set()

        async def all_of_them() -> bool:
            fired.update(await self.firing())
            return set(names) <= fired

        try:
            await until(all_of_them, within=60)
        except AssertionError:
            raise AssertionError(f"{sorted(set(names) - fired)} did not fire; {sorted(fired)} did") from None


@asynccontextmanager
async def prometheus(place: Path, *watched: Running) -> AsyncIterator[Prometheus]:
    """Run a Prometheus with the alerts that ship, each as soon as it is so, and the given processes to scrape."""
    rules = (ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text("utf-8")
    # Who has ended is seen to claim nothing as soon as the window has passed.
    (place / "alerts.yaml").write_text(re.sub(r"(?m)^ +for: .*\n", "", rules).replace("[2m]", "[10s]"))
    targets = ", ".join(f'"{one.watched_at.removeprefix("http://")}"' for one in watched)
    (place / "prometheus.yaml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [alerts.yaml]\n"
        f"scrape_configs: [{{job_name: lintas, static_configs: [{{targets: [{targets}]}}]}}]\n"
    )
    port = free_port()
    with (place / "prometheus.log").open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={place / 'prometheus.yaml'}",
            f"--storage.tsdb.path={place / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=out,
            stderr=out,
        )
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            yield Prometheus(client, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def test_a_running_service_fires_what_wakes_somebody_and_nothing_while_all_is_well(
    tmp_path: Path, key_ring: KeyRing, database_url: str, world: World, a_key: KeyFactory
) -> None:
    async with world.sessions.begin() as tx:
        await seed(tx, world.clock())
    await world.endpoint("https://127.0.0.1:1024/hooks", agency="uptd-ppa-ppu")
    headers = {"Authorization": f"Bearer {await a_key(PPU, Role.SENDER)}"}
    async with (
        a_door(database_url) as door,
        lintas(tmp_path, key_ring, door.address(database_url), "serve") as api,
        httpx.AsyncClient(timeout=10, trust_env=False, headers=headers, base_url=api.served_at) as sender,
        lintas(tmp_path, key_ring, database_url, "work") as worker,
        prometheus(tmp_path, api, worker) as it,
    ):
        for one in (api, worker):
            await becomes(sender, f"{one.watched_at}/health/ready", 200)

        async def is_watched() -> bool:
            return await it.value("sum(lintas_ready)") == 2 and await it.value("count(lintas_offers_open)") == 6

        await until(is_watched, within=60)
        # What was absent while all of them started fires no more.
        await until(lambda: _nothing(it), within=60)

        for body in (a_referral(urgency="emergency"), denied(urgency="emergency")):
            key = {"Idempotency-Key": body["sender_reference"]}
            sent = await sender.post("/v1/referrals", json=body, headers=key)
            assert sent.status_code == 201, sent.text
        assert await _nothing(it)

        await world.execute("UPDATE referrals SET received_at = received_at - interval '20 minutes'")
        await world.execute("UPDATE service_requests SET waiting_since = waiting_since - interval '1 hour'")
        await world.execute("UPDATE data_keys SET ring_key_id = 'gone'")
        await it.fires("EmergencyWithoutTaker", "CoordinatorQueueUnacknowledged", "SealKeysMissing")

        worker.process.terminate()
        await asyncio.wait_for(worker.process.wait(), 20)
        await world.execute("UPDATE deliveries SET due_at = due_at - interval '10 minutes', claim = NULL")
        await world.execute("UPDATE endpoints SET failing_since = NULL, breaker_opened_at = NULL")
        await world.execute("UPDATE clocks SET due_at = now() - interval '5 minutes'")
        await it.fires("WorkersDown", "EmergencyNewsWaits", "ClocksStandStill", "NobodyClaims")

        await door.shut()
        for number in range(5):
            failed = await sender.post("/v1/referrals", json=a_referral(), headers={"Idempotency-Key": f"x{number}"})
            assert failed.status_code == 503
        await it.fires("IntakeFailing", "DatabaseUnreachable", "ApiDown")


async def _nothing(it: Prometheus) -> bool:
    return await it.value("count(up == 1)") is not None and await it.firing() == set()
