"""What is planted where nothing of a person belongs: in refused bodies, addresses, queries, headers and heads."""

import asyncio
import itertools
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx

from tests.leaks.canaries import MARK, NATIONAL_ID
from tests.leaks.cases import Cases, filled
from tests.leaks.world import SENDER, World

SAID = f"{MARK}9998 {NATIONAL_ID}"
AT_ONCE = 4


async def send_wrongly(world: World, cases: Cases) -> None:
    """Ask for everything there is with what was planted in each place of the request; none of it is taken."""
    asks = (ask for operation in world.contract.operations() for ask in _wrong(world, cases, *operation))
    await _some_at_once(asks)
    await _some_at_once(_by_no_right(world, cases))
    for head in _no_http(world):
        await _raw(world, head)
    body = filled(world, "/v1/referrals")
    for broken in _broken_referrals(body):
        answer = await world.call(SENDER, "POST", "/v1/referrals", json=broken)
        assert answer.status_code in {400, 422}, answer.text


def _wrong(
    world: World, cases: Cases, method: str, path: str, operation: Mapping[str, Any]
) -> Iterator[Awaitable[object]]:
    has_body = world.contract.body_of(method, path) is not None
    in_path = world.contract.parameters(operation, "path")
    queries = dict.fromkeys(world.contract.parameters(operation, "query"), SAID)
    # What takes no body would be done: it is asked of what is not there.
    ids = {name: cases.ids[name] if has_body or method == "GET" else str(uuid4()) for name in in_path}
    at, nowhere = path.format(**ids), path.format(**dict.fromkeys(in_path, SAID))
    if in_path:
        yield world.call(SENDER, method, nowhere)
    yield world.call(SENDER, method, at, params={**queries, SAID: SAID})
    yield world.call(
        SENDER,
        method,
        at,
        headers={"Accept": f"text/{MARK}", "If-Match": SAID, "If-None-Match": SAID},
        params={SAID: SAID},
    )
    if not has_body:
        return
    as_json = {"Content-Type": "application/json", "If-Match": "*"}
    yield world.call(SENDER, method, at, json=_wrong_throughout(world, method, path), headers={"If-Match": "*"})
    yield world.call(SENDER, method, at, content=f'{{"{SAID}": "{SAID}', headers=as_json)
    yield world.call(SENDER, method, at, content=f'"{SAID}"', headers=as_json)
    yield world.call(SENDER, method, at, content=SAID.encode("utf-16"), headers=as_json)
    yield world.call(SENDER, method, at, content=SAID, headers={"Content-Type": f"text/{MARK}"})
    yield world.call(SENDER, method, at, content=SAID, headers=as_json | {"Content-Encoding": MARK})
    yield world.call(SENDER, method, at, data={SAID: SAID})


def _wrong_throughout(world: World, method: str, path: str) -> dict[str, Any]:
    """Give a body with what was planted in the place of everything, and under a name that is not there."""
    schema = world.contract.body_of(method, path) or {}
    names = [text.partition(".")[0].partition("[")[0] for text in world.contract.texts_of(schema)]
    return dict.fromkeys(names, SAID) | {SAID: SAID, "name": {SAID: [SAID]}}


def _broken_referrals(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give referrals that are wrong in one place, which everything around it is judged with."""
    yield body | {"sender_reference": [SAID]}
    yield body | {"urgency": SAID}
    yield body | {SAID: SAID}
    yield body | {"case": {"types": [SAID], "place": SAID, "relation_to_perpetrator": SAID, MARK.upper(): 1}}
    yield body | {"victim": {"name": MARK + "\0", "birth_date": SAID, "national_id": SAID, "age": SAID, "sex": SAID}}
    yield body | {"victim": body["victim"] | {"age": 3}}
    yield body | {"locations": {"incident": SAID}, "conflicts": [SAID, SAID], "avoid_regions": [SAID]}
    yield body | {"consent": SAID}
    yield body | {"consent": {"basis": SAID, "given_at": SAID, "services": [SAID], "agencies_refused": [SAID]}}
    yield body | {"consent": body["consent"] | {"relation": SAID, "law": SAID, "expires_at": SAID}}
    yield body | {"services": [{"type": SAID, "note": SAID}, {"type": SAID}]}
    yield body | {"narrative": SAID * 3_000, "purpose": SAID * 1_000}
    yield body | {"victim": body["victim"] | {"safe_contact": {"phone": SAID * 100, MARK: SAID}}}


def _by_no_right(world: World, cases: Cases) -> Iterator[Awaitable[object]]:
    """Call with what is no key, no token and no certificate."""
    at = f"/v1/referrals/{cases.open}"
    token = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + MARK + "."
    for given in (f"Bearer lintas_sender_{MARK}", f"Bearer {token}", f"Basic {MARK}", SAID, f"Bearer {SAID}"):
        yield world.call(None, "GET", at, headers={"Authorization": given})
    yield world.call(None, "POST", "/v1/referrals", json={SAID: SAID})
    yield world.call(SENDER, MARK, at)
    yield world.call(SENDER, "GET", f"/{MARK}/{NATIONAL_ID}?{MARK}={MARK}")
    yield world.call(SENDER, "OPTIONS", at, headers={"Access-Control-Request-Method": MARK})
    for key in (SAID, MARK * 40, f"{MARK}\xe9".encode("latin-1")):
        yield world.call(SENDER, "POST", "/v1/referrals", json={}, headers={"Idempotency-Key": key})
    yield world.call(SENDER, "POST", "/v1/referrals", content=SAID.encode() * 200_000)


def _no_http(world: World) -> Iterator[bytes]:
    mark, key = SAID.encode(), world.keys[SENDER].encode()
    yield b"GET /" + mark + b" HTTP/9.9\r\n\r\n"
    yield mark + b"\r\n\r\n"
    yield b"GET /v1/events HTTP/1.1\r\nHost: " + mark + b"\r\nHost: " + mark + b"\r\n\r\n"
    yield b"GET /v1/events HTTP/1.1\r\nHost: x\r\n" + mark * 4_000 + b"\r\n\r\n"
    yield b"GET /v1/events HTTP/1.1\r\nHost: x\r\nUpgrade: " + mark + b"\r\nConnection: upgrade\r\n\r\n"
    head = b"POST /v1/referrals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
    head += b"\r\nIdempotency-Key: half\r\nContent-Type: application/json\r\n"
    yield head + b"Transfer-Encoding: chunked\r\n\r\n" + mark + b"\r\n\r\n"
    # Who begins to tell, and leaves.
    yield head + b'Content-Length: 9999\r\n\r\n{"narrative": "' + mark


async def _raw(world: World, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.api.port)
    writer.write(head)
    with suppress(OSError, TimeoutError):
        await writer.drain()
        world.heard(repr(head[:30]), await asyncio.wait_for(reader.read(65_536), 0.5))
    writer.close()


async def _some_at_once(asks: Iterator[Awaitable[object]]) -> None:
    while batch := list(itertools.islice(asks, AT_ONCE)):
        await asyncio.gather(*map(_refused, batch))


async def _refused(ask: Awaitable[object]) -> None:
    # Who sends too much, or no HTTP, may be hung up on while it still sends.
    with suppress(httpx.TransportError):
        await ask
