"""`lintas regions ...`: the list of regions."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.commands.running import CannotGoOn, in_transaction, print_columns
from app.domain.regions import Region
from app.reference.region_file import RegionFileInvalid, read_regions
from app.service import real_time
from app.workflows.import_regions import Imported, import_regions

LARGEST = 32 * 1024 * 1024

group = typer.Typer(no_args_is_help=True, help="Daftar wilayah / the list of regions.")


@group.callback()
def regions() -> None:
    """Look after the list of regions."""


@group.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: code,name,level,parent.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Hanya perlihatkan / only show what would change.")
    ] = False,
) -> None:
    """Take over a newer edition of the regions, and say what was renamed, split or retired and whom that touches."""
    edition = _read(file)
    found = in_transaction(lambda tx: import_regions(tx, edition, real_time(), dry_run=dry_run))
    rows = [("perubahan / change", "kode / code", "nama / name"), *_lines(found)]
    print_columns(rows)
    if dry_run:
        print("\nTidak ada yang diubah / nothing was changed.")


def _read(file: Path) -> list[Region]:
    try:
        if file.stat().st_size > LARGEST:
            raise CannotGoOn(f"{file} terlalu besar", f"{file} is too large")
        return read_regions(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        name = type(error).__name__
        raise CannotGoOn(f"{file} tidak dapat dibaca", f"{file} cannot be read ({name})") from None
    except RegionFileInvalid as invalid:
        raise CannotGoOn(f"{file} bukan daftar wilayah yang sah", f"{file} cannot be taken over:\n{invalid}") from None


def _lines(found: Imported) -> Iterator[tuple[str, ...]]:
    changes = found.changes
    yield from _each("baru / new", changes.added)
    for before, after in changes.renamed:
        yield ("berganti nama / renamed", before.code, f"{before.name} -> {after.name} ({after.level})")
    for code, parts in changes.split.items():
        yield ("dimekarkan / split", code, f"-> {', '.join(parts)}")
    for region in changes.retired:
        now = changes.recoded.get(region.code)
        yield ("tidak berlaku / retired", region.code, f"{region.name} -> {now}" if now else region.name)
    yield from _each("berlaku lagi / listed again", changes.listed_again)
    for touched in found.documents:
        yield ("dokumen / document", touched.name, ", ".join(touched.codes))
    for touched in found.agencies:
        yield ("lembaga / agency", touched.name, ", ".join(touched.codes))
    if changes.is_nothing:
        yield ("-", "-", "tidak ada perubahan / no change")


def _each(change: str, regions: Iterable[Region]) -> Iterator[tuple[str, ...]]:
    return ((change, region.code, region.name) for region in regions)
