"""`make clients`: clients made from openapi.json alone, built, and driven through one full exchange each."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from app.domain.caller import Role
from app.observability import configure_logging
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.workflows.prepare_trial import HOLDERS
from demo.house import issue_keys, lintas
from openapi.clients.languages import LANGUAGES, Language, ToolFailed, ToolMissing

BUILT = Path(__file__).parents[2] / ".clients"
PER_KEY = 90
"""Requests a minute: more than one exchange makes, and few enough to be used up on purpose at its end."""
WITHIN = 120.0
"""Seconds that an exchange may take."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, build and drive the clients: 0 if every exchange went as it should, 1 if not."""
    parser = argparse.ArgumentParser("python -m openapi.clients", description=__doc__)
    parser.add_argument("--only", choices=LANGUAGES, action="append", help="this language alone; may be repeated")
    parser.add_argument("--no-exchange", action="store_true", help="make and build the clients, and stop there")
    asked = parser.parse_args(arguments)
    languages = [LANGUAGES[name] for name in dict.fromkeys(asked.only or LANGUAGES)]

    lacking = [f"{language.name}: {fault}" for language in languages if (fault := _lacking(language))]
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 1
    for language in languages:
        print(f"{language.name}: making the client in {BUILT.name}/{language.name}", flush=True)
        try:
            language.make(_place(language))
        except ToolFailed as fault:
            print(f"{language.name}: {fault}", file=sys.stderr)
            return 1
    if asked.no_exchange:
        return 0
    failed = _drive(languages)
    print(f"clients: {len(languages)} made, {len(languages) - len(failed)} exchanges as they should be", flush=True)
    return 1 if failed else 0


def _lacking(language: Language) -> str | None:
    try:
        language.look()
    except ToolMissing as missing:
        return str(missing)
    return None


def _place(language: Language) -> Path:
    place = BUILT / language.name
    place.mkdir(parents=True, exist_ok=True)
    return place


def _drive(languages: Sequence[Language]) -> list[str]:
    """Drive the clients through their exchanges with a service that is thrown away; name those that went wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="lintas-clients-") as made,
        (Path(made) / "lintas.log").open("w") as log,
    ):
        configure_logging(stream=log)
        sys.excepthook = sys.__excepthook__  # what goes wrong here is for the person who started it to see
        with EmbeddedPostgres.start(Path(made) / "postgres", durable=False) as server:
            migrate_to_head(server.url())
            return uvloop.run(_exchanges(server.url(), languages))


async def _exchanges(database_url: str, languages: Sequence[Language]) -> list[str]:
    failed = []
    async with lintas(database_url, name="clients", per_key=PER_KEY) as service:
        for language in languages:
            print(f"{language.name}: one exchange", flush=True)
            # Keys of its own, so that what one asks too often is not held against the next.
            keys = await issue_keys(service, (HOLDERS[Role.SENDER], HOLDERS[Role.RECEIVER]))
            environment = {
                **os.environ,
                "BASE_URL": service.terms.public_url,
                "SENDER": keys[HOLDERS[Role.SENDER]],
                "RECEIVER": keys[HOLDERS[Role.RECEIVER]],
            }
            if not await _goes_well(language, environment):
                failed.append(language.name)
    return failed


async def _goes_well(language: Language, environment: dict[str, str]) -> bool:
    """Run a language's exchange, and then its short example, which accepts what the exchange left."""
    code, _ = await _run(language, "exchange", environment)
    if code:
        return False
    print("  and the example of the documents accepts what is left", flush=True)
    code, said = await _run(language, "short", environment)
    return code == 0 and set(said.split()) == {"accepted"}


async def _run(language: Language, program: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a program, show what it says, and give how it ended and what it said."""
    place = _place(language)
    process = await asyncio.create_subprocess_exec(
        *language.drive(place, program), cwd=place, env=environment, stdout=asyncio.subprocess.PIPE
    )
    said = ""
    try:
        async with asyncio.timeout(WITHIN):
            while process.stdout and (line := await process.stdout.readline()):
                print(line.decode(), end="", flush=True)
                said += line.decode()
            return await process.wait(), said
    except TimeoutError:
        print(f"it has taken {WITHIN:.0f} s and is ended", file=sys.stderr)
        return 1, said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    sys.exit(main())
