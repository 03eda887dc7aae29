"""`make receivers`: the example receivers against the real dispatcher of a throw-away Lintas."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console

from app.observability import configure_logging
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from demo.house import issue_keys, lintas
from demo.sending import Refused, Senders
from examples.receivers.integrator import PLACES, Integrator, integrator
from examples.receivers.languages import LANGUAGES, Language
from examples.receivers.trial import TRIALS, Trial
from examples.receivers.waiting import NotSo

WIDE = 150
"""Columns where the output is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the receivers: 0 if they stand it all, 1 if one does not, 2 if one cannot be run, 130 if interrupted."""
    parser = argparse.ArgumentParser("python -m examples.receivers", description=__doc__)
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=f"one of {', '.join(LANGUAGES)}; all if none")
    asked = parser.parse_args(arguments).languages or list(LANGUAGES)
    if unknown := [name for name in asked if name not in LANGUAGES]:
        parser.error(f"there is no receiver in {', '.join(unknown)}")
    languages = [LANGUAGES[name] for name in dict.fromkeys(asked)]
    for language in languages:
        language.install()
    lacks = {language.name: language.missing() for language in languages}
    for name, lack in lacks.items():
        if lack is not None:
            sys.stderr.write(f"the receiver in {name} cannot be run: {lack}\n")
    if any(lacks.values()):
        return 2
    # SIGTERM ends it in the same orderly way as Ctrl-C, also where a shell had us ignore that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False, emoji=False)
    try:
        return run(console, languages)
    except KeyboardInterrupt:
        console.print("Dihentikan / interrupted")
        return 130


def run(console: Console, languages: Sequence[Language]) -> int:
    """Start everything in a directory that is thrown away, and try all receivers at the same time."""
    with tempfile.TemporaryDirectory(prefix="lintas-receivers-") as made:
        directory = Path(made)
        with (directory / "lintas.log").open("w") as log:
            configure_logging(stream=log)
            sys.excepthook = sys.__excepthook__  # what goes wrong here is for the person who started it to see
            with EmbeddedPostgres.start(directory / "postgres", durable=False) as server:
                migrate_to_head(server.url())
                return uvloop.run(_try_all(console, server.url(), languages, directory))


async def _try_all(console: Console, database_url: str, languages: Sequence[Language], directory: Path) -> int:
    async with lintas(database_url, _now) as service, AsyncExitStack() as open_:
        keys = await issue_keys(service, PLACES)
        senders = await open_.enter_async_context(aclosing(Senders(service.terms.public_url, keys)))
        agencies = [
            await open_.enter_async_context(
                integrator(language, code, senders, directory, api_port=service.settings.port, key=keys[code])
            )
            # Each has an agency of its own: what one misses or refuses on purpose is no other's trouble.
            for language, code in zip(languages, PLACES, strict=False)
        ]
        faults = (await asyncio.gather(*(_try(console, agency) for agency in agencies))).count(False)
        posts = sum(len(agency.news.carried) for agency in agencies)
    console.print(f"receivers: {len(languages)} receivers, {len(TRIALS)} trials each, {posts} posts, {faults} faults")
    return 1 if faults else 0


async def _try(console: Console, agency: Integrator) -> bool:
    for trial in TRIALS:
        if not await _stands(console, agency, trial):
            return False
    return True


async def _stands(console: Console, agency: Integrator, trial: Trial) -> bool:
    name = agency.running.language.name
    said = f"{name:8}{trial.__name__.replace('_', ' ')}"
    try:
        await trial(agency, _now())
    except (NotSo, Refused, RuntimeError) as fault:
        console.print(f"≠ {said}: {fault}", style="red")
        console.print(agency.running.complaints(), style="dim")
        return False
    console.print(f"✓ {said}", style="dim")
    return True


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - an entry point


if __name__ == "__main__":
    sys.exit(main())
