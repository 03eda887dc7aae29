import asyncio
import socket
import threading
from datetime import timedelta

import pytest

from app.delivery.post import Deadlines, open_post
from app.delivery.resolver import Found
from app.domain.addresses import Reach
from app.domain.retry import Answer, Detail, Phase
from app.storage.tables import attempts
from tests.delivery.posting import NAMES, answer_of, resolving
from tests.delivery.receivers import (
    a_receiver,
    answering,
)
from tests.delivery.world import LOOPBACK, SHORT, World, has_attempts, until
from tests.domain.hostile_urls import HOSTILE

REFUSED = Answer(failed=Phase.ADDRESS, detail=Detail.ADDRESS_NOT_ALLOWED)
UNRESOLVED = Answer(failed=Phase.DNS, detail=Detail.NAME_UNRESOLVED)


async def test_a_private_address_is_refused_unless_it_is_opened() -> None:
    async with a_receiver() as receiver:
        trial = Reach(allow_http=True)
        assert await answer_of(receiver.url, reach=trial) == REFUSED
        assert await answer_of(receiver.url, reach=LOOPBACK) == Answer(204)

    assert len(receiver.received) == 1


async def test_a_name_with_one_private_address_is_refused_altogether() -> None:
    async with a_receiver() as receiver:
        url = receiver.url.replace("127.0.0.1", "receiver.example")
        look_up = resolving("8.8.8.8", "127.0.0.1")

        assert await answer_of(url, reach=Reach(allow_http=True), look_up=look_up) == REFUSED

    assert not receiver.received


async def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to() -> None:
    async with a_receiver() as receiver:
        look_up = resolving("127.0.0.1")

        answer = await answer_of(receiver.url.replace("127.0.0.1", "receiver.example"), reach=NAMES, look_up=look_up)

    assert answer == Answer(204)
    assert look_up.asked == 1
    assert receiver.received[0].headers["host"].startswith("receiver.example")


async def test_a_name_that_is_bound_anew_to_a_private_address_is_refused() -> None:
    addresses = [["127.0.0.1"], ["10.0.0.1"]]

    def rebinding(_host: str, port: int) -> Found:
        found = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)) for address in found]

    async with a_receiver(answering(204, headers={"connection": "close"})) as receiver:
        url = receiver.url.replace("127.0.0.1", "receiver.example")
        async with open_post(NAMES, deadlines=SHORT, look_up=rebinding) as post:
            first = await post(url, b"{}", {})
            second = await post(url, b"{}", {})

    assert first == Answer(204)
    assert second == REFUSED


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "127.0.0.1.", "0", "0x7f.1"])
async def test_a_disguised_address_is_refused_before_anything_is_looked_up(host: str) -> None:
    look_up = resolving("8.8.8.8")

    answer = await answer_of(f"https://{host}:8443/", look_up=look_up, reach=Reach(LOOPBACK.networks, allow_http=True))

    assert answer == REFUSED
    assert look_up.asked == 0


async def test_a_mail_address_is_never_posted_to() -> None:
    look_up = resolving("8.8.8.8")

    assert await answer_of("mailto:a@b.example", look_up=look_up, reach=Reach(sends_mail=True)) == REFUSED
    assert look_up.asked == 0


async def test_no_hostile_url_is_looked_up_or_connected_to() -> None:
    look_up = resolving("8.8.8.8")
    urls = [url for urls in HOSTILE.values() for url in urls]

    async with open_post(Reach(), deadlines=SHORT, look_up=look_up) as post:
        answers = {url: await post(url, b"{}", {}) for url in urls}

    assert {url: answer for url, answer in answers.items() if answer != REFUSED} == {}
    assert look_up.asked == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "1.1.1.1", "9.9.9.9", "169.254.169.254"],
        ["::1"],
        ["2606:4700:4700::1111", "fd00::1"],
        ["8.8.8.8", "::ffff:127.0.0.1"],
        ["64:ff9b::10.0.0.1"],
        ["2002:7f00:1::1"],
        ["fe80::1%eth0"],
        ["8.8.8.8", "0.0.0.0"],  # noqa: S104 - this machine, to Linux
        ["not an address"],
        ["8.8.8.8", ""],
    ],
)
async def test_a_name_any_of_whose_addresses_is_not_public_is_refused(addresses: list[str]) -> None:
    look_up = resolving(*addresses)

    assert await answer_of("https://rebound.example/", reach=Reach(), look_up=look_up) == REFUSED
    assert look_up.asked == 1


async def test_a_name_is_looked_up_and_judged_at_every_attempt(world: World) -> None:
    bound_to = ["127.0.0.1"]

    def look_up(_host: str, port: int) -> Found:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (one, port)) for one in bound_to]

    async with (
        a_receiver(answering(500, 204, headers={"connection": "close"})) as receiver,
        open_post(NAMES, deadlines=SHORT, look_up=look_up) as post,
    ):
        await world.endpoint(receiver.url.replace("127.0.0.1", "rebound.example"), reach=NAMES)
        await world.tell()
        async with world.delivering(post=post):
            await until(lambda: has_attempts(world, 1))
            bound_to[:] = ["10.0.0.1"]
            world.clock.ahead += timedelta(seconds=10)
            await until(lambda: has_attempts(world, 2))
            bound_to[:] = ["127.0.0.1"]
            world.clock.ahead += timedelta(minutes=10)
            await until(lambda: has_attempts(world, 3))

    assert await world.attempts() == [(1, "status", 500), (2, "address", None), (3, "delivered", 204)]
    assert [row.detail for row in await world.rows(attempts)] == [None, "address_not_allowed", None]
    assert len(receiver.received) == 2


async def test_ipv6_is_posted_to_as_well() -> None:
    async with a_receiver(host="::1") as receiver:
        assert await answer_of(receiver.url) == Answer(204)
        assert await answer_of(receiver.url, reach=Reach(allow_http=True)) == REFUSED


async def test_a_name_without_an_address_fails_at_the_name() -> None:
    def fail(_host: str, _port: int) -> Found:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    assert await answer_of("https://gone.example/", look_up=fail) == UNRESOLVED
    assert await answer_of("https://empty.example/", look_up=resolving()) == UNRESOLVED


async def test_a_name_server_that_hangs_holds_up_nobody_else() -> None:
    ended = threading.Event()

    def hang(host: str, port: int) -> Found:
        if host.startswith("dead"):
            ended.wait(60)
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    patient = Deadlines(total=60.0, resolve=60.0)
    async with a_receiver() as receiver, open_post(NAMES, deadlines=patient, look_up=hang) as post:
        dead = [asyncio.ensure_future(post(f"https://dead{n}.example/", b"{}", {})) for n in range(100)]
        await asyncio.sleep(0)
        alive = await post(receiver.url.replace("127.0.0.1", "alive.example"), b"{}", {})
        waiting = [one for one in dead if not one.done()]
        ended.set()
        answers = await asyncio.gather(*dead)

    assert alive == Answer(204)
    assert len(waiting) == 100
    assert set(answers) == {UNRESOLVED}


async def test_a_name_server_that_hangs_costs_no_more_than_the_time_to_resolve() -> None:
    ended = threading.Event()

    def hang(_host: str, _port: int) -> Found:
        ended.wait(60)
        return []

    async with open_post(NAMES, deadlines=SHORT, look_up=hang) as post, asyncio.timeout(30):
        answer = await post("https://dead.example/", b"{}", {})
    ended.set()

    assert answer == UNRESOLVED
