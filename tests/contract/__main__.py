"""`make contract`: ask a Lintas, over HTTP, all that its contract allows and forbids, with every role's key."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.domain.proposals import SecondPerson
from app.main import listen, serve
from app.service import compose, real_time
from app.settings import RateLimitSettings, SecondPersonSettings, Settings
from app.storage import api_keys
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from tests.api.theirs import everything_of_theirs
from tests.contract.asking import CONFIG
from tests.workflows.conftest import PPU, serving

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)
PHASES = "examples,coverage,fuzzing,stateful"
NEVER = "revoke_key"
"""It would end the key that asks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask with one key after the other: 0 if every answer was one that the contract tells of, else 1."""
    parser = argparse.ArgumentParser("python -m tests.contract", description=__doc__)
    parser.add_argument("--examples", type=int, default=3, metavar="N", help="cases of each kind for an operation")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed draws the same cases")
    parser.add_argument("--role", action="append", choices=[*Role, "every"], help="these keys alone")
    asked = parser.parse_args(arguments)
    roles = asked.role or [*(role.value for role in Role), "every"]
    with tempfile.TemporaryDirectory(prefix="lintas-contract-") as made:
        directory = Path(made)
        with EmbeddedPostgres.start(directory / "postgres", durable=False) as server:
            server.create_database("lintas_contract")
            url = server.url("lintas_contract")
            migrate_to_head(url)
            return asyncio.run(_ask_all(url, directory, roles, examples=asked.examples, seed=asked.seed))


async def _ask_all(url: str, directory: Path, roles: Sequence[str], *, examples: int, seed: int) -> int:
    ring = KeyRing.generate("contract-1")
    settings = Settings(
        second_person=SecondPersonSettings(endpoints=True, publishing=False),
        rate_limit=RateLimitSettings(per_key=0, failures_per_address=0),
    )
    service = compose(settings, url=url, key_ring=ring, name="contract")
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop, hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
    terms = Terms(second_person=SecondPerson(endpoints=True))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(service.engine.dispose)
        stack.push_async_callback(service.health_engine.dispose)
        there = await stack.enter_async_context(serving(service.sessions, ring, SettableClock(real_time()), terms))
        await everything_of_theirs(there)
        keys = {role: await _a_key(service.sessions, role) for role in roles}
        running = asyncio.create_task(serve(service, listener, stop, hurry, ready.set))
        try:
            await ready.wait()
            found = [await _ask(address, directory, role, keys, examples=examples, seed=seed) for role in roles]
        finally:
            stop.set()
            hurry.set()
            await running
    return int(any(found))


async def _a_key(sessions: async_sessionmaker[AsyncSession], role: str) -> str:
    granted = tuple(Role) if role == "every" else (Role(role),)
    secret = api_keys.new_secret(granted)
    async with sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=PPU, roles=granted, label="", expires_at=None)
    return secret


async def _ask(address: str, directory: Path, role: str, keys: Mapping[str, str], *, examples: int, seed: int) -> int:
    print(f"== as {role}", flush=True)  # noqa: T201
    refused = json.dumps(CONFIG["checks"]["negative_data_rejection"]["expected-statuses"])
    (directory / "schemathesis.toml").write_text(f"[checks.negative_data_rejection]\nexpected-statuses = {refused}\n")
    asking = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "st",
        *("--no-color", "run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {keys[role]}"),
        *("--exclude-operation-id", NEVER, "--phases", PHASES, "--checks", ",".join(CHECKS)),
        *("--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure", "--warnings", "off"),
        cwd=directory,
    )
    return await asking.wait()


if __name__ == "__main__":
    sys.exit(main())
