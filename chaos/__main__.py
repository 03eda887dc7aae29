"""`make chaos`: break a Lintas of real processes again and again, and compare what everybody wrote, id by id."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from time import monotonic

import uvloop
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.observability import configure_logging
from chaos.comparison import Comparison, Counted, Written
from chaos.faults import FAULTS, drawn
from chaos.rounds import Round, quiesce, run_round, seen_as_failed
from chaos.town import a_chance, a_town, called

WIDE = 150
"""Columns where the output is no terminal."""
MISBEHAVES = 0.15
LASTS = 5.0
"""Seconds over which the referrals of a round are sent."""
MOST_SHOWN = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds: 0 if nothing was lost and nobody stayed down, 1 with all that differs, 130 if interrupted."""
    parser = argparse.ArgumentParser("python -m chaos", description=__doc__)
    parser.add_argument("--rounds", type=_number, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed draws the same faults")
    parser.add_argument("--referrals-per-round", type=_number, default=40, metavar="N")
    parser.add_argument("--faults", metavar="A;B+C", help=f"these alone, `+` within a round: {'; '.join(FAULTS)}")
    parser.add_argument("--drop-one", action="store_true", help="lose a webhook's record, which must be noticed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs and records in this directory")
    parser.add_argument(
        "--quick", action="store_true", help="short rounds and leases, and no news that kills its worker"
    )
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False, emoji=False)
    try:
        with tempfile.TemporaryDirectory(prefix="lintas-chaos-") as made:
            directory = asked.keep or Path(made)
            directory.mkdir(parents=True, exist_ok=True)
            with (directory / "chaos.log").open("w") as log:
                configure_logging(stream=log)
                sys.excepthook = sys.__excepthook__  # what goes wrong here is for the person who started it to see
                return uvloop.run(_run(console, directory, asked))
    except KeyboardInterrupt:
        console.print("Dihentikan / interrupted")
        return 130


async def _run(console: Console, directory: Path, asked: argparse.Namespace) -> int:
    chance = a_chance(asked.seed)
    plan = (
        [tuple(name.strip() for name in of.split("+")) for of in asked.faults.split(";")]
        if asked.faults
        else drawn(asked.rounds, chance)
    )
    began = monotonic()
    misbehaves, lasts = (MISBEHAVES / 3, LASTS / 3) if asked.quick else (MISBEHAVES, LASTS)
    async with a_town(directory, seed_=asked.seed, misbehaves=misbehaves, quick=asked.quick) as town:
        rounds = []
        for number, faults in enumerate(plan, 1):
            made = await run_round(town, number, faults, chance, referrals=asked.referrals_per_round, lasts=lasts)
            rounds.append(made)
            _tell(console, rounds[-1])
        trouble = await quiesce(town)
        trouble = [*town.house.findings, *trouble, *await seen_as_failed(town)]
        written = Written.read(town.records, town.journal, town.acts)
        if asked.drop_one:
            written = written.without_one()
        compared = await Comparison.of(town.engine, written, frozenset(town.poisoned))
        statuses, replayed = called(town)
        if town.complaints.exists():
            trouble += sorted(set(town.complaints.read_text().splitlines()))
        await town.house.end()
        trouble += [finding for finding in town.house.findings if finding not in trouble]
    differences = [*trouble, *compared.differences()]
    _show(console, rounds)
    _report(console, compared.counted(), statuses, replayed, differences)
    console.print(
        f"chaos: {len(rounds)} rounds, seed {asked.seed}, {len(written.journal)} referrals, "
        f"{compared.counted().received} webhooks received, {len(differences)} differences, {monotonic() - began:.0f} s"
    )
    return 1 if differences else 0


def _number(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("one at least")
    return number


def _tell(console: Console, one: Round) -> None:
    console.print(f"{one.number:3} {', '.join(one.faults)}: {one.recovered_in:.1f} s", style="dim")
    for finding in one.findings:
        console.print(Text(f"    ≠ {finding}", "red"))


def _show(console: Console, rounds: Sequence[Round]) -> None:
    table = Table("round", "what went wrong", "referrals answered", "posts received", "all at work after", box=None)
    for one in rounds:
        row = (one.number, ", ".join(one.faults), one.referrals, one.posts, f"{one.recovered_in:.1f} s")
        table.add_row(*map(str, row))
    console.print(table)


def _report(
    console: Console, counted: Counted, statuses: dict[str, int], replayed: int, differences: Sequence[str]
) -> None:
    for part in fields(counted):
        console.print(f"{part.name:>12}  {getattr(counted, part.name)}")
    console.print(f"{'answers':>12}  {', '.join(f'{status} {times}' for status, times in sorted(statuses.items()))}")
    console.print(f"{'replayed':>12}  {replayed}")
    for difference in differences[:MOST_SHOWN]:
        console.print(Text(f"≠ {difference}", "red"), soft_wrap=True)
    if len(differences) > MOST_SHOWN:
        console.print(Text(f"≠ and {len(differences) - MOST_SHOWN} more", "red"))


if __name__ == "__main__":
    sys.exit(main())
