"""The rounds: referrals keep coming while something breaks, then all is mended and everybody must be at work again."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import text

from chaos.faults import FAULTS, Scene
from chaos.town import DEADLY, UNSEALABLE, Town, answered, posts_recorded
from chaos.units import Unit

WORKS_AGAIN_WITHIN = 60.0
QUIET_WITHIN = 420.0
HURRIED_AFTER = 15.0
SESSIONS_END_WITHIN = 60.0
LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to."""

    number: int
    faults: tuple[str, ...]
    referrals: int
    posts: int
    recovered_in: float
    """Seconds from the mending until every API was ready and every worker had posted."""
    findings: tuple[str, ...]


async def run_round(
    town: Town, number: int, faults: tuple[str, ...], chance: random.Random, *, referrals: int, lasts: float
) -> Round:
    """Break things while so many referrals come in so many seconds, mend them, and see that everybody works again."""
    scene = Scene(town.house, town.postgres, chance, town.engine)
    before, posts, findings = answered(town), posts_recorded(town), len(town.house.findings)
    await town.senders.order({"send": referrals, "over": lasts})
    began = monotonic()
    async with asyncio.TaskGroup() as tasks:
        for fault in faults:
            tasks.create_task(_after(lasts * chance.uniform(0.1, 0.5), lambda fault=fault: FAULTS[fault](scene)))  # type: ignore[misc]
    await asyncio.sleep(max(0.0, lasts - (monotonic() - began)))
    mended = monotonic()
    _mend(town)
    await town.house.until_ready()
    await _until_all_post(town)
    return Round(
        number=number,
        faults=faults,
        referrals=answered(town) - before,
        posts=posts_recorded(town) - posts,
        recovered_in=monotonic() - mended,
        findings=tuple(town.house.findings[findings:]),
    )


async def _after(seconds: float, what: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(seconds)
    await what()


def _mend(town: Town) -> None:
    for unit in town.house.units:
        unit.wire.heal()
        unit.send(signal.SIGCONT)
        if unit.clock is not None:
            unit.clock.write_text("0")


async def _until_all_post(town: Town) -> None:
    """Ping until every worker has posted something; one that does not is a finding, and is started anew."""
    workers = [unit for unit in town.house.units if not unit.serves]
    for unit in workers:
        unit.mark()
    patience = monotonic() + WORKS_AGAIN_WITHIN
    agencies = [(id_, agency) for id_, (agency, _) in town.endpoints.items() if agency not in {UNSEALABLE, DEADLY}]
    while silent := [unit for unit in workers if not unit.said_since(b'"posted"')]:
        if monotonic() > patience:
            for unit in silent:
                _find_silent(town, unit)
            return
        async with asyncio.TaskGroup() as tasks:
            for id_, agency in agencies[:6]:
                tasks.create_task(town.door.call(town.keys[agency], "POST", f"/endpoints/{id_}/ping"))
        agencies = agencies[6:] + agencies[:6]
        await asyncio.sleep(LOOK_EVERY)


def _find_silent(town: Town, unit: Unit) -> None:
    answered_ago = monotonic() - unit.wire.answered_at
    town.house.findings.append(
        f"{unit.name} has posted nothing for {WORKS_AGAIN_WITHIN:.0f} s after all was mended "
        f"(the database last answered it {answered_ago:.0f} s ago)"
    )
    unit.kill()


async def quiesce(town: Town) -> list[str]:
    """Let everybody finish what they began, with nothing broken, until nothing is due; say what did not end."""
    trouble: list[str] = []
    for person in town.receivers:
        await person.say("calm")
    if (code := await town.senders.end()) != 0:
        trouble.append(f"the senders did not have all referrals answered (exit {code})")
    patience, hurry = monotonic() + QUIET_WITHIN, monotonic() + HURRIED_AFTER
    quiet = 0
    while quiet < 3:
        if monotonic() > patience:
            trouble.append(f"{await _due(town)} deliveries were still due {QUIET_WITHIN:.0f} s after all was mended")
            break
        if monotonic() > hurry:
            await _hurry(town)
            hurry = monotonic() + HURRIED_AFTER
        # Agencies answer what they took, which is news again: it is quiet when it stays so.
        quiet = quiet + 1 if await _due(town) == 0 else 0
        await asyncio.sleep(1)
    trouble += await _sessions_left(town)
    for person in town.receivers:
        if (code := await person.end()) != 0:
            trouble.append(f"a receiver did not end in order (exit {code})")
    return trouble


async def _due(town: Town) -> int:
    async with town.engine.begin() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM deliveries WHERE state = 'due'")) or 0)


async def _hurry(town: Town) -> None:
    """Have sent now what waits for minutes or hours, as an agency does that was down: pause and enable."""
    async with town.engine.begin() as connection:
        later = await connection.execute(
            text(
                "SELECT DISTINCT endpoint_id FROM deliveries WHERE state = 'due' AND claim IS NULL"
                " AND (due_at > now() + interval '10 seconds'"
                " OR endpoint_id IN (SELECT id FROM endpoints WHERE breaker_opened_at IS NOT NULL))"
            )
        )
        waiting = [str(row.endpoint_id) for row in later]
    for id_ in waiting:
        agency, _ = town.endpoints[id_]
        if agency in {UNSEALABLE, DEADLY}:
            continue
        for action in ("pause", "enable"):
            await town.door.call(town.keys[agency], "POST", f"/endpoints/{id_}/{action}")


async def _sessions_left(town: Town) -> list[str]:
    """See that no session of Lintas sits in a transaction and does nothing."""
    left = text(
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        " AND application_name LIKE 'lintas%' AND now() - state_change > interval '5 seconds'"
    )
    patience = monotonic() + SESSIONS_END_WITHIN
    while True:
        async with town.engine.begin() as connection:
            found = int(await connection.scalar(left) or 0)
        if found == 0:
            return []
        if monotonic() > patience:
            return [f"{found} sessions are idle in a transaction {SESSIONS_END_WITHIN:.0f} s after all was mended"]
        await asyncio.sleep(1)


async def seen_as_failed(town: Town) -> list[str]:
    """See that an agency finds its poisoned news among its deliveries, failed, with the attempts that were made."""
    trouble = []
    for event_id, endpoint_id in town.poisoned.items():
        agency, _ = town.endpoints[endpoint_id]
        _, page = await town.door.call(town.keys[agency], "GET", f"/endpoints/{endpoint_id}/deliveries?state=failed")
        found = [one for one in page.get("items", ()) if one["event_id"] == event_id]
        if not found:
            trouble.append(f"{agency} does not see that {event_id} failed")
            continue
        _, tried = await town.door.call(town.keys[agency], "GET", f"/deliveries/{found[0]['id']}/attempts")
        if not tried.get("items") or tried["items"][-1]["outcome"] != "internal":
            trouble.append(f"{agency} does not see why {event_id} failed")
    return trouble
