"""`lintas audit ...`: looking through the chain, the story of one case, and dropping what was kept for long enough."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.audit_report import print_verified
from app.commands.running import CannotGoOn, Sessions, ring_of, settings_with, with_sessions
from app.domain.audit_anchors import Anchor, read_anchors
from app.domain.audit_chain import PublicKeyInvalid, key_id, read_key, written_key
from app.domain.audit_findings import Verified
from app.domain.audit_story import action_said, purpose_said, result_said
from app.domain.registry import WESTERN
from app.storage import audit as entries
from app.storage import audit_chain
from app.workflows.drop_audit import Dropped, drop_audit
from app.workflows.link_audit import SIGNS_FOR
from app.workflows.verify_audit import verify_audit

group = typer.Typer(no_args_is_help=True, help="Jejak audit / the audit.")

Anchors = Annotated[Path, typer.Option(help="Log dengan baris audit_head / a log with lines of audit_head.")]
AsJson = Annotated[bool, typer.Option("--json", help="Satu objek JSON / one JSON object.")]


@group.command()
def key() -> None:
    """Print the public key by which anyone can check what was signed; keep it apart from database and key ring."""
    public = ring_of(settings_with()).signing_key(SIGNS_FOR).public_key()
    print(f"{written_key(public)}  {key_id(public)}")


@group.command()
def verify(
    anchors: Annotated[
        Path | None, typer.Option(help="Log dengan baris audit_head / a log with lines of audit_head.")
    ] = None,
    public_key: Annotated[str | None, typer.Option(help="Bawaan: dari gantungan kunci / default: the ring's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look through the whole audit: exit 1 if anything was changed, removed, added, cut off or written anew."""
    public = _public_key(public_key)

    async def look(sessions: Sessions) -> Verified:
        total = await _entries(sessions)
        with _progress(total) as on_progress, _opened(anchors) as given:
            return await verify_audit(sessions, public, given, on_progress=on_progress)

    verified = with_sessions(look)
    print_verified(verified, as_json=as_json)
    if not verified.is_sound:
        raise typer.Exit(1)


@group.command("drop")
def drop_(
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"], help="Lebih lama dari / older than, UTC.")
    ],
    anchors: Anchors,
) -> None:
    """Drop whole segments that are older and that an anchor vouches for; needs the role that owns the tables."""
    ring = ring_of(settings_with())
    moment = before.replace(tzinfo=UTC) if before.tzinfo is None else before

    async def once(sessions: Sessions) -> Dropped:
        async with sessions.begin() as tx:
            if not await audit_chain.may_be_changed(tx):
                raise CannotGoOn(
                    "peran basis data ini tidak boleh menghapus: pakai peran pemilik tabel",
                    "this database role may not delete: use the role that owns the tables",
                )
        total = await _entries(sessions)
        with _progress(total) as on_progress, _opened(anchors) as given:
            return await drop_audit(sessions, ring, given or (), before=moment, on_progress=on_progress)

    dropped = with_sessions(once)
    if dropped.is_refused:
        print_verified(dropped.verified, as_json=False)
        print("\nTidak ada yang dihapus / nothing was dropped.")
        raise typer.Exit(1)
    print(f"dihapus / dropped: {dropped.entries:,} (segmen / segments <= {dropped.up_to})")


@group.command()
def of(
    referral: UUID,
    zone: Annotated[str | None, typer.Option(help="Zona waktu, mis. Asia/Makassar / time zone.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the story of one case: when, who, what, what for, which fields, and with what result."""
    chosen = _zone(zone) if zone else None

    async def read(tx: AsyncSession) -> list[dict[str, Any]]:
        found = [dict(row) for row in await audit_chain.of_referral(tx, referral)]
        await entries.record(
            tx, None, "audit.read", subject="referral", subject_id=referral, referral_id=referral if found else None
        )
        return found

    async def once(sessions: Sessions) -> list[dict[str, Any]]:
        async with sessions.begin() as tx:
            return await read(tx)

    found = with_sessions(once)
    if not found:
        raise CannotGoOn("tidak ada jejak perkara ini", "the audit holds nothing of this case")
    if as_json:
        for entry in found:
            print(orjson.dumps({name: _plain(value) for name, value in entry.items() if value is not None}).decode())
        return
    at = chosen or _zone(WESTERN)
    for entry in found:
        _tell(entry, at)


def _tell(entry: Mapping[str, Any], zone: ZoneInfo) -> None:
    who = entry["agency_name"] or entry["agency_code"] or "Lintas"
    if entry["roles"]:
        who += f" ({', '.join(entry['roles'])})"
    lines = [f"{entry['at'].astimezone(zone):%Y-%m-%d %H:%M:%S %Z}  {who}"]
    lines.append(f"    {action_said(entry['action'], entry['result'])}")
    lines.append(f"    tujuan / purpose: {purpose_said(entry['purpose'])}")
    if entry["fields"]:
        lines.append(f"    data pribadi / personal fields: {', '.join(entry['fields'])}")
    lines.append(f"    hasil / result: {result_said(entry['result'], entry['basis'])}")
    print("\n".join(lines))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CannotGoOn("zona waktu tidak dikenal", "there is no such time zone") from None


def _public_key(written: str | None) -> Ed25519PublicKey:
    if written is None:
        return ring_of(settings_with()).signing_key(SIGNS_FOR).public_key()
    try:
        return read_key(written)
    except PublicKeyInvalid as error:
        raise CannotGoOn("kunci publik tidak dapat dibaca", str(error)) from None


async def _entries(sessions: Sessions) -> int:
    async with sessions() as session:
        end = await audit_chain.last_segment(session)
    return end.entries if end else 0


@contextmanager
def _opened(file: Path | None) -> Iterator[Iterator[Anchor] | None]:
    if file is None:
        yield None
        return
    try:
        with file.open("rb") as lines:
            yield read_anchors(lines)
    except OSError as error:
        raise CannotGoOn(f"{file}: tidak dapat dibaca", f"{file}: cannot be read ({type(error).__name__})") from None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("entri / entries", total=total)
        yield lambda done: progress.update(task, completed=done)
