"""`lintas agreements check | coverage | explain | schema`: documents of the database, as files, or as shipped."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.documents import desk_of, named
from app.commands.running import CannotGoOn, has_database, in_transaction
from app.commands.written import read_document, why
from app.domain.analysis import check as findings_of
from app.domain.analysis import is_refused
from app.domain.articles import Article, articles
from app.domain.coverage import Cell, Coverage
from app.domain.coverage_page import CAPTION, answered, coverage_page, groups_of
from app.domain.document import Document
from app.domain.document_schema import document_schema
from app.domain.errors import DomainError
from app.domain.finding import Finding, Severity
from app.domain.gaps import place
from app.domain.review import Review
from app.domain.wording import Text, Wording
from app.reference.load import shipped
from app.service import real_time

SCHEMA = Path(__file__).parents[2] / "openapi" / "agreement.schema.json"
PLAIN = frozenset({"not_confirmed"})
"""Findings that say all without an example; the file of cases has one for each of them too."""
HINT = (
    "\n--cases FILE menulis semua contoh untuk / writes every witness for: lintas route FILE --with <dokumen/document>"
)
ACROSS = 2
"""How many regions stand beside each other in a terminal."""

What = Annotated[
    str,
    typer.Argument(
        metavar="FILE|ID",
        help="Berkas, atau id: dari basis data bila ada, jika tidak bawaan / a file, or an id: of the database where"
        " there is one, else a shipped one.",
    ),
]
Version = Annotated[int | None, typer.Option(help="Versi; bawaan: yang terbaru / default: the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="Untuk mesin / for machines.")]


class Language(StrEnum):
    """The language to say a document in."""

    INDONESIAN = "id"
    ENGLISH = "en"
    BOTH = "both"


Languages = Annotated[Language, typer.Option("--language", help="Bahasa / language.")]


def add_to(group: typer.Typer) -> None:
    """Add these commands to `lintas agreements`."""
    group.command("check")(check)
    group.command("coverage")(coverage)
    group.command("explain")(explain)
    group.command("schema")(schema)


def check(
    what: What,
    version: Version = None,
    cases: Annotated[Path | None, typer.Option(help="Tulis contoh kasus / write the witnesses as cases.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what refuses a document, and what its parties should know; exit 1 if anything refuses it."""
    review = _review(what, version)
    findings = findings_of(
        review.document,
        published=review.published,
        registry=review.registry,
        vocabulary=review.vocabulary,
        regions=review.regions,
        now=review.now,
    )
    if cases is not None:
        _write(cases, orjson.dumps([one.witness for one in findings if one.witness], option=orjson.OPT_INDENT_2))
    if as_json:
        _print_json([one.to_json() for one in findings])
    else:
        _show_findings(review.document, findings)
    if is_refused(findings):
        raise typer.Exit(1)


def coverage(
    what: What,
    version: Version = None,
    html: Annotated[Path | None, typer.Option(help="Tulis halaman HTML / write an HTML page.")] = None,
    language: Languages = Language.BOTH,
    as_json: AsJson = False,
) -> None:
    """Show who is offered each service in each region of a document, for whom, and by which clause."""
    review = _review(what, version)
    if html is not None:
        _write(html, coverage_page(review.coverage, review.wording).encode())
        print(html)
    elif as_json:
        _print_json([_cell_json(cell, review.coverage, review.wording) for cell in review.coverage.cells])
    else:
        _show_coverage(review.coverage, review.wording, language)


def explain(what: What, version: Version = None, language: Languages = Language.BOTH, as_json: AsJson = False) -> None:
    """Say a document as the numbered articles its parties would sign or correct."""
    review = _review(what, version)
    said = articles(review.document, review.registry, review.vocabulary, review.regions)
    if as_json:
        _print_json([article.to_json() for article in said])
        return
    console = _console()
    for article in said:
        _show_article(console, article, language)
    cited = [article.is_confirmed for article in said if article.is_confirmed is not None]
    console.print(
        f"{cited.count(True)}/{len(cited)} pasal sudah dikonfirmasi / articles with a confirmed source", soft_wrap=True
    )


