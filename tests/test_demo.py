"""The demonstration is run as a person runs it, and its own comparison is put to the test."""

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended."""

    code: int | None
    lines: list[str]

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)


async def run_demo(*arguments: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "demo",
        *arguments,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return Ran(process.returncode, out.decode().splitlines())


@pytest.fixture(scope="session")
async def runs() -> tuple[Ran, Ran]:
    """An ordinary run of five cases, and one of a single case in which a receiver drops a webhook."""
    ordinary, dropping = await asyncio.gather(run_demo("--cases", "5"), run_demo("--cases", "1", "--drop-one"))
    return ordinary, dropping


def test_declines_silence_and_a_failing_receiver_end_without_a_difference(runs: tuple[Ran, Ran]) -> None:
    ordinary, _ = runs

    assert ordinary.code == 0, "\n".join(ordinary.lines)
    assert re.fullmatch(r"demo: 5 cases, 13 handoffs, [1-9][0-9]* webhooks verified, 0 differences", ordinary.lines[-1])


def test_every_way_of_an_offer_is_shown(runs: tuple[Ran, Ran]) -> None:
    ordinary, _ = runs

    assert all(
        ordinary.says(words) for words in ("completed", "declined", "expired", "chain_exhausted", "then recovered")
    )


def test_a_dropped_webhook_fails_the_run_and_is_named(runs: tuple[Ran, Ran]) -> None:
    _, dropping = runs

    assert dropping.code == 1
    assert dropping.lines[-1].endswith(" 1 differences")
    assert re.search(
        r"lpsk: the event [0-9a-f-]{36} \(handoff\.completed\) is missing in the receiver's record",
        "\n".join(dropping.lines),
    )
