"""What was asked, role by role, in one table."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

COLUMNS = ("role", "operations", "cases", "checks", "taken", "links followed", "kinds", "seconds", "failures")


def lines(counts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Give the lines of the table, with what was not as the contract tells below it."""
    made = Table(*COLUMNS, box=box.SIMPLE)
    for role, one in counts.items():
        made.add_row(role, *map(str, figures(one)))
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(made)
    yield captured.get().rstrip()
    for role, one in counts.items():
        for failure in one["failures"]:
            yield f"{role}: {failure['check']} at {failure['operation']}, answered {failure['status']}"


def figures(one: Mapping[str, Any]) -> tuple[int, ...]:
    """Count for one role, in the order of the columns; taken is what was answered 2xx."""
    links = one["links"]
    return (
        one["operations"],
        sum(one["cases"].values()),
        sum(one["checks"].values()),
        sum(number for answer, number in one["answers"].items() if answer.rpartition(" ")[2].startswith("2")),
        sum(links.values()),
        len({name.rpartition(" ")[0] for name in links}),
        round(sum(one["seconds"].values())),
        len(one["failures"]),
    )
