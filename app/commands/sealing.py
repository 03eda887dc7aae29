"""`lintas keys rotate-seal`, `seal-status` and `forget-seal`: looking after the keys that seal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.commands.running import (
    CannotGoOn,
    Sessions,
    print_columns,
    ring_of,
    settings_with,
    unfit,
    with_sessions,
)
from app.storage import ring_checks
from app.storage.ring_checks import Flaw
from app.storage.sealing import KeyRing
from app.workflows.check_key_ring import check_key_ring
from app.workflows.rotate_seal import A_PORTION, Rotated, Status, rotate_seal, seal_status

AsJson = Annotated[bool, typer.Option("--json", help="Satu objek JSON / one JSON object.")]
LONGEST = timedelta(hours=12)
"""Counting and finding read whole tables, and hold no lock."""
A_LINE_EVERY = 2.0
"""Seconds between two lines of progress where there is no terminal."""


def rotate(
    portion: Annotated[
        int, typer.Option(min=1, max=5000, help="Baris per transaksi / rows in a transaction.")
    ] = A_PORTION,
    as_json: AsJson = False,
) -> None:
    """Seal everything anew under the ring's active key, while the service runs; exit 1 where anything is left."""
    ring = ring_of(settings_with())

    async def once(sessions: Sessions) -> Rotated:
        await _check(sessions, ring)
        with _progress() as on_progress:
            return await rotate_seal(sessions, ring, on_progress=on_progress, portion=portion)

    rotated = with_sessions(once, longest=LONGEST)
    if as_json:
        more = {"resealed": rotated.resealed, "broken": rotated.broken, "whole": rotated.is_whole}
        print(orjson.dumps(more | _plain(rotated.status, ring), option=orjson.OPT_INDENT_2).decode())
    else:
        _tell(rotated)
    if not rotated.is_whole:
        raise typer.Exit(1)


def status(as_json: AsJson = False) -> None:
    """Count what is sealed under which key of the ring, and say which keys may be taken out of it."""
    ring = ring_of(settings_with())

    async def once(sessions: Sessions) -> Status:
        await _check(sessions, ring)
        return await seal_status(sessions, ring)

    found = with_sessions(once, longest=LONGEST)
    if as_json:
        print(orjson.dumps(_plain(found, ring), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found, ring)


def forget(key_id: str) -> None:
    """Forget by what a key is known again: one that nothing is sealed under and that no process has."""
    ring = ring_of(settings_with())

    async def once(sessions: Sessions) -> Status:
        found = await seal_status(sessions, ring)
        if not found.under(key_id) and not any(key_id in one.holds for one in found.holders):
            async with sessions.begin() as tx:
                await ring_checks.forget(tx, [key_id])
        return found

    found = with_sessions(once, longest=LONGEST)
    if under := found.under(key_id):
        raise CannotGoOn(f"{under} baris disegel dengan kunci ini", f"{under} rows are sealed under this key")
    if holding := [one.process for one in found.holders if key_id in one.holds]:
        raise CannotGoOn(f"masih dipegang: {', '.join(holding)}", f"it is still held by {', '.join(holding)}")
    print(f"{key_id}: dilupakan / forgotten")


async def _check(sessions: Sessions, ring: KeyRing) -> None:
    flaws = await check_key_ring(sessions, ring)
    if flaws is None:
        raise CannotGoOn("jalankan `lintas migrate` lebih dahulu", "run `lintas migrate` first")
    # A key that was lost keeps nobody from saving the rest.
    if wrong := [one for one in flaws if one.flaw is not Flaw.MISSING]:
        raise unfit(wrong)


def _tell(rotated: Rotated) -> None:
    found = rotated.status
    if rotated.refused:
        names = ", ".join(one.process for one in rotated.refused)
        raise CannotGoOn(
            f"tidak ada yang disegel ulang: kunci {found.active} belum ada pada {names}; beri gantungan kunci yang baru"
            " dan mulai ulang proses itu",
            f"nothing was sealed anew: {names} cannot open by the key {found.active} yet;"
            " give it the new key ring and start it anew",
        )
    print(f"disegel ulang / sealed anew under {found.active}: {rotated.resealed:,}")
    if rotated.broken:
        print(f"tidak dapat dibuka, dibiarkan / do not open, left as they are: {rotated.broken:,}")
    for key_id in found.key_ids:
        if key_id != found.active and (under := found.under(key_id)):
            print(f"masih disegel dengan / still sealed under {key_id}: {under:,}")
    for one in found.sealing_otherwise:
        print(
            f"{one.process}: menyegel dengan {one.active}; mulai ulang, lalu jalankan perintah ini lagi"
            f" / seals under {one.active}; start it anew, then run this again"
        )
    if rotated.is_whole:
        print("selesai: tidak ada yang tersisa / done: nothing is left under another key")


def _show(found: Status, ring: KeyRing) -> None:
    key_ids = sorted({*found.key_ids, *ring.ids})
    rows = [("disegel dengan / sealed under", "tempat / place", "baris / rows")]
    for key_id in key_ids:
        here = [(name, number) for name, of in found.counts.items() if (number := of.get(key_id))]
        rows += [(key_id, name, f"{number}") for name, number in here] or [(key_id, "-", "0")]
    print_columns(rows)
    print()
    for key_id in key_ids:
        print(f"{key_id}: {_said_of(key_id, found, ring)}")
    if found.holders:
        print()
        print_columns(
            [
                ("proses / process", "menyegel / seals under", "memegang / holds"),
                *((one.process, one.active, ",".join(sorted(one.holds))) for one in found.holders),
            ]
        )


def _said_of(key_id: str, found: Status, ring: KeyRing) -> str:
    if key_id == found.active:
        return "aktif / active"
    if found.may_go(key_id):
        return "boleh dikeluarkan / may be taken out"
    if not ring.holds(key_id):
        return "HILANG / MISSING from the ring"
    return "masih dipakai / still in use"


def _plain(found: Status, ring: KeyRing) -> dict[str, Any]:
    key_ids = sorted({*found.key_ids, *ring.ids})
    return {
        "active": found.active,
        "keys": {
            key_id: {
                "rows": found.under(key_id),
                "in_ring": ring.holds(key_id),
                "may_be_taken_out": found.may_go(key_id),
                "places": {name: of[key_id] for name, of in found.counts.items() if key_id in of},
            }
            for key_id in key_ids
        },
        "processes": [
            {"process": one.process, "seals_under": one.active, "holds": sorted(one.holds), "seen_at": one.seen_at}
            for one in found.holders
        ],
    }


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, Any] = {}

        def show(place: str, done: int, total: int) -> None:
            if place not in tasks:
                tasks[place] = progress.add_task(place, total=total)
            progress.update(tasks[place], completed=done, total=total)

        yield show


def _lines() -> Callable[[str, int, int], None]:
    last: dict[str, float] = {}

    def show(place: str, done: int, total: int) -> None:
        now = monotonic()
        if total and (done == total or now - last.get(place, 0) >= A_LINE_EVERY):
            last[place] = now
            print(f"{place}: {done:,} / {total:,}", file=sys.stderr, flush=True)

    return show
