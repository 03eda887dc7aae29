"""The statistics of some months as one self-contained HTML page: charts as SVG, no script, nothing from elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from app.api.statistics import CategoryView, CountedBy, CountsView, DutyCountsView, DutyStatistics, ReferralStatistics
from app.domain.wording import Text

TITLE = Text("Statistik rujukan", "Statistics of referrals")
HIDDEN = Text("tidak ditampilkan", "not shown")
EXPLAINED = Text(
    "Angka di bawah 5 tidak ditampilkan, begitu pula angka yang membuatnya dapat dihitung: arsir atau tanda hubung.",
    "Numbers below 5 are not shown, nor are those from which they would follow: hatched, or a dash.",
)
HEADINGS = {
    CountedBy.SEX: Text("Jenis kelamin", "Sex"),
    CountedBy.AGE: Text("Kelompok umur", "Age group"),
    CountedBy.VIOLENCE: Text("Jenis kekerasan", "Kind of violence"),
    CountedBy.SERVICE: Text("Jenis layanan", "Kind of service"),
    CountedBy.OUTCOME: Text("Hasil", "Outcome"),
    CountedBy.SERVICE_OUTCOME: Text("Hasil menurut jenis layanan", "Outcome by kind of service"),
}
DUTIES = Text("Kewajiban", "Duties")
TOTAL = Text("Jumlah", "Total")
REGION = Text("Wilayah", "Region")

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 1.8rem 0 .3rem; } p { margin: .2rem 0; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; } figure { margin: 0; }
figcaption { max-width: 20rem; } svg { display: block; font-size: 10px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .4rem 0 1rem; }
caption { text-align: left; } th, td { border: 1px solid #8a8a8a; padding: .25rem .5rem; }
th { text-align: left; background: #f1f4f7; } td { text-align: right; font-variant-numeric: tabular-nums; }
.tables { display: flex; flex-wrap: wrap; gap: 0 1.2rem; } details[open] { flex-basis: 100%; }
.en { color: #4a4a4a; font-size: .87em; } summary { cursor: pointer; margin-top: .5rem; }
@media print { body { margin: 0; font-size: 10px; } @page { size: A4 landscape; margin: 12mm; } }
"""
_HATCH = (
    '<svg width="0" height="0" aria-hidden="true"><defs><pattern id="hidden" width="5" height="5"'
    ' patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="5" fill="#9aa4ad"/>'
    "</pattern></defs></svg>"
)
HIGH, STEP, BAR = 70, 22, 16


def statistics_page(referrals: Sequence[ReferralStatistics], duties: DutyStatistics) -> str:
    """Write the page, in Indonesian and English: for each category a chart over the months, then every table."""
    return "\n".join(_page(referrals, duties)) + "\n"


def _page(referrals: Sequence[ReferralStatistics], duties: DutyStatistics) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="id">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(TITLE.id)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{_HATCH}\n<main>"
    yield f'<h1>{escape(TITLE.id)}</h1>\n<p class="en" lang="en">{escape(TITLE.en)}</p>\n<p>{_both(EXPLAINED)}</p>'
    if referrals and referrals[0].tables:
        points = [Point(table.month, table.total) for table in referrals[0].tables]
        yield f'<div class="charts">{_chart(TOTAL, points, _scale([points]))}</div>'
    for one in referrals:
        yield f"<h2>{_both(HEADINGS[one.by])}</h2>"
        yield from _charts(one.tables, one.categories)
        yield _tables(one.tables, one.categories)
    yield f"<h2>{_both(DUTIES)}</h2>"
    for cited in dict.fromkeys(_cited(table) for table in duties.tables):
        of_it = [table for table in duties.tables if _cited(table) == cited]
        yield f"<h3>{escape(cited)}</h3>"
        yield from _charts(of_it, duties.categories)
        yield _tables(of_it, duties.categories)
    yield "</main>\n</body>\n</html>"


def _cited(table: DutyCountsView) -> str:
    return f"{table.duty}: {table.document}, {table.version}, {table.clause}"


@dataclass(frozen=True, slots=True)
class Point:
    """What a chart shows of a month; `told` false: the month has nothing of it."""

    month: str
    count: int | None
    told: bool = True


def _charts(tables: Sequence[CountsView], categories: Iterable[CategoryView]) -> Iterator[str]:
    points = {
        category: [Point(one.month, one.totals.get(category.code), category.code in one.totals) for one in tables]
        for category in categories
        if any(one.totals.get(category.code) is not None for one in tables)
    }
    scale = _scale(points.values())
    charts = (_chart(Text(one.id, one.en), line, scale) for one, line in points.items())
    yield f'<div class="charts">{"".join(charts)}</div>'


def _chart(title: Text, points: Sequence[Point], scale: int) -> str:
    """Draw columns over months to one scale; what is hidden is hatched to a height that says nothing."""
    told = [f"{one.month}: {HIDDEN.id if one.count is None else one.count}" for one in points if one.told]
    columns = []
    for place, one in enumerate(points):
        left, middle = place * STEP + 3, place * STEP + 3 + BAR // 2
        tall = HIGH // 4 if one.count is None else round(HIGH * one.count / scale)
        top, fill = HIGH + 12 - tall, "url(#hidden)" if one.count is None else "#2b6490"
        if one.told:
            columns.append(f'<rect x="{left}" y="{top}" width="{BAR}" height="{tall}" fill="{fill}"/>')
        if one.count is not None:
            columns.append(f'<text x="{middle}" y="{top - 2}" text-anchor="middle">{one.count}</text>')
        month = f"{one.month[2:4]}/{one.month[5:]}"
        columns.append(f'<text transform="translate({middle + 3},{HIGH + 44}) rotate(-90)">{month}</text>')
    label = escape(f"{title.id}. {', '.join(told)}", quote=True)
    wide = max(len(points) * STEP + 6, 60)
    return (
        f'<figure><svg role="img" aria-label="{label}" width="{wide}" height="{HIGH + 48}">{"".join(columns)}</svg>'
        f"<figcaption>{_both(title)}</figcaption></figure>"
    )


def _scale(lines: Iterable[Sequence[Point]]) -> int:
    return max((one.count for line in lines for one in line if one.count is not None), default=1) or 1


def _tables(tables: Iterable[CountsView], categories: Sequence[CategoryView]) -> str:
    made = (_table(table, categories, Text.same(table.month)) for table in tables)
    return f'<div class="tables">{"".join(made)}</div>'


def _table(table: CountsView, categories: Sequence[CategoryView], title: Text) -> str:
    shown = [category for category in categories if category.code in table.totals]
    heads = "".join(f'<th scope="col">{_both(Text(one.id, one.en))}</th>' for one in shown)
    rows = [(TOTAL, table.total, table.totals), *((Text(row.id, row.en), row.total, row.counts) for row in table.rows)]
    lines = "".join(
        f'<tr><th scope="row">{_both(name)}</th><td>{_number(total)}</td>'
        + "".join(f"<td>{_number(counts.get(one.code))}</td>" for one in shown)
        + "</tr>"
        for name, total, counts in rows
    )
    return (
        f"<details><summary>{_both(title)}</summary>"
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(title.id, quote=True)}"><table>'
        f'<thead><tr><th scope="col">{_both(REGION)}</th><th scope="col">{_both(TOTAL)}</th>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div></details>"
    )


def _number(count: int | None) -> str:
    return f'<span title="{escape(HIDDEN.id)}">-</span>' if count is None else str(count)


def _both(text: Text) -> str:
    if text.id == text.en:
        return escape(text.id)
    return f'{escape(text.id)} <span class="en" lang="en">{escape(text.en)}</span>'
