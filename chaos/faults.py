"""What goes wrong: each fault breaks something real, and leaves the mending to Lintas."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chaos.postgres import Postgres
from chaos.units import House, Unit
from chaos.wire import Fate


@dataclass(frozen=True, slots=True)
class Scene:
    """All that can be broken, and the chance that says what is."""

    house: House
    postgres: Postgres
    chance: random.Random
    engine: AsyncEngine
    """A way to the database of our own, past every wire."""

    def workers(self) -> list[Unit]:
        """List the workers that run."""
        return [unit for unit in self.house.units if not unit.serves and unit.alive]

    def apis(self) -> list[Unit]:
        """List the APIs that run."""
        return [unit for unit in self.house.units if unit.serves and unit.alive]

    def some(self) -> list[Unit]:
        """Choose an API and all workers but one: the rest of the service lives on."""
        return self.chance.sample(self.apis(), 1) + self.chance.sample(self.workers(), max(1, len(self.workers()) - 1))


async def kill_workers(scene: Scene) -> None:
    """SIGKILL, two to four times, a worker that is at work."""
    for _ in range(scene.chance.randint(2, 4)):
        if workers := scene.workers():
            scene.chance.choice(workers).kill()
        await asyncio.sleep(scene.chance.uniform(0.1, 1.2))


async def kill_api(scene: Scene) -> None:
    """SIGKILL an API that is answering."""
    if apis := scene.apis():
        scene.chance.choice(apis).kill()


async def freeze_worker(scene: Scene) -> None:
    """Stop a worker in whatever it does, and let it go on seconds later."""
    if workers := scene.workers():
        frozen = scene.chance.choice(workers)
        frozen.send(signal.SIGSTOP)
        await asyncio.sleep(scene.chance.uniform(1, 4))
        frozen.send(signal.SIGCONT)


async def restart_postgres(scene: Scene) -> None:
    """Restart PostgreSQL in order (fast shutdown)."""
    await scene.postgres.stop()
    await scene.postgres.start()


async def kill_postgres(scene: Scene) -> None:
    """SIGKILL PostgreSQL, all of its processes; it recovers from its log."""
    await scene.postgres.kill()
    await scene.postgres.start()


async def take_postgres_away(scene: Scene) -> None:
    """Have no PostgreSQL for some seconds."""
    await scene.postgres.stop()
    await asyncio.sleep(scene.chance.uniform(2, 5))
    await scene.postgres.start()


async def kill_backend(scene: Scene) -> None:
    """SIGKILL one session's process: PostgreSQL ends all sessions and recovers by itself."""
    scene.postgres.kill_backends(scene.chance.randrange(100))


async def cut_connections(scene: Scene) -> None:
    """Reset all connections between Lintas and PostgreSQL, again and again."""
    for _ in range(scene.chance.randint(2, 6)):
        for unit in scene.house.units:
            unit.wire.cut()
        await asyncio.sleep(scene.chance.uniform(0.05, 0.6))


async def silence(scene: Scene) -> None:
    """Let connections go silent, and new ones too for some seconds; nobody is told that they are lost."""
    await _lose(scene, Fate.SILENT)


async def lose_answers(scene: Scene) -> None:
    """Let everything that is asked be done, and its answer be lost."""
    await _lose(scene, Fate.UNANSWERED)


async def _lose(scene: Scene, fate: Fate) -> None:
    units = scene.some()
    for unit in units:
        unit.wire.lose(fate)
    await asyncio.sleep(scene.chance.uniform(1, 4))
    for unit in units:
        unit.wire.heal()


async def set_clocks_ahead(scene: Scene) -> None:
    """Step the clocks of some machines forward: minutes, hours or days."""
    await _step(scene, 1)


async def set_clocks_back(scene: Scene) -> None:
    """Step the clocks of some machines back: minutes, hours or days."""
    await _step(scene, -1)


async def _step(scene: Scene, direction: int) -> None:
    for unit in scene.house.units:
        if unit.clock is not None:
            unit.clock.write_text(str(direction * scene.chance.choice((20, 240, 7_200, 864_000))))
    await asyncio.sleep(scene.chance.uniform(1, 3))


async def set_database_clock_back(scene: Scene) -> None:
    """Leave what a database leaves whose clock was a week ahead and was set right: leases and retries that far off."""
    async with scene.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE deliveries SET due_at = due_at + interval '7 days'"
                " WHERE state = 'due' AND due_at > now() AND due_at < now() + interval '2 days'"
            )
        )


async def deploy(scene: Scene) -> None:
    """Replace every process by a new one while referrals come: SIGTERM, drain, exit 0."""
    await scene.house.deploy()


async def deploy_through_restart(scene: Scene) -> None:
    """Deploy while PostgreSQL is restarted."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scene.house.deploy())
        await asyncio.sleep(scene.chance.uniform(0.5, 3))
        tasks.create_task(restart_postgres(scene))


async def stop_while_silent(scene: Scene) -> None:
    """Deploy while some connections are silent: a drain must end in time although nothing ever answers it."""
    for unit in scene.some():
        unit.wire.lose(Fate.SILENT)
    await asyncio.sleep(1)
    await scene.house.deploy()


Fault: TypeAlias = Callable[[Scene], Awaitable[None]]

FAULTS: Mapping[str, Fault] = {
    "workers killed": kill_workers,
    "API killed": kill_api,
    "worker frozen": freeze_worker,
    "PostgreSQL restarted": restart_postgres,
    "PostgreSQL killed": kill_postgres,
    "PostgreSQL away": take_postgres_away,
    "session killed": kill_backend,
    "connections cut": cut_connections,
    "connections silent": silence,
    "answers lost": lose_answers,
    "clocks ahead": set_clocks_ahead,
    "clocks back": set_clocks_back,
    "database's clock set back": set_database_clock_back,
    "deployed": deploy,
    "deployed, PostgreSQL restarted": deploy_through_restart,
    "deployed, connections silent": stop_while_silent,
}

STOPS_POSTGRES = frozenset(
    {"PostgreSQL restarted", "PostgreSQL killed", "PostgreSQL away", "deployed, PostgreSQL restarted"}
)
DEPLOYS = frozenset({"deployed", "deployed, PostgreSQL restarted", "deployed, connections silent"})


def drawn(rounds: int, chance: random.Random) -> list[tuple[str, ...]]:
    """Draw the faults of each round: every one in turn in a new order, and beside it others at random.

    Two of a round neither stop PostgreSQL both nor deploy both.
    """
    turns: list[str] = []
    while len(turns) < rounds:
        turns += chance.sample(sorted(FAULTS), len(FAULTS))
    found = []
    for first in turns[:rounds]:
        together = [first]
        for other in chance.sample(sorted(FAULTS), chance.choice((0, 1, 1, 2))):
            if other not in together and all(
                not ({other, *together} <= alone or (other in alone and set(together) & alone))
                for alone in (STOPS_POSTGRES, DEPLOYS)
            ):
                together.append(other)
        found.append(tuple(together))
    return found
