"""`lintas rights ...`: what an operator does for the person of a case, and erases again after a restore."""

import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import typer

from app.commands.running import CannotGoOn, Sessions, print_columns, ring_of, settings_with, with_sessions
from app.domain.errors import DomainError, NotFound
from app.domain.held_text import written
from app.domain.registry import WESTERN
from app.domain.rights import (
    AlreadyAnswered,
    EmergencyRunning,
    HoldLifted,
    HoldReason,
    LedgerUnavailable,
    NotRestricted,
    ReferralErased,
    RestrictionReason,
    Right,
    UnderLegalHold,
)
from app.main import real_time, retention_of
from app.storage import rights as kept
from app.storage.reference import ReferenceKeeper
from app.workflows import answer_rights, apply_ledger, erase_referral, export_referral, hold_referral, restrict_referral
from app.workflows.desk import Desk, Terms

group = typer.Typer(no_args_is_help=True, help="Hak orang yang datanya disimpan / the rights of persons.")

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Satu objek JSON / one JSON object.")]

SAID: dict[type[DomainError], tuple[str, str]] = {
    UnderLegalHold: (
        "ditahan demi hukum: akhiri penahanannya lebih dahulu",
        "a legal hold keeps it: lift that first",
    ),
    EmergencyRunning: (
        "keadaan darurat ini masih berjalan",
        "it is an emergency that has not ended",
    ),
    LedgerUnavailable: (
        "buku penghapusan tidak dapat ditulis; tidak ada yang dihapus",
        "the erasure ledger cannot be written; nothing was erased",
    ),
    ReferralErased: ("data sudah dihapus", "it is erased"),
    NotRestricted: ("tidak dibatasi", "it is not restricted"),
    HoldLifted: ("penahanan sudah diakhiri", "the hold was lifted before"),
    AlreadyAnswered: ("sudah dijawab", "it was answered before"),
}


@group.command()
def erase(
    referral: UUID,
    yes: Annotated[bool, typer.Option("--yes", help="Tanpa bertanya / without asking.")] = False,
) -> None:
    """Erase the person of a referral, for good."""
    if not yes and not typer.confirm("Hapus untuk selamanya / erase for good?"):
        raise typer.Exit(1)
    case = _at_desk(lambda desk: erase_referral.erase_referral(desk, None, referral))
    print(f"{referral}: dihapus / erased {case.referral.erased_at:%Y-%m-%dT%H:%M:%SZ}")


@group.command("apply-ledger")
def apply_ledger_(file: Path, as_json: AsJson = False) -> None:
    """After a restore, before `serve` and `work`: erase again all that a ledger, or a log with its lines, tells of."""
    settings = settings_with()
    ring, terms, now = ring_of(settings), _terms(), real_time()

    async def once(sessions: Sessions) -> apply_ledger.Applied:
        with file.open("rb") as lines:
            return await apply_ledger.apply_ledger(sessions, ring, terms, lines, now=now)

    try:
        applied = with_sessions(once)
    except OSError as error:
        raise CannotGoOn(f"{file}: tidak dapat dibaca", f"{file}: cannot be read ({type(error).__name__})") from None
    counts = {
        "entries": applied.entries,
        "erased": applied.erased,
        "already": applied.already,
        "unknown": applied.unknown,
        "unreadable": len(applied.unreadable),
        "forged": len(applied.forged),
    }
    if as_json:
        print(orjson.dumps(counts).decode())
    else:
        words = {
            "entries": "catatan / entries",
            "erased": "dihapus lagi / erased again",
            "already": "sudah terhapus / erased before",
            "unknown": "tidak ada di basis data ini / not in this database",
            "unreadable": "baris terpotong / lines cut short",
            "forged": "bukan tulisan layanan ini / not written by this service",
        }
        print_columns([(words[name], str(count)) for name, count in counts.items()])
    for line in (*applied.unreadable, *applied.forged):
        print(f"{file}:{line}", file=sys.stderr)
    if applied.forged:
        raise typer.Exit(1)


