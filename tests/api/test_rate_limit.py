"""One caller cannot take everybody's share, and who tries keys is stopped."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import httpx
import pytest

from app.api.bearer import secret_in
from app.api.dependencies import CurrentCaller
from app.api.rate_limit import MOST_BUCKETS, Buckets, _key, address_of
from app.api.route import v1_router
from app.domain.caller import Role
from tests.api.issuers import OTHER_RSA, an_issuer, tokens_of
from tests.api.stopwatch import Stopwatch
from tests.conftest import ClientFactory, KeyFactory

router = v1_router("pings")
NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@router.get("/ping")
async def ping(_: CurrentCaller) -> dict[str, bool]:
    """Answer."""
    return {"pong": True}


async def get(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.get("/v1/ping", headers={"Authorization": f"Bearer {key}"})


async def test_a_key_that_asks_too_much_waits_and_others_do_not(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, requests_per_key=5)
    busy, calm = await a_key("dp3a-kukar", Role.SENDER), await a_key("dp3ap2kb-ppu", Role.SENDER)

    answers = [await get(client, busy) for _ in range(8)]

    # The first is not counted: it is not known yet that the key is one.
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert answers[1].headers["RateLimit-Policy"] == '"key";q=5;w=60'
    assert answers[1].headers["RateLimit"].startswith('"key";r=4;t=')
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert (await get(client, calm)).status_code == 200


async def test_a_key_is_one_key_however_its_header_is_written(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, requests_per_key=5)
    key = await a_key("dp3a-kukar", Role.SENDER)
    ways = [f"Bearer {key}", f"bearer {key}", f"BEARER  {key}", f"bEaReR   {key}", f"Bearer \t{key} "]

    answers = [await client.get("/v1/ping", headers={"Authorization": way}) for way in ways * 2]

    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 4


@pytest.mark.parametrize(
    "written",
    ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a,b", "Bearer \u00e4", "Bearer " + "a" * 501],
)
def test_what_is_no_bearer_key_has_no_bucket_of_its_own(written: str) -> None:
    headers = [(b"authorization", written.encode())]

    assert _key({"headers": headers}) == ""
    assert secret_in(headers) is None
    assert secret_in([(b"authorization", b"Bearer abc")] * 2) is None


async def test_who_tries_keys_is_stopped_and_who_has_one_is_not(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, failures_per_address=3)
    known, late = await a_key("dp3a-kukar", Role.SENDER), await a_key("dp3ap2kb-ppu", Role.SENDER)
    assert (await get(client, known)).status_code == 200

    guesses = [await get(client, f"guess-{number}") for number in range(6)]

    assert [answer.status_code for answer in guesses] == [401] * 3 + [429] * 3
    assert (await get(client, known)).status_code == 200
    assert (await get(client, late)).status_code == 429, "a key never seen may be another guess"
    assert (await client.get("/health/live")).status_code == 200


async def test_the_tokens_of_one_holder_are_counted_as_one(a_client: ClientFactory, a_key: KeyFactory) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    async with an_issuer() as issuer:
        client = await a_client(router, requests_per_key=5, tokens=tokens_of(issuer), real_clock=lambda: NOW)

        answers = [await get(client, issuer.token(NOW, jti=str(number))) for number in range(8)]
        other = await get(client, issuer.token(NOW, sub="another"))

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert answers[0].headers["RateLimit"].startswith('"key";r=4;t=')
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert other.status_code == 200


async def test_who_tries_tokens_is_stopped_and_who_has_one_is_not(a_client: ClientFactory, a_key: KeyFactory) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    async with an_issuer() as issuer:
        client = await a_client(router, failures_per_address=3, tokens=tokens_of(issuer), real_clock=lambda: NOW)
        known = issuer.token(NOW)
        assert (await get(client, known)).status_code == 200

        guesses = [await get(client, issuer.token(NOW, key=OTHER_RSA, jti=str(number))) for number in range(6)]

        assert [answer.status_code for answer in guesses] == [401] * 3 + [429] * 3
        assert (await get(client, known)).status_code == 200


async def test_behind_a_proxy_failures_are_counted_by_the_address_that_it_saw(a_client: ClientFactory) -> None:
    proxy = (ip_network("10.0.0.0/8"),)
    client = await a_client(router, failures_per_address=2, address="10.0.0.1", forwarding=proxy)

    def guess(number: int, forwarded: str) -> Awaitable[httpx.Response]:
        headers = {"Authorization": f"Bearer guess-{number}", "X-Forwarded-For": forwarded}
        return client.get("/v1/ping", headers=headers)

    statuses = [(await guess(number, "198.51.100.7")).status_code for number in range(4)]
    # What it was told before is of the guesser's own making: the last that the proxy adds counts.
    statuses += [(await guess(number, f"203.0.113.{number}, 198.51.100.7")).status_code for number in range(4, 7)]

    assert statuses == [401] * 2 + [429] * 5
    assert (await guess(9, "198.51.100.8")).status_code == 401


async def test_from_elsewhere_than_a_proxy_the_forwarded_address_is_nothing(a_client: ClientFactory) -> None:
    proxy = (ip_network("10.0.0.0/8"),)
    client = await a_client(router, failures_per_address=2, address="192.0.2.1", forwarding=proxy)

    answers = [
        await client.get(
            "/v1/ping", headers={"Authorization": f"Bearer guess-{n}", "X-Forwarded-For": f"198.51.100.{n}"}
        )
        for n in range(5)
    ]

    assert [answer.status_code for answer in answers] == [401] * 2 + [429] * 3


def test_a_bucket_fills_up_again() -> None:
    clock = Stopwatch()
    buckets = Buckets(60, clock)

    assert sum(buckets.take("a") for _ in range(100)) == 60
    assert buckets.wait("a") == 1
    clock.seconds = 10
    assert sum(buckets.take("a") for _ in range(100)) == 10
    clock.seconds = 10_000
    assert sum(buckets.take("a") for _ in range(100)) == 60


def test_no_number_of_strangers_fills_the_memory() -> None:
    buckets = Buckets(60, Stopwatch())

    for number in range(MOST_BUCKETS + 10):
        buckets.take(str(number))

    assert len(buckets._by_name) == MOST_BUCKETS


def test_a_host_cannot_hide_among_its_own_addresses() -> None:
    def named(address: str) -> str:
        return address_of({"client": (address, 1)})

    assert named("2001:db8::1") == named("2001:db8::ffff:2")
    assert named("2001:db8:0:1::1") != named("2001:db8::1")
    assert named("::ffff:192.0.2.1") == named("192.0.2.1") == str(ip_address("192.0.2.1"))
    assert address_of({"client": None}) == named("nonsense") == "unknown"
