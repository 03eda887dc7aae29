"""A sandbox and the real thing have nothing in common: neither keys nor routes, neither files nor database."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi.routing import iter_route_contexts

from app.domain.caller import Role
from app.main import ROUTERS, create_app
from app.service import compose
from app.settings import Settings
from app.storage import api_keys
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from tests.cli.test_all import keys_in, running
from tests.conftest import ClientFactory, KeyFactory
from tests.sandbox.integrator import AGENCIES, ENVIRONMENT, FIRST, STARTS_WITHIN, Integrator, Told, started

SAYS_SO = {"lintas-sandbox": "true"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `lintas all` told the person who started it."""
    with running(tmp_path_factory.mktemp("real").resolve()) as (_, told):
        yield told


def address_of(told: str) -> str:
    return next(word for word in told.split() if word.startswith("http://"))


async def test_the_real_service_refuses_every_key_of_a_sandbox(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Any
) -> None:
    secret = api_keys.new_secret([Role.SENDER], sandbox=True)
    await a_key("dp3ap2kb-ppu", Role.SENDER)
    async with sessions.begin() as tx:
        # Even where it is there: a sandbox's database was given to the real service.
        await api_keys.add(
            tx, secret=secret, agency_code="dp3ap2kb-ppu", roles=[Role.SENDER], label="", expires_at=None
        )

    refused = await (await a_client(*ROUTERS, key=secret)).get("/v1/referrals")
    taken = await (await a_client(*ROUTERS, key=secret, terms=Terms(sandbox=True))).get("/v1/keys")

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert "sandbox_key" in refused.headers["www-authenticate"]
    assert taken.status_code == 200


async def test_a_sandbox_refuses_every_key_of_the_real_service(a_client: ClientFactory, a_key: KeyFactory) -> None:
    secret = await a_key("dp3ap2kb-ppu", Role.SENDER)

    refused = await (await a_client(*ROUTERS, key=secret, terms=Terms(sandbox=True))).get("/v1/keys")
    taken = await (await a_client(*ROUTERS, key=secret)).get("/v1/keys")

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert "real_key" in refused.headers["www-authenticate"]
    assert taken.status_code == 200


async def test_running_side_by_side_neither_takes_the_others_keys(real: str, integrator: Integrator) -> None:
    real_key, own_key = keys_in(real)["sender"], integrator.told.keys["sender"]
    at_home, in_sandbox = address_of(real), integrator.told.api

    async with httpx.AsyncClient(trust_env=False) as client:

        async def asked(at: str, key: str) -> int:
            answer = await client.get(f"{at}/v1/keys", headers={"Authorization": f"Bearer {key}"})
            return answer.status_code

        found = [await asked(at, key) for at in (at_home, in_sandbox) for key in (real_key, own_key)]

    assert own_key.startswith("lintas_sandbox_sender_")
    assert not real_key.startswith("lintas_sandbox_")
    assert found == [200, 401, 401, 200]


async def test_a_key_that_is_rotated_in_a_sandbox_stays_one_of_a_sandbox(integrator: Integrator) -> None:
    key_id = (await integrator.ask("sender", "GET", "/keys")).json()["items"][-1]["id"]

    rotated = await integrator.ask("sender", "POST", f"/keys/{key_id}/rotate", {"old_valid_for": "PT0S"})

    assert rotated.status_code == 201, rotated.text
    assert rotated.json()["secret"].startswith("lintas_sandbox_sender_")
    assert (await integrator.ask(rotated.json()["secret"], "GET", "/keys")).status_code == 200
    assert (await integrator.ask("sender", "GET", "/keys")).status_code == 401


def test_the_real_service_has_no_route_of_the_sandbox() -> None:
    service = compose(Settings(), url="postgresql://localhost/none", key_ring=KeyRing.generate("none"), name="test")

    api = create_app(service)

    paths = [context.path or "" for context in iter_route_contexts(api.routes)]

    assert len(paths) > 90
    assert not [path for path in paths if "sandbox" in path or path.startswith("/agencies")]
    # A receiver is told by which header it knows a sandbox's webhooks; there is nothing else to be told of it.
    assert "sandbox" not in json.dumps(api.openapi()["paths"])


async def test_the_real_service_answers_nothing_at_the_sandboxs_addresses(real: str) -> None:
    async with httpx.AsyncClient(base_url=address_of(real), trust_env=False) as client:
        answers = [
            await client.get("/sandbox"),
            await client.post("/sandbox/clock/advance", json={"by": "PT1H"}),
            await client.post(f"/agencies/{FIRST}/webhook", json={}),
            await client.get("/health/live"),
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 200]
    assert not [answer for answer in answers if "lintas-sandbox" in answer.headers]


async def test_every_answer_of_a_sandbox_says_that_it_is_one(integrator: Integrator) -> None:
    host, _, port = integrator.told.api.removeprefix("http://").partition(":")
    async with httpx.AsyncClient(base_url=integrator.told.api, trust_env=False) as client:
        answers = [
            await client.get("/health/ready"),
            await client.get("/v1/nothing"),
            await client.get("/v1/keys"),
            await integrator.control("GET", "/clock"),
            await integrator.control("GET", "/nothing"),
        ]
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"this is not HTTP\r\n\r\n")
        unread = (await reader.read()).decode()
        writer.close()

    assert [answer.status_code for answer in answers] == [200, 404, 401, 200, 404]
    assert all(SAYS_SO.items() <= dict(answer.headers).items() for answer in answers)
    assert "lintas-sandbox: true" in unread.lower()
    assert "400" in unread.splitlines()[0]


