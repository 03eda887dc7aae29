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
async def runs() -> tuple[Ran, Ran]:
    """A run of two rounds that break four things, and one in which a webhook's record is lost."""
    few = ("--referrals-per-round", "6")
    broken, losing = await asyncio.gather(
        run_chaos("--faults", BROKEN, *few), run_chaos("--faults", "API killed", "--drop-one", *few)
    )
    return broken, losing


def test_nothing_is_lost_when_workers_postgresql_connections_and_clocks_fail(runs: tuple[Ran, Ran]) -> None:
    broken, _ = runs

    assert broken.code == 0, broken.text
    assert re.search(
        r"chaos: 2 rounds, seed 1, 12 referrals, [1-9][0-9]+ webhooks received, 0 differences", broken.text
    )


def test_a_webhook_that_is_lost_fails_the_run_and_is_named(runs: tuple[Ran, Ran]) -> None:
    _, losing = runs

    assert losing.code == 1
    assert re.search(
        r"≠ the event [0-9a-f-]{36} \([a-z_.]+\) for [a-z0-9-]+ was delivered, .* is missing in the receiver",
        losing.text,
    ), losing.text
    assert " 1 differences" in losing.text
