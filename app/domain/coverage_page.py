"""The coverage table as one self-contained HTML page: no script, nothing from elsewhere, fit to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from app.domain.coverage import Answer, Cell, Coverage
from app.domain.gaps import place
from app.domain.groups import EVERYONE, group
from app.domain.vocabulary import Reason
from app.domain.wording import Text, Wording

REASONS = {
    Reason.DENIED: Text("dilarang", "denied"),
    Reason.UNDETERMINED: Text("fakta belum cukup", "undetermined"),
    Reason.AMBIGUOUS: Text("klausul bertentangan", "ambiguous"),
    Reason.CHAIN_EXHAUSTED: Text("semua sudah ditanya", "everyone was asked"),
    Reason.UNROUTABLE: Text("tidak ada aturan yang menunjuk", "no rule names anybody"),
}
TITLE = Text("Cakupan layanan", "Service coverage")
CAPTION = Text(
    "Siapa yang pertama ditawari tiap layanan bila kejadian, domisili, dan keberadaan korban di satu wilayah.",
    "Who is offered each service first when incident, domicile and victim are in one region.",
)
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } p { margin: .2rem 0; }
.wide { overflow-x: auto; margin-top: 1rem; }
table { border-collapse: collapse; min-width: 100%; }
caption { text-align: left; padding-bottom: .5rem; } caption span { display: block; }
th, td { border: 1px solid #8a8a8a; padding: .4rem .55rem; text-align: left; vertical-align: top; }
thead th { background: #e8eef4; } tbody th { background: #f5f5f5; }
ul { margin: 0; padding-left: 1.1rem; } li { margin: 0 0 .35rem; }
.en, .by { color: #4a4a4a; font-size: .87em; } .by { display: block; overflow-wrap: anywhere; }
.waits { border-left: .3rem solid #a33a00; padding-left: .5rem; margin-left: -.8rem; list-style: none; }
.waits > ul { list-style: circle; }
@media (max-width: 45rem) {
  body { margin: .8rem; } caption > * { position: sticky; left: 0; max-width: calc(100vw - 3rem); }
  tbody th, thead th:first-child { position: sticky; left: 0; min-width: 8rem; max-width: 8rem; }
  td { min-width: 15rem; }
  thead th:first-child { background: #e8eef4; z-index: 1; } th { overflow-wrap: break-word; hyphens: auto; }
}
@media print {
  body { margin: 0; font-size: 10px; } .wide { overflow: visible; } thead { display: table-header-group; }
  tr { break-inside: avoid; } @page { size: A4 landscape; margin: 12mm; }
}
"""


def coverage_page(table: Coverage, wording: Wording) -> str:
    """Write the page, in Indonesian and English."""
    return "\n".join(_page(table, wording)) + "\n"


def answered(answer: Answer, wording: Wording) -> Text:
    """Say who takes the service, or that its coordinator is asked and why."""
    if answer.agency is not None:
        return Text.same(wording.agency(answer.agency))
    why = REASONS[answer.reason or Reason.UNROUTABLE]
    who = wording.agency(answer.coordinator) if answer.coordinator else "?"
    return Text(f"koordinator {who}: {why.id}", f"coordinator {who}: {why.en}")


def groups_of(cell: Cell, table: Coverage, wording: Wording) -> Iterator[tuple[Answer, list[Text]]]:
    """List who answers in a cell and for whom; nothing is said of the groups where all are answered alike."""
    for answer, boxes in cell.answers().items():
        said = [group(box, table, wording) for box in boxes]
        yield answer, [] if said == [EVERYONE] else said


def _page(table: Coverage, wording: Wording) -> Iterable[str]:
    document = table.document
    title = Text(f"{TITLE.id}: {document.title_id}", f"{TITLE.en}: {document.title_en}")
    yield '<!doctype html>\n<html lang="id">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title.id)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f'<h1>{escape(title.id)}</h1>\n<p class="en" lang="en">{escape(title.en)}</p>'
    at = table.at.isoformat(timespec="minutes")
    yield f"<p>{escape(document.id)}, versi / version {document.version}; pada / at {escape(at)}</p>"
    label = escape(f"{TITLE.id} / {TITLE.en}", quote=True)
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{label}">\n<table>'
    yield f"<caption><div>{_both(CAPTION)}</div></caption>\n<thead>"
    yield f'<tr><th scope="col">{_both(Text("Layanan", "Service"))}</th>'
    yield from (f'<th scope="col">{_both(place(row, wording))}</th>' for row in table.rows)
    yield "</tr>\n</thead>\n<tbody>"
    for service in table.services:
        yield f'<tr><th scope="row">{_both(wording.service(service))}</th>'
        for row in table.rows:
            yield from _cell(table.at_place[service, row], table, wording)
        yield "</tr>"
    yield "</tbody>\n</table>\n</div>\n</main>\n</body>\n</html>"


def _cell(cell: Cell, table: Coverage, wording: Wording) -> Iterator[str]:
    yield "<td><ul>"
    for answer, groups in groups_of(cell, table, wording):
        kind = ' class="waits"' if answer.agency is None else ""
        yield f"<li{kind}>{_both(answered(answer, wording))}"
        if groups:
            yield f"<ul>{''.join(f'<li>{_both(one)}</li>' for one in groups)}</ul>"
        clauses = cell.clauses(answer)
        if clauses:
            yield f'<span class="by">{escape(", ".join(clauses))}</span>'
        yield "</li>"
    yield "</ul></td>"


def _both(text: Text) -> str:
    if text.id == text.en:
        return escape(text.id)
    return f'{escape(text.id)} <span class="en" lang="en">{escape(text.en)}</span>'
