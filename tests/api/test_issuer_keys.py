"""The issuer's keys are fetched when they are needed, kept while it is away, and never fetched in a storm."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.api.issuer_keys import DEADLINE, LARGEST, HttpKeySource, Issuer, IssuerKeys, KeysUnavailable
from app.domain.access_token import TokenFault, TokenRefused
from app.domain.caller import Role
from tests.api.issuers import OTHER_RSA, RSA, TokenIssuer, an_issuer, tokens_of
from tests.api.notes import router
from tests.api.stopwatch import Stopwatch
from tests.conftest import ClientFactory, KeyFactory

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer that signs with an RSA key."""
    async with an_issuer() as found:
        yield found


async def test_keys_are_fetched_once_for_any_number_of_tokens(issuer: TokenIssuer) -> None:
    tokens = tokens_of(issuer)

    await asyncio.gather(*(tokens.holder(issuer.token(NOW), now=NOW) for _ in range(20)))

    assert issuer.asked == 1


async def test_a_new_key_is_fetched_when_a_token_names_it_and_an_old_one_is_forgotten(issuer: TokenIssuer) -> None:
    clock = Stopwatch()
    tokens = tokens_of(issuer, clock)
    await tokens.holder(issuer.token(NOW), now=NOW)
    old = issuer.token(NOW)
    clock.seconds = 11

    issuer.keys = {"second": OTHER_RSA}
    await tokens.holder(issuer.token(NOW, kid="second"), now=NOW)

    assert issuer.asked == 2
    with pytest.raises(TokenRefused) as refused:
        await tokens.holder(old, now=NOW)
    assert refused.value.fault is TokenFault.KEY


async def test_unknown_keys_have_the_issuer_asked_once_and_then_not_for_a_while(issuer: TokenIssuer) -> None:
    clock = Stopwatch()
    tokens = tokens_of(issuer, clock)
    await tokens.holder(issuer.token(NOW), now=NOW)
    clock.seconds = 11

    async def strange(number: int) -> TokenFault:
        with pytest.raises(TokenRefused) as refused:
            await tokens.holder(issuer.token(NOW, kid=f"strange-{number}", key=RSA), now=NOW)
        return refused.value.fault

    faults = await asyncio.gather(*(strange(number) for number in range(200)))
    faults += [await strange(number) for number in range(200, 300)]

    assert set(faults) == {TokenFault.KEY}
    assert issuer.asked == 2
    clock.seconds = 22
    await strange(1)
    assert issuer.asked == 3


async def test_while_the_issuer_is_away_its_keys_count_for_a_time(issuer: TokenIssuer) -> None:
    clock = Stopwatch()
    tokens = tokens_of(issuer, clock)
    await tokens.holder(issuer.token(NOW), now=NOW)
    issuer.status = 503

    for clock.seconds in range(300, 3600, 300):
        await tokens.keys.refresh()
        await tokens.holder(issuer.token(NOW), now=NOW)
    clock.seconds = 3600
    with pytest.raises(KeysUnavailable):
        await tokens.holder(issuer.token(NOW), now=NOW)

    issuer.status = 200
    clock.seconds += 10
    await tokens.holder(issuer.token(NOW), now=NOW)


async def test_keys_are_renewed_beside_the_requests(issuer: TokenIssuer) -> None:
    clock = Stopwatch()
    tokens = tokens_of(issuer, clock)

    await tokens.keys.refresh()
    await tokens.keys.refresh()
    clock.seconds = 299
    await tokens.keys.refresh()
    assert issuer.asked == 1
    clock.seconds = 300
    await tokens.keys.refresh()
    await tokens.holder(issuer.token(NOW), now=NOW)
    assert issuer.asked == 2


async def test_a_token_that_nobody_can_verify_now_is_told_to_come_again(
    a_client: ClientFactory, a_key: KeyFactory, issuer: TokenIssuer
) -> None:
    key = await a_key("dp3a-kukar", Role.SENDER)
    issuer.status = 500
    clock = Stopwatch()
    client = await a_client(router, tokens=tokens_of(issuer, clock), real_clock=lambda: NOW)
    headers = {"Authorization": f"Bearer {issuer.token(NOW)}"}

    answer = await client.get("/v1/notes", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await client.get("/v1/notes", headers={"Authorization": f"Bearer {key}"})).status_code == 200
    issuer.status, clock.seconds = 200, 10
    assert (await client.get("/v1/notes", headers=headers)).status_code == 200


