"""Whatever some receivers do, and however many they are, a healthy one gets all its news meanwhile.

It is shown by what has happened, not by time: where a post never ends by itself, it is still under way when the healthy
receiver has everything.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from app.delivery.dispatcher import Pace
from app.delivery.post import Deadlines
from app.storage.tables import deliveries
from tests.delivery.misbehaviours import FLOODING, HANGING, NO_ANSWER, POOR_ANSWERS, SLOW_TLS
from tests.delivery.receivers import Conversation, Receiver, a_bad_receiver, a_receiver
from tests.delivery.world import OTHER, World, until

PATIENT = Deadlines(total=300.0, resolve=300.0, connect=300.0, body=300.0)
"""Nothing that hangs ends before the test does."""
PACE = Pace(
    lease=timedelta(seconds=700),
    longest_post=timedelta(seconds=300),
    poll=timedelta(milliseconds=50),
    concurrency=16,
    slow_after=timedelta(milliseconds=200),
    drain=timedelta(milliseconds=100),
)
ENDLESS_BODIES = {name: POOR_ANSWERS[name][1] for name in ("never closes", "trickles its body", "trickles chunks")} | {
    "has a chunk of a giant size": POOR_ANSWERS["has a chunk of a giant size"][1]
}
HOLDING: Mapping[str, Conversation] = {**HANGING, **ENDLESS_BODIES, **SLOW_TLS}
REFUSING: Mapping[str, Conversation] = {**FLOODING, **NO_ANSWER}


def address_of(receiver: Receiver, name: str) -> str:
    return receiver.url.replace("http:", "https:") if name in SLOW_TLS else receiver.url


async def under_way(world: World) -> int:
    return sum(row.claim is not None for row in await world.rows(deliveries))


async def still_due(world: World) -> int:
    return (await world.states()).count("due")


@pytest.mark.parametrize("name", HOLDING)
async def test_who_never_lets_go_holds_nobody_else_up(world: World, name: str) -> None:
    async with a_bad_receiver(HOLDING[name]) as bad, a_receiver() as good:
        for _ in range(6):
            await world.endpoint(address_of(bad, name), agency=OTHER)
        await world.endpoint(good.url)
        await world.tell(agency=OTHER, times=5)
        async with world.delivering(pace=PACE, deadlines=PATIENT):
            await until(lambda: bad.connections >= PACE.concurrency)  # every place is taken
            await world.tell(times=40)
            await until(lambda: len(good.received) == 40)
            held = await under_way(world)

    assert held >= PACE.concurrency, "they are under way still"


@pytest.mark.parametrize("name", REFUSING)
async def test_who_answers_with_nothing_but_nonsense_holds_nobody_else_up(world: World, name: str) -> None:
    async with a_bad_receiver(REFUSING[name]) as bad, a_receiver() as good:
        for _ in range(6):
            await world.endpoint(bad.url, agency=OTHER)
        await world.endpoint(good.url)
        await world.tell(agency=OTHER, times=20)
        async with world.delivering(pace=PACE, deadlines=PATIENT):
            await until(lambda: bad.connections >= 6)
            await world.tell(times=40)
            await until(lambda: len(good.received) == 40)
            left = await still_due(world)

    assert left >= 6 * 20, "they have taken nothing"


async def test_all_of_them_at_once_hold_nobody_else_up(world: World) -> None:
    everything = {**HOLDING, **REFUSING, **{name: talk for name, (_, talk) in POOR_ANSWERS.items()}}
    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(a_receiver())
        bad = []
        for place, (name, talk) in enumerate(everything.items()):
            receiver = await stack.enter_async_context(a_bad_receiver(talk))
            await world.endpoint(address_of(receiver, name), agency=f"agency-{place}")
            await world.tell(agency=f"agency-{place}", times=5)
            bad.append(receiver)
        await world.endpoint(good.url)
        async with world.delivering(pace=PACE, deadlines=PATIENT):
            await until(lambda: all(receiver.connections for receiver in bad), within=30)
            await world.tell(times=100)
            await until(lambda: len(good.received) == 100, within=30)
            held = await under_way(world)

    assert held >= len(HOLDING)


async def test_more_hanging_posts_than_there_are_places_leave_places_to_others(world: World) -> None:
    async with a_bad_receiver(HANGING["says nothing"]) as bad, a_receiver() as good:
        for _ in range(40):
            await world.endpoint(bad.url, agency=OTHER)
        await world.endpoint(good.url)
        await world.tell(agency=OTHER, times=4)
        async with world.delivering(pace=PACE, deadlines=PATIENT):
            await until(lambda: bad.connections == 160)  # ten times the places, and all of them hang
            await world.tell(times=40)
            await until(lambda: len(good.received) == 40)
            held = await under_way(world)

    assert held >= 160
