"""A short run of the proof of crash safety, as `make chaos` runs it; and its own comparison is put to the test."""

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
BROKEN = "workers killed+connections cut;PostgreSQL killed+clocks ahead"


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended."""

    code: int | None
    text: str


async def run_chaos(*arguments: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chaos",
        "--quick",
        *arguments,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return Ran(process.returncode, out.decode())


@pytest.fixture(scope="module")
async def ran() -> Ran:
    """A run of two rounds that break four things, after which one webhook's record is lost on purpose."""
    return await run_chaos("--faults", BROKEN, "--referrals-per-round", "6", "--drop-one")


def test_nothing_else_is_lost_when_workers_postgresql_connections_and_clocks_fail(ran: Ran) -> None:
    assert re.search(
        r"chaos: 2 rounds, seed 1, 12 referrals, [1-9][0-9]+ webhooks received, 1 differences", ran.text
    ), ran.text


def test_the_webhook_that_is_lost_fails_the_run_and_is_named(ran: Ran) -> None:
    assert ran.code == 1
    assert re.search(
        r"≠ the event [0-9a-f-]{36} \([a-z_.]+\) for [a-z0-9-]+ was delivered, .* is missing in the receiver", ran.text
    ), ran.text