@pytest.mark.parametrize(
    "headers",
    [{"Host": "lintas.attacker.example:80"}, {"Host": "127.0.0.1.example:80"}, {"Origin": "https://page.example"}],
)
async def test_no_page_in_a_browser_controls_a_sandbox(integrator: Integrator, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=integrator.told.control, trust_env=False) as client:
        answer = await client.post("/sandbox/reset", headers=headers)

    assert answer.status_code == 403


async def test_a_reset_makes_everything_as_it_was_at_first(integrator: Integrator) -> None:
    referral_id = await integrator.send()
    await integrator.behave(FIRST, offers="silent")
    await integrator.ask("receiver", "POST", "/endpoints", {"url": "http://127.0.0.1:9/hook"})
    await integrator.advance("P2D")

    answer = await integrator.done("POST", "/reset")

    assert {one["role"]: one["secret"] for one in answer["keys"]} == integrator.told.keys
    assert (await integrator.done("GET", "/clock"))["ahead_seconds"] == 0
    assert (await integrator.ask("sender", "GET", f"/referrals/{referral_id}")).status_code == 404
    assert (await integrator.ask("receiver", "GET", "/endpoints")).json()["items"] == []
    assert (await integrator.done("GET", "/sent"))["items"] == []
    agencies = {one["agency"]: one["behaviour"] for one in (await integrator.done("GET", "/agencies"))["items"]}
    assert agencies[FIRST]["offers"] == "accept"
    yours = {agency for agency, behaviour in agencies.items() if behaviour["played_by"] == "you"}
    assert yours == set(AGENCIES.values())


async def test_the_control_describes_itself_and_is_as_it_says(integrator: Integrator) -> None:
    async with httpx.AsyncClient(base_url=integrator.told.control, trust_env=False) as client:
        document = (await client.get("/openapi.json")).json()
    shown = await integrator.done("GET", "/agencies")

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/sandbox",
        "/sandbox/reset",
        "/sandbox/keys",
        "/sandbox/clock",
        "/sandbox/clock/advance",
        "/sandbox/agencies",
        "/sandbox/agencies/{agency}/behaviour",
        "/sandbox/sent",
        "/sandbox/sent/{delivery_id}/resend",
        "/sandbox/event-types",
        "/sandbox/events",
    }
    schema = {"$ref": "#/components/schemas/Agencies", "components": document["components"]}
    jsonschema.validate(shown, schema)


def test_it_keeps_to_its_own_directory_whatever_the_environment_says_and_goes_on_where_it_was(tmp_path: Path) -> None:
    place = tmp_path.resolve()
    environment = {
        "LINTAS_DATABASE_URL": "postgresql://lintas@127.0.0.1:1/real",
        "LINTAS_DATA_DIR": str(place / ".lintas"),
        "LINTAS_KEY_RING": "real",
        "LINTAS_PUBLIC_URL": "https://lintas.example",
    }
    with started(place, **environment) as told:
        keys, first = told.keys, httpx.get(f"{told.control}/sandbox", trust_env=False).json()
        moved = post(told, "/clock/advance", {"by": "P1D"})
        command = told.text[told.text.index("curl") :].partition("\n\n")[0]
        sent = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603, S607
    with started(place, **environment) as again:
        second = httpx.get(f"{again.control}/sandbox", trust_env=False).json()
        key = {"Authorization": f"Bearer {keys['sender']}"}
        referrals = httpx.get(f"{again.api}/v1/referrals", headers=key, trust_env=False).json()["items"]
        assert again.keys == keys
    files = {one.name for one in place.iterdir()}

    assert first["sandbox"]
    assert second["now"] > moved["now"]
    assert [one["id"] for one in referrals] == [json.loads(sent.stdout)["id"]]
    assert files == {".lintas-sandbox", "told.txt", "log.txt"}
    assert "nothing here is real" in told.text
    assert "tidak ada yang nyata" in told.text


def test_a_port_that_is_taken_is_said_in_both_languages(told: Told, tmp_path: Path) -> None:
    port = told.api.rpartition(":")[2]

    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app.cli", "sandbox", "--port", port],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert answer.returncode == 1
    assert "tidak dapat dipakai" in answer.stderr
    assert "cannot be used" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def post(told: Told, path: str, body: Any) -> Any:
    return httpx.post(f"{told.control}/sandbox{path}", json=body, timeout=60, trust_env=False).json()


async def test_who_comes_before_the_sandbox_has_begun_waits_for_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_port = int(taken.getsockname()[1])
    told = threading.Event()

    def begin() -> None:
        with started(tmp_path, "--control-port", str(free_port)):
            told.wait(STARTS_WITHIN)

    running = asyncio.create_task(asyncio.to_thread(begin))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port}", trust_env=False, timeout=60) as client:
            async with asyncio.timeout(STARTS_WITHIN):
                while not running.done():
                    try:
                        answer = await client.post("/sandbox/reset")
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.02)
            keys = (await client.get("/sandbox")).json()["keys"]
    finally:
        told.set()
        await running

    assert answer.status_code == 200
    assert answer.json()["keys"] == keys
