"""`make demo`: every worked case through a throw-away Lintas, to receivers that answer, and compared."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import uvloop
from rich.console import Console
from rich.text import Text

from app.domain.clock import SettableClock
from app.observability import configure_logging
from app.reference.load import shipped
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from demo.cases import WorkedCase, first_emergency, first_sender, worked_cases
from demo.comparison import FAILURES, Counted, compare
from demo.house import issue_keys, lintas
from demo.journeys import read_journey, show
from demo.receivers import Receivers
from demo.sending import Senders, send_all, verified

DROPPED = "handoff.completed"
"""The type of news of which one webhook is dropped, if that is asked for."""
WIDE = 150
"""Columns where the output is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration: 0 if all is as it should be, 1 if anything differs, 130 if it was interrupted."""
    parser = argparse.ArgumentParser("python -m demo", description=__doc__)
    parser.add_argument("--cases", type=_number, metavar="N", help="send the first N worked cases alone")
    parser.add_argument("--drop-one", action="store_true", help="let a receiver drop a webhook, which must be noticed")
    asked = parser.parse_args(arguments)
    # SIGTERM ends it in the same orderly way as Ctrl-C, also where a shell had us ignore that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False, emoji=False)
    try:
        return run(console, worked_cases(asked.cases), drop_one=asked.drop_one)
    except KeyboardInterrupt:
        console.print("Dihentikan / interrupted")
        return 130


def run(console: Console, cases: Sequence[WorkedCase], *, drop_one: bool) -> int:
    """Start everything in a directory that is thrown away, send the cases, compare and report."""
    with tempfile.TemporaryDirectory(prefix="lintas-demo-") as made:
        directory = Path(made)
        with (
            (directory / "lintas.log").open("w") as log,
            Receivers(directory / "receivers", sorted(shipped().registry.agencies)) as receivers,
        ):
            configure_logging(stream=log)
            sys.excepthook = sys.__excepthook__  # what goes wrong here is for the person who started it to see
            number = len(receivers.agencies)
            _say(console, f"Menyalakan Lintas dan {number} penerima", f"starting Lintas and {number} receivers")
            with EmbeddedPostgres.start(directory / "postgres", durable=False) as server:
                migrate_to_head(server.url())
                return uvloop.run(_demonstrate(console, server.url(), receivers, cases, drop_one=drop_one))


async def _demonstrate(
    console: Console, database_url: str, receivers: Receivers, cases: Sequence[WorkedCase], *, drop_one: bool
) -> int:
    clock = SettableClock(cases[0].received_at - timedelta(minutes=1))
    async with lintas(database_url, clock) as service:
        keys = await issue_keys(service, receivers.agencies)
        async with aclosing(Senders(service.terms.public_url, keys)) as senders:
            fails = first_emergency(cases)
            dropper = first_sender(cases) if drop_one else None
            for agency in receivers.agencies:
                endpoint = await senders.post(agency, "/endpoints", {"url": receivers.url(agency)})
                receivers.order(
                    agency,
                    key=keys[agency],
                    secret=endpoint["secret"],
                    port=service.settings.port,
                    failures=FAILURES if agency == fails else 0,
                    drops=DROPPED if agency == dropper else None,
                )
            await verified(senders, receivers.agencies)
            _say(console, f"Mengirim {len(cases)} kasus", f"sending {len(cases)} cases")
            sent, trouble = await send_all(cases, service, clock, senders, receivers)
            journeys = [await read_journey(senders, one) for one in sent]
        counted = await compare(service, receivers, journeys, fails=fails)
    show(console, journeys, frozenset(counted.different))
    if fails and not trouble:
        _say(
            console,
            f"{fails} menjawab 500 {FAILURES} kali, lalu pulih",
            f"answered 500 {FAILURES} times, then recovered",
        )
    return _report(console, counted, trouble)


def _number(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("one case at least")
    return number


def _report(console: Console, counted: Counted, trouble: Sequence[str]) -> int:
    differences = (*trouble, *counted.differences)
    for difference in differences:
        console.print(Text(f"≠ {difference}", "red"))
    if counted.superseded:
        _say(
            console,
            f"{counted.superseded} kabar penawaran tidak dikirim karena penawarannya sudah dijawab",
            f"{counted.superseded} notices of offers were not sent, for the offers had been answered",
        )
    console.print(
        f"demo: {counted.cases} cases, {counted.handoffs} handoffs, "
        f"{counted.webhooks} webhooks verified, {len(differences)} differences"
    )
    return 1 if differences else 0


def _say(console: Console, indonesian: str, english: str) -> None:
    console.print(f"{indonesian} / {english}", style="dim")


if __name__ == "__main__":
    sys.exit(main())
