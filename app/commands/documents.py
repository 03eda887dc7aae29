"""`lintas agreements list | draft | confirm | withdraw | publish`: what the database has, from its own machine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.running import CannotGoOn, Sessions, in_transaction, print_columns, settings_with, with_sessions
from app.commands.written import load_document, parse_written, tell, why
from app.domain.document import Document
from app.domain.errors import DocumentInvalid, DomainError, NotFound, PreconditionRequired
from app.domain.proposals import Proposal
from app.domain.routing import effects
from app.domain.versions import Expected
from app.main import real_time, second_person_of
from app.storage import documents
from app.storage.documents import Draft, Published
from app.storage.reference import Reference, ReferenceKeeper, hold_still
from app.storage.sealing import KeyRing
from app.workflows.ask_to_publish import ask_to_publish
from app.workflows.check_document import check_document
from app.workflows.confirm_clause import confirm_clause
from app.workflows.desk import Desk, Terms
from app.workflows.draft_document import document_of, draft_document, draft_in
from app.workflows.publish_document import Publication
from app.workflows.withdraw_draft import withdraw_draft

EVERY = 100_000
DAY = "%Y-%m-%d"
Row = tuple[str, ...]


def add_to(group: typer.Typer) -> None:
    """Add these commands to `lintas agreements`."""
    group.command("list")(list_documents)
    group.command("draft")(draft)
    group.command("confirm")(confirm)
    group.command("withdraw")(withdraw)
    group.command("publish")(publish)


def list_documents() -> None:
    """List the documents of the database with their versions and drafts."""
    print_columns(in_transaction(_listed))


def draft(
    file: Annotated[Path, typer.Argument(help="YAML or JSON.")],
    replace: Annotated[bool, typer.Option("--replace", help="Ganti rancangan / replace the draft.")] = False,
) -> None:
    """Keep a file as the draft of the version it names; it binds nobody until it is published."""
    loaded = load_document(file)

    async def keep(tx: AsyncSession) -> Draft:
        desk = await desk_of(tx)
        document = parse_written(file, loaded, desk.reference.vocabulary, desk.reference.regions)
        expected = Expected(None) if replace else None
        return await draft_document(desk, None, document.id, document.version, document.to_json(), expected)

    try:
        kept = in_transaction(keep)
    except PreconditionRequired:
        raise CannotGoOn(
            "versi ini sudah punya rancangan; ganti dengan --replace", "there is a draft; replace it with --replace"
        ) from None
    except DomainError as error:
        raise why(error) from None
    _show_draft(kept)


def publish(id_: Annotated[str, typer.Argument(metavar="ID")], version: Annotated[int, typer.Argument(min=1)]) -> None:
    """Check a draft and make it law, for good: every process decides by it from its own dates on."""
    terms = second_person_of(settings_with())

    async def make_law(sessions: Sessions) -> Publication | Proposal:
        keeper = ReferenceKeeper()
        async with sessions.begin() as tx:
            reference = await keeper.current(tx)
            document = await draft_in(tx, reference, id_, version)
        # A large document takes a while, and nobody should wait for that.
        ahead = await check_document(reference, document, real_time()) if document else None
        async with sessions.begin() as tx:
            await hold_still(tx)
            desk = await desk_of(tx, keeper)
            return await ask_to_publish(
                desk, None, id_, version, terms=terms, expected=None, clock=real_time, ahead=ahead
            )

    try:
        law = with_sessions(make_law)
    except DomainError as error:
        raise why(error) from None
    if isinstance(law, Proposal):
        print(f"{law.id}: menunggu operator lain / waits for another operator until {law.expires_at:%Y-%m-%d %H:%M %Z}")
        print(f"POST /v1/proposals/{law.id}/confirm")
        return
    checked, kept = law.checked, law.kept
    for finding in checked.findings:
        tell([finding.message_id, finding.message_en])
    print(f"{kept.id} {kept.version}: terbit / published, sha256 {kept.sha256}")


def confirm(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    clause: Annotated[str, typer.Argument(metavar="CLAUSE", help="Kunci klausul / the key of the clause.")],
    by: Annotated[str, typer.Option(help="Lembaga dan jabatan / agency and office; everybody will read it.")],
    on: Annotated[datetime | None, typer.Option(formats=[DAY], help="Bawaan: hari ini / default: today.")] = None,
    begins: Annotated[
        datetime | None, typer.Option("--from", formats=[DAY], help="Berlaku sejak; bawaan: besok / default: tomorrow.")
    ] = None,
) -> None:
    """Draft the next version, in which the source of one clause is confirmed; a draft of it is added to."""

    async def keep(tx: AsyncSession) -> Draft:
        desk = await desk_of(tx)
        day, since = on.date() if on else None, begins.date() if begins else None
        return await confirm_clause(desk, None, id_, clause, by=by, on=day, begins=since)

    try:
        kept = in_transaction(keep)
    except DocumentInvalid as invalid:
        tell(f"{id_}: {fault.pointer}: {fault.message}" for fault in invalid.faults)
        raise typer.Exit(2) from None
    _show_draft(kept)


def withdraw(id_: Annotated[str, typer.Argument(metavar="ID")], version: Annotated[int, typer.Argument(min=1)]) -> None:
    """Take a draft back; what is published stays."""

    async def take_back(tx: AsyncSession) -> None:
        await withdraw_draft(await desk_of(tx), None, id_, version, Expected(None))

    try:
        in_transaction(take_back)
    except NotFound:
        raise
    except DomainError as error:
        raise why(error) from None
    print(f"{id_} {version}: ditarik / withdrawn")


def _show_draft(kept: Draft) -> None:
    print(f"{kept.id} {kept.version}: rancangan / draft, revision {kept.revision}")


async def desk_of(tx: AsyncSession, keeper: ReferenceKeeper | None = None) -> Desk:
    """Lay out what a workflow on documents needs; the time is that after the wait for the registry."""
    keeper = keeper or ReferenceKeeper()
    reference = await keeper.current(tx)
    # Documents hold nothing sealed: the ring opens nothing.
    return Desk(tx, real_time().astimezone(UTC), reference, keeper, Terms(), KeyRing.generate("none"))


async def named(desk: Desk, id_: str, version: int | None) -> Document:
    """Read a version of the database: that one, else the newest, a draft before what is published; else NotFound."""
    drafted = await documents.drafts_of(desk.tx, [id_])
    newest = max((one.version for one in drafted), default=await documents.newest_version(desk.tx, id_))
    return await document_of(desk, id_, version or newest)


async def _listed(tx: AsyncSession) -> list[Row]:
    desk = await desk_of(tx)
    ids = await documents.ids_after(tx, None, EVERY, with_drafts=True)
    rows: list[Row] = [("id", "version", "status", "begins", "ends", "in force", "sha256")]
    rows += [_published(one, desk.reference, desk) for one in await documents.versions_of(tx, ids)]
    rows += [(one.id, str(one.version), "draft", "-", "-", "-", "-") for one in await documents.drafts_of(tx, ids)]
    return [rows[0], *sorted(rows[1:], key=lambda row: (row[0], int(row[1])))]


def _published(one: Published, reference: Reference, desk: Desk) -> Row:
    effect = next(
        (e for e in effects(reference.documents) if (e.document.id, e.document.version) == (one.id, one.version)), None
    )
    begins = effect.begins.isoformat() if effect else "-"
    ends = effect.ends.isoformat() if effect and effect.ends else "-"
    counts = effect is not None and effect.begins <= desk.now and (effect.ends is None or desk.now < effect.ends)
    return one.id, str(one.version), "published", begins, ends, "yes" if counts else "no", one.sha256
