"""`lintas agreements simulate`: a document tried on what was decided, or on a file of cases."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.commands.documents import desk_of, named
from app.commands.running import CannotGoOn, Sessions, print_columns, with_sessions
from app.commands.written import load_document, parse_written, tell, why
from app.domain.errors import DomainError
from app.domain.simulation import Fate, Simulation
from app.reference.cases import Case, CasesInvalid, load_cases, parse_cases
from app.reference.load import places
from app.reference.yaml_text import Unreadable
from app.storage import past_decisions
from app.storage.past_decisions import Period, Place
from app.storage.reference import Reference
from app.workflows.simulate_document import simulate_cases, simulate_period

A_PAGE = 5000
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]


def add_to(group: typer.Typer) -> None:
    """Add this command to `lintas agreements`."""
    group.command("simulate")(simulate)


def simulate(
    what: Annotated[str, typer.Argument(metavar="FILE|ID", help="Berkas, atau id / a file, or an id.")],
    version: Annotated[int | None, typer.Option(help="Versi; bawaan: yang terbaru / default: the newest.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=FORMATS, help="Sejak / since, UTC.")] = None,
    to: Annotated[datetime | None, typer.Option("--to", formats=FORMATS, help="Sebelum / before, UTC.")] = None,
    cases: Annotated[Path | None, typer.Option(help="Kasus, bukan arsip / cases instead of the archive.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Satu objek JSON / one JSON object.")] = False,
) -> None:
    """Say which requests would go elsewhere, had a document been in force; nothing is written, nothing unsealed."""
    period, file = Period(_in_utc(since), _in_utc(to)), Path(what)
    loaded = load_document(file) if file.is_file() else None

    async def weigh(sessions: Sessions) -> Simulation:
        async with sessions.begin() as tx:
            reference = (await desk_of(tx)).reference
            if loaded is not None:
                document = parse_written(file, loaded, reference.vocabulary, reference.regions)
            else:
                document = await named(await desk_of(tx), what, version)
        simulation = Simulation(document, reference.rules, reference.documents)
        if cases is not None:
            simulate_cases(simulation, _cases(cases, reference))
        else:
            await _weigh_period(sessions, simulation, period)
        return simulation

    try:
        simulation = with_sessions(weigh)
    except DomainError as error:
        raise why(error) from None
    _show(simulation, as_json=as_json)


def _cases(file: Path, reference: Reference) -> list[Case]:
    try:
        loaded = load_cases(file)
        return parse_cases(loaded.value, reference.vocabulary)
    except CasesInvalid as invalid:
        tell(f"{file}: {fault}" for fault in places(invalid.faults, loaded))
        raise typer.Exit(2) from None
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        said = str(error) if isinstance(error, Unreadable) else type(error).__name__
        raise CannotGoOn(f"{file}: tidak dapat dibaca", f"{file}: cannot be read: {said}") from None


async def _weigh_period(sessions: Sessions, simulation: Simulation, period: Period) -> None:
    """Weigh page after page, each in a short transaction of its own, so that nobody waits for a long one."""
    async with sessions() as session:
        total = await past_decisions.count(session, period)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("keputusan / decisions", total=total)
        place: Place | None = None
        while True:
            async with sessions() as session:
                place = await simulate_period(session, simulation, period, after=place, limit=A_PAGE)
            progress.update(task, completed=simulation.tally.examined)
            if place is None:
                return


def _show(simulation: Simulation, *, as_json: bool) -> None:
    tally = simulation.tally
    counts = {
        "examined": tally.examined,
        "moved": tally.moved,
        "unchanged": tally.unchanged,
        "cited_otherwise": tally.cited_otherwise,
        "changed_already": tally.changed_already,
    }
    if as_json:
        moves = [{**move.to_json(), "count": count} for move, count in tally.moves.most_common()]
        examples = [{**move.to_json(), "name": name} for name, move in tally.examples]
        print(orjson.dumps({**counts, "moves": moves, "examples": examples}).decode())
        return
    table = Table(title="Yang akan berpindah / what would go elsewhere", title_justify="left")
    for heading in ("layanan / service", "dari / from", "ke / to", "jumlah / count"):
        table.add_column(heading, overflow="fold")
    for move, count in tally.moves.most_common():
        table.add_row(move.service, _told(move.before), _told(move.after), f"{count:,}")
    console = Console(markup=False, emoji=False, highlight=False)
    if tally.moves:
        console.print(table)
    print_columns([(_WORDS[name], f"{count:,}") for name, count in counts.items()])


_WORDS = {
    "examined": "diperiksa / examined",
    "moved": "berpindah / would go elsewhere",
    "unchanged": "tetap / unchanged",
    "cited_otherwise": "tetap, dasar lain / same, by another clause or reason",
    "changed_already": "kini sudah lain / decided otherwise today, whatever the draft",
}


def _told(fate: Fate) -> str:
    whom = fate.agency or f"koordinator / coordinator ({fate.reason})"
    return f"{whom}\n{fate.document}/{fate.clause}" if fate.clause else whom


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
