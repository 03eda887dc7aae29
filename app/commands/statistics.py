"""`lintas statistics ...`: the months that were drawn, as JSON or CSV, and drawing those that have settled."""

import csv
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.statistics import (
    CategoryView,
    CountedBy,
    CountsView,
    DutyCountsView,
    DutyStatistics,
    ReferralStatistics,
    StatisticsView,
    duty_statistics,
    referral_statistics,
)
from app.commands.documents import desk_of
from app.commands.running import CannotGoOn, in_transaction, with_sessions
from app.commands.statistics_page import statistics_page
from app.domain.months import Month
from app.observability import configure_logging
from app.service import real_time
from app.storage.reference import ReferenceKeeper
from app.workflows.desk import Desk
from app.workflows.draw_statistics import draw_settled_months

group = typer.Typer(no_args_is_help=True, help="Statistik tanpa orang / statistics without people.")

First = Annotated[str, typer.Option("--from", metavar="YYYY-MM", help="Bulan pertama / first month.")]
Last = Annotated[str, typer.Option("--to", metavar="YYYY-MM", help="Bulan terakhir / last month.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, bukan CSV / JSON instead of CSV.")]


@group.command()
def referrals(
    by: Annotated[CountedBy, typer.Option(help="Menurut / by.")], first: First, last: Last, as_json: AsJson = False
) -> None:
    """Write the referrals by month, regency and category of SIMFONI-PPA; an empty count is one that is not shown."""
    months = _month(first), _month(last)
    found: ReferralStatistics = _read(lambda desk: referral_statistics(desk, by, *months))
    write_referrals(found, sys.stdout, as_json=as_json)


@group.command()
def duties(first: First, last: Last, as_json: AsJson = False) -> None:
    """Write what became of the duties that documents laid on handoffs; an empty count is one that is not shown."""
    months = _month(first), _month(last)
    found: DutyStatistics = _read(lambda desk: duty_statistics(desk, *months))
    write_duties(found, sys.stdout, as_json=as_json)


@group.command()
def page(
    first: First, last: Last, to: Annotated[Path, typer.Option("--write", help="Berkas HTML / the HTML file.")]
) -> None:
    """Write all statistics of some months as one HTML page with charts and every table."""
    months = _month(first), _month(last)

    async def everything(desk: Desk) -> str:
        referrals = [await referral_statistics(desk, by, *months) for by in CountedBy]
        return statistics_page(referrals, await duty_statistics(desk, *months))

    written = _read(everything)
    try:
        to.write_text(written, "utf-8")
    except OSError as error:
        raise CannotGoOn(f"{to} tidak dapat ditulis", f"{to} cannot be written ({error.strerror})") from None


@group.command()
def draw() -> None:
    """Draw every month that has settled and was not drawn yet, as the workers do by themselves."""
    configure_logging(level="WARNING", stream=sys.stderr)
    drawn = with_sessions(lambda sessions: draw_settled_months(sessions, ReferenceKeeper(), real_time))
    for month in drawn:
        print(month)


def write_referrals(found: ReferralStatistics, out: TextIO, *, as_json: bool) -> None:
    """Write counts of referrals as one JSON object, or as CSV, a line for each cell."""
    lines = ([found.by.value, *cells] for table in found.tables for cells in _cells(table, found.categories))
    _write(found, ("by",), lines, out, as_json=as_json)


def write_duties(found: DutyStatistics, out: TextIO, *, as_json: bool) -> None:
    """Write counts of duties as one JSON object, or as CSV, a line for each cell."""
    lines = ([*_cited(table), *cells] for table in found.tables for cells in _cells(table, found.categories))
    _write(found, CITED, lines, out, as_json=as_json)


CITED = ("document", "version", "clause", "duty")
CELLS = ("month", "code", "name_id", "name_en", "category", "category_id", "category_en", "count")


def _cells(table: CountsView, categories: Sequence[CategoryView]) -> Iterator[list[object]]:
    """Write a table cell by cell; `all` is a total."""
    every = CategoryView(code="all", id="Semua", en="All")
    rows = [(every, table.total, table.totals), *((row, row.total, row.counts) for row in table.rows)]
    for row, total, counts in rows:
        for category, count in ((every, total), *((one, counts[one.code]) for one in categories if one.code in counts)):
            yield [table.month, row.code, row.id, row.en, category.code, category.id, category.en, count]


def _cited(table: DutyCountsView) -> list[object]:
    return [getattr(table, name) for name in CITED]


def _write(
    found: StatisticsView,
    heading: Sequence[str],
    lines: Iterable[Sequence[object]],
    out: TextIO,
    *,
    as_json: bool,
) -> None:
    if as_json:
        out.write(f"{found.model_dump_json()}\n")
        return
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*heading, *CELLS))
    writer.writerows(lines)


def _read(read: Callable[[Desk], Coroutine[Any, Any, Any]]) -> Any:
    async def once(tx: AsyncSession) -> Any:
        return await read(await desk_of(tx))

    return in_transaction(once)


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise CannotGoOn(f"{text}: bulan ditulis 2025-03", f"{text}: a month is written 2025-03") from None
