"""One trace leads from a sender's POST to the receiver's answer, told by ids and codes alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import select

from app import tracing
from app.domain.addresses import Reach
from app.domain.caller import Role
from app.storage.sealing import KeyRing
from app.storage.tables import events
from app.workflows.seed import seed
from tests.conftest import KeyFactory
from tests.delivery.world import LOOPBACK, World, until
from tests.watching.processes import Running, becomes, lintas
from tests.workflows.conftest import PPU, RECEIVER, a_referral

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass
class Told:
    """What a collector of traces and a receiver of webhooks on this machine were told."""

    address: str = ""
    exports: list[bytes] = field(default_factory=list)
    webhooks: list[dict[str, str]] = field(default_factory=list)

    def spans(self) -> list[dict[str, Any]]:
        """List every span that was exported."""
        found = []
        for body in self.exports:
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                of = {one.key: one.value.string_value for one in resource.resource.attributes}
                for scope in resource.scope_spans:
                    found += [
                        {
                            "name": span.name,
                            "trace": span.trace_id.hex(),
                            "id": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "process": of["lintas.process"],
                            "said": {one.key: one.value.string_value or one.value.int_value for one in span.attributes},
                            "events": len(span.events),
                        }
                        for span in scope.spans
                    ]
        return found

    def named(self, name: str) -> list[dict[str, Any]]:
        """List the spans of a name."""
        return [span for span in self.spans() if span["name"] == name]


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    told = Told()

    async def export(request: web.Request) -> web.Response:
        told.exports.append(await request.read())
        return web.Response(content_type="application/x-protobuf")

    async def hook(request: web.Request) -> web.Response:
        await request.read()
        told.webhooks.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/v1/traces", export)
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    told.address = f"http://{host}:{port}"
    yield told
    await runner.cleanup()


@asynccontextmanager
async def a_house(
    place: Path, key_ring: KeyRing, database_url: str, world: World, a_key: KeyFactory, told: Told, **environment: str
) -> AsyncIterator[tuple[httpx.AsyncClient, Running, Running]]:
    """Run API and workers, with an agency that is told by webhook, and give a sender's client."""
    async with world.sessions.begin() as tx:
        await seed(tx, world.clock())
    await world.endpoint(f"{told.address}/hook", agency=RECEIVER, reach=Reach(LOOPBACK.networks, allow_http=True))
    given = {"LINTAS_WEBHOOK__ALLOW_HTTP": "true", "LINTAS_WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8"} | environment
    headers = {"Authorization": f"Bearer {await a_key(PPU, Role.SENDER)}"}
    async with (
        lintas(place, key_ring, database_url, "serve", **given) as api,
        lintas(place, key_ring, database_url, "work", **given) as worker,
        httpx.AsyncClient(timeout=20, trust_env=False, headers=headers, base_url=api.served_at) as sender,
    ):
        await becomes(sender, f"{api.watched_at}/health/ready", 200)
        await becomes(sender, f"{worker.watched_at}/health/ready", 200)
        yield sender, api, worker


def libraries_of(process: int) -> str:
    return Path(f"/proc/{process}/maps").read_text()


async def send(sender: httpx.AsyncClient, **headers: str) -> dict[str, Any]:
    body = a_referral()
    answer = await sender.post(
        "/v1/referrals", json=body, headers={"Idempotency-Key": body["sender_reference"], **headers}
    )
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "request_id": answer.headers["x-request-id"]}