def schema(
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file is as the code.")] = False,
) -> None:
    """Write the JSON Schema of documents to openapi/agreement.schema.json."""
    written = orjson.dumps(
        document_schema(shipped().vocabulary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    if not check:
        SCHEMA.parent.mkdir(exist_ok=True)
        SCHEMA.write_bytes(written)
    elif not SCHEMA.exists() or SCHEMA.read_bytes() != written:
        raise CannotGoOn(
            f"{SCHEMA} tidak sesuai dengan kode: jalankan `lintas agreements schema`",
            f"{SCHEMA} is not as the code says: run `lintas agreements schema`",
        )


def _review(what: str, version: int | None) -> Review:
    """Read a document beside the registry and the documents of where it comes from: the database, or what ships."""
    if not Path(what).exists() and not Path(what).suffix and (version is not None or has_database()):
        return _stored(what, version)
    reference = shipped()
    document = _document(what)
    return Review(
        document, reference.documents, reference.registry, reference.vocabulary, reference.regions, real_time()
    )


def _stored(id_: str, version: int | None) -> Review:
    async def read(tx: AsyncSession) -> Review:
        desk = await desk_of(tx)
        known = desk.reference
        document = await named(desk, id_, version)
        return Review(document, known.documents, known.registry, known.vocabulary, known.regions, desk.now)

    try:
        return in_transaction(read)
    except DomainError as error:
        raise why(error) from None


def _document(what: str) -> Document:
    """Take the shipped document of an id, else read the file."""
    by_id = {document.id: document for document in sorted(shipped().documents, key=lambda one: one.version)}
    if what in by_id and not Path(what).exists():
        return by_id[what]
    if not Path(what).exists() and not Path(what).suffix:
        known = ", ".join(by_id)
        sys.stderr.write(f"{what}: bukan berkas atau id dokumen bawaan ({known}) / no file, and no shipped id\n")
        raise typer.Exit(2)
    return read_document(Path(what))


def _console() -> Console:
    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False)


def _print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CannotGoOn(f"{path} tidak dapat ditulis: {why}", f"{path} cannot be written: {why}") from None


def _show_findings(document: Document, findings: Sequence[Finding]) -> None:
    console = _console()
    for severity, title in (
        (Severity.REFUSE, "DITOLAK karena / REFUSED because of"),
        (Severity.REPORT, "Perlu diketahui / to be known"),
    ):
        of_kind = [one for one in findings if one.severity is severity]
        if of_kind:
            console.print(f"{title}: {len(of_kind)}", style="bold")
            for one in of_kind:
                _show_finding(console, one)
    if any(one.witness for one in findings):
        console.print(HINT, soft_wrap=True)
    version = f"{document.id} versi / version {document.version}"
    said = "tidak dapat diterbitkan / cannot be published" if is_refused(findings) else "tidak ditolak / not refused"
    console.print(f"{version}: {said}", style="bold")


def _show_finding(console: Console, one: Finding) -> None:
    console.print(Styled(f"\n{one.code}", style="bold red" if one.severity is Severity.REFUSE else "bold yellow"))
    for line in (", ".join(one.clauses), one.message_id, one.message_en):
        if line:
            console.print(_indented(line, "  "))
    if one.witness is not None and one.code not in PLAIN:
        case = json.dumps(one.witness["facts"], ensure_ascii=False)
        console.print(_indented(f"contoh / witness: {case}", "  "), style="dim")


def _indented(line: str, by: str) -> Styled:
    return Styled(by + line)


def _show_coverage(table: Coverage, wording: Wording, language: Language) -> None:
    console = _console()
    document = table.document
    title = Text(document.title_id, document.title_en)
    for line in (*_said(title, language), *_said(CAPTION, language)):
        console.print(line)
    for start in range(0, len(table.rows), ACROSS):
        rows = table.rows[start : start + ACROSS]
        shown = Table(show_lines=True, expand=True)
        shown.add_column("\n".join(_said(Text("Layanan", "Service"), language)), ratio=2, overflow="fold")
        for row in rows:
            shown.add_column("\n".join(_said(place(row, wording), language)), ratio=4, overflow="fold")
        for service in table.services:
            cells = (table.at_place[service, row] for row in rows)
            name = "\n".join(_said(wording.service(service), language))
            shown.add_row(name, *("\n".join(_cell_lines(cell, table, wording, language)) for cell in cells))
        console.print(shown)


def _cell_lines(cell: Cell, table: Coverage, wording: Wording, language: Language) -> Iterator[str]:
    for answer, groups in groups_of(cell, table, wording):
        yield from _said(answered(answer, wording), language)
        for one in groups:
            yield f"  · {' / '.join(_said(one, language))}"
        clauses = cell.clauses(answer)
        if clauses:
            yield f"  [{', '.join(clauses)}]"


def _cell_json(cell: Cell, table: Coverage, wording: Wording) -> dict[str, object]:
    return {
        "service": cell.service,
        "region": cell.row.region,
        "decided_for": cell.row.example,
        "answers": [
            {
                "agency": answer.agency,
                "reason": answer.reason.value if answer.reason else None,
                "coordinator": answer.coordinator if answer.agency is None else None,
                "clauses": list(cell.clauses(answer)),
                "groups": [one.to_json() for one in groups],
            }
            for answer, groups in groups_of(cell, table, wording)
        ],
    }


def _show_article(console: Console, article: Article, language: Language) -> None:
    for one, word in ((Language.INDONESIAN, "Pasal"), (Language.ENGLISH, "Article")):
        if language in (one, Language.BOTH):
            console.print(f"{word} {article.number}. {article.heading.said(one.value)}", style="bold")
            for number, sentence in enumerate(article.sentences, 1):
                console.print(f"  ({number}) {sentence.said(one.value)}")
    console.print()


def _said(text: Text, language: Language) -> list[str]:
    """Say a text in the language asked for, or in both where they differ."""
    both: Iterable[str] = (text.id, text.en) if language is Language.BOTH else (text.said(language.value),)
    return list(dict.fromkeys(both))
