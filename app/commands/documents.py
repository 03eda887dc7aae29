"""`lintas agreements list | draft | publish`: the database's documents, from the operator's own machine."""

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.running import CannotGoOn, in_transaction, print_columns
from app.commands.written import load_document, parse_written, tell, why
from app.domain.errors import DomainError, PreconditionRequired
from app.domain.routing import effects
from app.domain.versions import Expected
from app.main import real_time
from app.storage import documents
from app.storage.documents import Draft, Published
from app.storage.reference import Reference, ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.check_document import Checked
from app.workflows.desk import Desk, Terms
from app.workflows.draft_document import draft_document
from app.workflows.publish_document import publish_document

EVERY = 100_000
Row = tuple[str, ...]


def add_to(group: typer.Typer) -> None:
    """Add these commands to `lintas agreements`."""
    group.command("list")(list_documents)
    group.command("draft")(draft)
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
    print(f"{kept.id} {kept.version}: rancangan / draft, revision {kept.revision}")


def publish(id_: Annotated[str, typer.Argument(metavar="ID")], version: Annotated[int, typer.Argument(min=1)]) -> None:
    """Check a draft and make it law, for good: every process decides by it from its own dates on."""

    async def make_law(tx: AsyncSession) -> tuple[Published, Checked]:
        desk = await desk_of(tx, to_change=True)
        return await publish_document(desk, None, id_, version, expected=None, moment=desk.now)

    try:
        kept, checked = in_transaction(make_law)
    except DomainError as error:
        raise why(error) from None
    for finding in checked.findings:
        tell([finding.message_id, finding.message_en])
    print(f"{kept.id} {kept.version}: terbit / published, sha256 {kept.sha256}")


async def desk_of(tx: AsyncSession, *, to_change: bool = False) -> Desk:
    """Lay out what a workflow on documents needs; the time is that after the wait for the registry."""
    keeper = ReferenceKeeper()
    reference = await keeper.current(tx, to_change=to_change)
    # Documents hold nothing sealed: the ring opens nothing.
    return Desk(tx, real_time().astimezone(UTC), reference, keeper, Terms(), KeyRing.generate("none"))


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