async def test_no_connection_of_the_database_is_held_while_the_issuer_is_asked(
    a_client: ClientFactory, a_key: KeyFactory, issuer: TokenIssuer, engine: Any
) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    issuer.gate = asyncio.Event()
    client = await a_client(router, tokens=tokens_of(issuer), real_clock=lambda: NOW)
    headers = {"Authorization": f"Bearer {issuer.token(NOW)}"}

    asking = [asyncio.create_task(client.get("/v1/notes", headers=headers)) for _ in range(30)]
    async with asyncio.timeout(10):
        await issuer.was_asked.wait()
    held = engine.sync_engine.pool.checkedout()
    issuer.gate.set()

    assert held == 0
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}
    assert issuer.asked == 1


async def test_who_leaves_does_not_take_the_answer_from_the_others(issuer: TokenIssuer) -> None:
    issuer.gate = asyncio.Event()
    tokens = tokens_of(issuer)
    first, second = (asyncio.create_task(tokens.holder(issuer.token(NOW), now=NOW)) for _ in range(2))
    async with asyncio.timeout(10):
        await issuer.was_asked.wait()

    first.cancel()
    issuer.gate.set()

    assert (await second).agency_code == "dp3a-kukar"
    assert issuer.asked == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"says": {"issuer": "https://elsewhere.example"}}, "another issuer's"),
        ({"says": {"jwks_uri": "ftp://127.0.0.1/keys"}}, "may be fetched"),
        ({"says": {"jwks_uri": None}}, "may be fetched"),
        ({"status": 302}, "answered 302"),
        ({"body": b"a" * (LARGEST + 1)}, "answered too much"),
        ({"body": b"{"}, "KeySetUnreadable"),
        ({"body": b'{"keys": {}}'}, "KeySetUnreadable"),
        ({"body": b'{"keys": [' + b"{}," * 200 + b"{}]}"}, "KeySetUnreadable"),
    ],
    ids=["issuer", "scheme", "nowhere", "redirect", "size", "no-json", "no-list", "too-many"],
)
async def test_what_an_issuer_should_not_answer_is_said_in_the_log_and_not_taken(
    issuer: TokenIssuer, changes: dict[str, Any], why: str
) -> None:
    for name, value in changes.items():
        setattr(issuer, name, value)

    with capture_logs() as logs, pytest.raises(KeysUnavailable):
        await tokens_of(issuer).holder(issuer.token(NOW), now=NOW)

    (line,) = [line for line in logs if line["event"] == "issuer_keys_not_fetched"]
    assert why in f"{line['error']} {line['why']}"


async def test_a_key_set_over_http_is_not_fetched_from_elsewhere_than_this_machine(issuer: TokenIssuer) -> None:
    source = HttpKeySource(Issuer(issuer.url, allow_http=False))
    keys = IssuerKeys(source, clock=Stopwatch(), fresh_for=300, good_for=3600)

    with pytest.raises(KeysUnavailable):
        await keys.key("first")

    assert issuer.asked == 0


async def test_the_address_of_the_key_set_may_be_given(issuer: TokenIssuer) -> None:
    issuer.says = {"issuer": "https://elsewhere.example"}
    source = HttpKeySource(Issuer(issuer.url, f"{issuer.url}/keys", allow_http=True))

    assert (await source()).keys() == {"first"}


async def test_an_issuer_that_is_not_there_or_never_answers_is_given_up(issuer: TokenIssuer) -> None:
    nowhere = HttpKeySource(Issuer("http://127.0.0.1:9", allow_http=True))
    with pytest.raises(httpx.ConnectError):
        await nowhere()

    issuer.gate = asyncio.Event()
    silent = HttpKeySource(Issuer(issuer.url, allow_http=True))
    with pytest.raises((TimeoutError, httpx.TimeoutException)):
        async with asyncio.timeout(DEADLINE + 10):
            await silent()