async def test_one_trace_leads_from_the_senders_post_to_the_receivers_answer(
    tmp_path: Path, key_ring: KeyRing, database_url: str, world: World, a_key: KeyFactory, told: Told
) -> None:
    on = {"LINTAS_TRACING__ENDPOINT": told.address}
    async with a_house(tmp_path, key_ring, database_url, world, a_key, told, **on) as (sender, api, _):
        referral = await send(sender, traceparent=f"00-{TRACE}-{SPAN}-01")
        await until(lambda: bool(told.named("deliver webhook") and told.named("POST /v1/referrals")), within=60)

    (served,), (posted,) = told.named("POST /v1/referrals"), told.named("deliver webhook")
    assert (served["trace"], served["parent"], served["process"]) == (TRACE, SPAN, "api")
    assert (posted["trace"], posted["parent"], posted["process"]) == (TRACE, served["id"], "worker")
    assert served["said"] == {
        "http.request.method": "POST",
        "http.route": "/v1/referrals",
        "http.response.status_code": 201,
        "lintas.request_id": referral["request_id"],
        "lintas.referral_id": referral["id"],
    }
    assert posted["said"]["lintas.referral_id"] == referral["id"]
    assert (posted["said"]["lintas.outcome"], posted["said"]["http.response.status_code"]) == ("delivered", 204)
    assert [hook["traceparent"] for hook in told.webhooks] == [f"00-{TRACE}-{posted['id']}-01"]
    assert {name for span in told.spans() for name in span["said"]} <= tracing.ATTRIBUTES
    assert all(span["events"] == 0 for span in told.spans())
    assert not any(secret in body for body in told.exports for secret in (b"Contoh", b"64.0", PPU.encode(), b"/hook"))
    assert f'"trace_id": "{TRACE}"' in api.log.read_text()


async def test_a_trace_id_that_could_be_somebodys_number_is_not_taken_over(
    tmp_path: Path, key_ring: KeyRing, database_url: str, world: World, a_key: KeyFactory, told: Told
) -> None:
    number = "00000000000000006402065708940001"
    on = {"LINTAS_TRACING__ENDPOINT": f"{told.address}/v1/traces"}
    async with a_house(tmp_path, key_ring, database_url, world, a_key, told, **on) as (sender, api, _):
        await send(sender, traceparent=f"00-{number}-{SPAN}-01")
        await send(sender, traceparent="nobody's", tracestate="name=Contoh")
        await until(lambda: len(told.webhooks) == 2, within=60)
        await until(lambda: len(told.named("POST /v1/referrals")) == 2, within=60)

    traces = {span["trace"] for span in told.named("POST /v1/referrals")}
    assert len(traces) == 2
    assert number not in traces
    assert {hook["traceparent"][3:35] for hook in told.webhooks} == traces
    assert not any("tracestate" in hook for hook in told.webhooks)
    assert number not in api.log.read_text()


async def test_where_nothing_is_traced_nothing_is_kept_sent_or_loaded(
    tmp_path: Path, key_ring: KeyRing, database_url: str, world: World, a_key: KeyFactory, told: Told
) -> None:
    async with a_house(tmp_path, key_ring, database_url, world, a_key, told) as (sender, api, _):
        await send(sender, traceparent=f"00-{TRACE}-{SPAN}-01")
        await until(lambda: bool(told.webhooks), within=60)
        loaded = libraries_of(api.process.pid)

    async with world.sessions.begin() as tx:
        kept = set(await tx.scalars(select(events.c.traceparent)))
    assert kept == {None}
    assert told.exports == []
    assert "traceparent" not in told.webhooks[0]
    assert "google/_upb" not in loaded, "what writes OTLP is not even loaded"


async def test_a_collector_that_is_away_holds_nobody_up(
    tmp_path: Path, key_ring: KeyRing, database_url: str, world: World, a_key: KeyFactory, told: Told
) -> None:
    on = {"LINTAS_TRACING__ENDPOINT": "http://127.0.0.1:1/v1/traces"}
    async with a_house(tmp_path, key_ring, database_url, world, a_key, told, **on) as (sender, api, worker):
        for _ in range(3):
            await send(sender)
        await until(lambda: len(told.webhooks) == 3, within=60)
        for one in (api, worker):
            one.process.terminate()
        ended = [await asyncio.wait_for(one.process.wait(), 15) for one in (api, worker)]

    assert ended == [0, 0]


def test_a_span_may_say_nothing_that_is_not_listed() -> None:
    with pytest.raises(AssertionError):
        tracing.plain("lintas__name", "Contoh")