@group.command("export")
def export_(
    referral: UUID,
    as_json: AsJson = False,
    language: Annotated[str | None, typer.Option(help="id, en; bawaan keduanya / default both.")] = None,
) -> None:
    """Print all that is held on the person of a referral: look through it before it is handed over."""
    if language not in {None, "id", "en"}:
        raise CannotGoOn("bahasa: id atau en", "language: id or en")
    reading = _Read()

    async def read(desk: Desk) -> dict[str, Any]:
        reading.desk = desk
        return await export_referral.export_referral(desk, None, referral)

    held = _at_desk(read)
    if as_json:
        print(orjson.dumps(held, option=orjson.OPT_INDENT_2).decode())
        return
    desk, zone = reading.in_use, ZoneInfo(WESTERN)
    vocabulary = desk.reference.vocabulary
    for english in [language == "en"] if language else [False, True]:
        print(written(held, english=english, zone=zone, vocabulary=vocabulary, name_of=desk.name_of))


@group.command()
def request(
    referral: UUID,
    right: Right,
    asked: Annotated[datetime, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="Kapan diminta / when asked.")],
) -> None:
    """Record what a person asked for; 3 x 24 hours count from when they asked."""
    _, made = _at_desk(lambda desk: answer_rights.record_request(desk, None, referral, right, asked_at=asked))
    print(f"{made.id}: {right.value}, batas waktu / due {made.due_at.isoformat()}")


@group.command("list")
def list_() -> None:
    """List what persons asked for and nobody has answered, that which is due first on top."""
    now = real_time()
    rows: list[tuple[str, ...]] = [("id", "referral", "right", "asked", "due", "hours left")]
    for waiting in _at_desk(lambda desk: kept.open_requests(desk.tx, None, after=None, limit=1000)):
        one = waiting.request
        left = (one.due_at - now).total_seconds() / 3600
        times = (one.asked_at.isoformat(timespec="minutes"), one.due_at.isoformat(timespec="minutes"))
        rows.append((str(one.id), str(one.referral_id), one.right.value, *times, f"{left:.1f}"))
    print_columns(rows)


@group.command()
def restrict(referral: UUID, reason: RestrictionReason = RestrictionReason.PERSON_ASKED) -> None:
    """Restrict a referral: nobody sees or moves it, until that is lifted."""
    _at_desk(lambda desk: restrict_referral.restrict_referral(desk, None, referral, reason))
    print(f"{referral}: dibatasi / restricted")


@group.command("lift-restriction")
def lift_restriction(referral: UUID) -> None:
    """Lift the restriction of a referral."""
    _at_desk(lambda desk: restrict_referral.lift_restriction(desk, None, referral))
    print(f"{referral}: tidak dibatasi lagi / not restricted any more")


@group.command()
def hold(referral: UUID, reason: HoldReason) -> None:
    """Keep a referral from being erased until the hold is lifted."""
    _, made = _at_desk(lambda desk: hold_referral.hold_referral(desk, None, referral, reason))
    print(f"{made.id}: ditahan / held")


@group.command("lift-hold")
def lift_hold(
    hold_id: UUID, reason: Annotated[str, typer.Option(help="ended, set_in_error, other.")] = "ended"
) -> None:
    """Lift a legal hold."""
    if reason not in {"ended", "set_in_error", "other"}:
        raise CannotGoOn("alasan: ended, set_in_error, other", "reason: ended, set_in_error, other")
    _at_desk(lambda desk: hold_referral.lift_hold(desk, None, hold_id, reason))
    print(f"{hold_id}: diakhiri / lifted")


@dataclass(slots=True)
class _Read:
    desk: Desk | None = None

    @property
    def in_use(self) -> Desk:
        if self.desk is None:
            raise AssertionError("nothing was read")
        return self.desk


def _terms() -> Terms:
    settings = settings_with()
    return Terms(
        public_url=settings.reached_at,
        fallback_coordinator=settings.fallback_coordinator,
        retention=retention_of(settings),
        erasure_ledger=settings.ledger,
    )


def _at_desk(what: Callable[[Desk], Coroutine[Any, Any, T]]) -> T:
    ring, terms, now = ring_of(settings_with()), _terms(), real_time().astimezone(UTC)
    keeper = ReferenceKeeper()

    async def once(sessions: Sessions) -> T:
        async with sessions.begin() as tx:
            return await what(Desk(tx, now, await keeper.current(tx), keeper, terms, ring))

    try:
        return with_sessions(once)
    except NotFound:
        raise
    except DomainError as error:
        if type(error) in SAID:
            raise CannotGoOn(*SAID[type(error)]) from None
        raise
