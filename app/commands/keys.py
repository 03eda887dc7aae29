"""`lintas keys create | list | rotate | revoke`: who may call, from the service's own machine."""

import sys
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from app.commands import narrowing
from app.commands.running import CannotGoOn, in_transaction, print_columns
from app.domain.caller import Role
from app.domain.errors import KeyReplaced
from app.main import real_time
from app.storage import api_keys
from app.workflows import rotate_key as rotating
from app.workflows.issue_key import issue_key
from app.workflows.revoke_key import revoke_key


def add_to(group: typer.Typer) -> None:
    """Add these commands to `lintas keys`."""
    group.command("create")(create)
    group.command("list")(list_)
    group.command("rotate")(rotate)
    group.command("revoke")(revoke)


def create(
    agency: Annotated[str, typer.Option(help="Kode lembaga / agency code.")],
    role: Annotated[list[Role], typer.Option(help="Boleh diulang / may be repeated.")],
    label: Annotated[str, typer.Option(help="Untuk apa / what it is for.")] = "",
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Masa berlaku, hari / days until it expires.")
    ] = None,
    scope: narrowing.Scopes = None,
) -> None:
    """Issue a key. It is shown now and never again."""
    end = real_time() + timedelta(days=days) if days else None
    scopes = narrowing.narrowed(scope, role)
    issued = in_transaction(
        lambda tx: issue_key(tx, agency_code=agency, roles=role, label=label, expires_at=end, scopes=scopes)
    )
    print(f"{issued.id}: simpan kunci ini sekarang / keep this key now:", file=sys.stderr)
    print(issued.secret)


def list_(agency: Annotated[str | None, typer.Option(help="Kode lembaga / agency code.")] = None) -> None:
    """List keys, without the keys themselves."""
    rows: list[tuple[str, ...]] = [
        (
            "id",
            "agency",
            "roles",
            "scopes",
            "state",
            "created",
            "expires",
            "last used",
            "revoked",
            "replaced by",
            "label",
        )
    ]
    for key in in_transaction(lambda tx: api_keys.listed(tx, agency_code=agency)):
        times = (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
        said = (moment.isoformat(timespec="seconds") if moment else "-" for moment in times)
        successor = str(key.replaced_by) if key.replaced_by else "-"
        scopes = "-" if key.scopes is None else ",".join(key.scopes)
        rows.append((str(key.id), key.agency_code, ",".join(key.roles), scopes, key.state, *said, successor, key.label))
    print_columns(rows)


def rotate(
    key_id: UUID,
    overlap_days: Annotated[
        int,
        typer.Option(
            min=0,
            max=rotating.LONGEST_OLD_VALID_FOR.days,
            help="Hari kunci lama masih berlaku / days for which the old key works too.",
        ),
    ] = rotating.OLD_VALID_FOR.days,
) -> None:
    """Issue a key in place of another: both work until the old one's end. It is shown now and never again."""
    overlap = timedelta(days=overlap_days)
    try:
        issued, ends_at = in_transaction(
            lambda tx: rotating.rotate_key(tx, key_id, now=real_time(), old_valid_for=overlap)
        )
    except KeyReplaced:
        raise CannotGoOn(
            "kunci ini sudah diganti: ganti penggantinya", "this key was rotated: rotate what replaced it"
        ) from None
    print(f"{issued.id}: simpan kunci ini sekarang / keep this key now:", file=sys.stderr)
    print(issued.secret)
    end = ends_at.isoformat(timespec="seconds")
    print(f"{key_id}: berlaku sampai / works until {end}", file=sys.stderr)


def revoke(key_id: UUID) -> None:
    """Revoke a key, from the very next request on."""
    ended = in_transaction(lambda tx: revoke_key(tx, key_id, now=real_time()))
    print(f"{key_id}: dicabut / revoked")
    if ended.replaced_by is not None:
        print(f"{ended.replaced_by}: penggantinya tetap ada / what it was rotated to lives on", file=sys.stderr)
