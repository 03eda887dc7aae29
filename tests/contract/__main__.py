"""`make contract`: ask a Lintas, over HTTP, all that its contract allows and forbids, with every role's key."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvloop
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.domain.proposals import SecondPerson
from app.main import listen, serve
from app.observability import configure_logging
from app.service import compose, real_time
from app.settings import RateLimitSettings, SecondPersonSettings, Settings
from app.storage import api_keys
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from tests.api.theirs import STRANGER, everything_of_theirs, one_of_each_of_theirs
from tests.contract import plan, table
from tests.workflows.conftest import PPU, RECEIVER, serving

ROOT = Path(__file__).parents[2]
EVERY = "every"
STRANGERS = "strangers"
BROAD = {EVERY: tuple(Role), STRANGERS: tuple(role for role in Role if role is not Role.OPERATOR)}
"""Keys with more than one role. The stranger is no operator, who may look at what is any agency's."""
SETS = 4
"""How many of everything there are to ask for: some of what is asked ends them."""
OFFERS = 30
"""How many handoffs wait for their receiver's answer."""
AT_ONCE = 3
"""How many roles ask beside each other: the service is one process, and so is who asks."""


@dataclass(frozen=True, slots=True)
class Served:
    """A Lintas that answers, with what an agency has in it and with its keys by role."""

    address: str
    things: Mapping[str, Sequence[str]]
    keys: Mapping[str, str]
    asking: Sequence[str]
    """Ids of these keys."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask with each role's key: 0 if every answer was one that the contract tells of, else 1."""
    parser = argparse.ArgumentParser("python -m tests.contract", description=__doc__)
    parser.add_argument("--examples", type=int, default=2, metavar="N", help="cases of each kind for an operation")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed draws the same cases")
    parser.add_argument("--role", action="append", choices=[*Role, EVERY], help="these keys alone")
    parser.add_argument("--phases", default=",".join(plan.PHASES), help="these alone")
    parser.add_argument("--reports", type=Path, help="a directory for what was asked and counted")
    asked = parser.parse_args(arguments)
    configure_logging(level="WARNING")
    with tempfile.TemporaryDirectory(prefix="lintas-contract-") as made:
        reports = asked.reports or Path(made)
        with EmbeddedPostgres.start(Path(made) / "postgres", durable=False) as server:
            server.create_database("lintas_contract")
            url = server.url("lintas_contract")
            migrate_to_head(url)
            # As the service itself runs: with the loop of asyncio, each answer would wait 40 ms for the one before.
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_ask_all(url, Path(made), reports.resolve(), asked))


async def _ask_all(url: str, directory: Path, reports: Path, asked: argparse.Namespace) -> int:
    roles = asked.role or [*(role.value for role in Role), EVERY]
    some = asyncio.Semaphore(AT_ONCE)

    async def ask(served: Served, role: str) -> int:
        async with some:
            return await _ask(served, reports / role, role, asked)

    async with _served(url, directory, roles) as served:
        ended = await asyncio.gather(*(ask(served, role) for role in roles))
    counts = {role: json.loads((reports / role / "counts.json").read_text()) for role in roles}
    for line in table.lines(counts):
        print(line)  # noqa: T201
    return int(any(ended) or any(one["failures"] for one in counts.values()))


@asynccontextmanager
async def _served(url: str, directory: Path, roles: Sequence[str]) -> AsyncIterator[Served]:
    ring = KeyRing.generate("contract-1")
    settings = Settings(
        second_person=SecondPersonSettings(endpoints=True, publishing=False),
        erasure_ledger=directory / "erasures.jsonl",
        rate_limit=RateLimitSettings(per_key=0, failures_per_address=0),
    )
    service = compose(settings, url=url, key_ring=ring, name="contract")
    listener = listen("127.0.0.1", 0)
    stop, hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
    terms = Terms(second_person=SecondPerson(endpoints=True))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(service.engine.dispose)
        stack.push_async_callback(service.health_engine.dispose)
        there = await stack.enter_async_context(serving(service.sessions, ring, SettableClock(real_time()), terms))
        first = await everything_of_theirs(there)
        sets = [first, *[await one_of_each_of_theirs(there) for _ in range(SETS - 1)]]
        things = {name: sorted({one[name] for one in sets}) for name in sets[1]}
        for _ in range(OFFERS):
            await there.submit()
        agencies = dict.fromkeys(roles, PPU) | {Role.RECEIVER.value: RECEIVER, STRANGERS: STRANGER}
        made = {role: await _a_key(service.sessions, role, agency) for role, agency in agencies.items()}
        running = asyncio.create_task(serve(service, listener, stop, hurry, ready.set))
        try:
            await ready.wait()
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Served(
                address, things, {role: secret for role, (_, secret) in made.items()}, [key for key, _ in made.values()]
            )
        finally:
            stop.set()
            hurry.set()
            await running


async def _a_key(sessions: async_sessionmaker[AsyncSession], role: str, agency: str) -> tuple[str, str]:
    granted = BROAD.get(role) or (Role(role),)
    secret = api_keys.new_secret(granted)
    async with sessions.begin() as tx:
        key = await api_keys.add(tx, secret=secret, agency_code=agency, roles=granted, label="", expires_at=None)
    return str(key), secret


async def _ask(served: Served, home: Path, role: str, asked: argparse.Namespace) -> int:
    home.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything else is asked
    settings = plan.settings(
        _operations(), served.things, role=None if role == EVERY else role, examples=asked.examples
    )
    (home / "schemathesis.toml").write_text(plan.toml(settings))
    (home / "keys.json").write_text(plan.keys(served.keys[role], served.keys[STRANGERS]))
    said = home / "said.txt"
    with said.open("wb") as out:
        asking = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "st",
            *("--no-color", "run", f"{served.address}/openapi.json", "--checks", "all", "--phases", asked.phases),
            *("--seed", str(asked.seed), "--warnings", "off"),
            cwd=home,
            stdout=out,
            stderr=out,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.contract.hooks"}
            | {"CONTRACT_COUNTS": "counts.json", "CONTRACT_KEYS": " ".join(served.asking)},
        )
        ended = await asking.wait()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {served.keys[role]}"}) as client:
        if (await client.get(f"{served.address}/v1/reference/code-sets")).status_code != httpx.codes.OK:
            raise RuntimeError(f"the key of {role} ended while it asked: what came after asked nothing")
    print(f"{role}: {'as the contract tells' if ended == 0 else said.read_text(errors='replace')}", flush=True)  # noqa: T201
    return ended


def _operations() -> list[dict[str, Any]]:
    document = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    return [one for item in document["paths"].values() for one in item.values()]


if __name__ == "__main__":
    sys.exit(main())
