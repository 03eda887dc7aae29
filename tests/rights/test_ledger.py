"""After a restore the ledger erases again what had been erased, as often as it is applied, and nothing else."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text

from app.domain.rights import Erasure, ErasureCause
from app.storage import erasure_ledger
from app.storage.erasure_ledger import Forged, Unreadable
from app.storage.sealing import KeyRing
from app.workflows.apply_ledger import Applied, apply_ledger
from app.workflows.desk import Desk
from app.workflows.erase_referral import erase_referral
from tests.rights.officers import a_finished_case, a_telling_referral, ask, done, lines_of, rows
from tests.workflows.conftest import Service

AT = datetime(2025, 3, 4, 1, tzinfo=UTC)


def an_erasure() -> Erasure:
    return Erasure(uuid4(), uuid4(), AT, ErasureCause.REQUEST)


async def apply(service: Service, written: bytes) -> Applied:
    return await apply_ledger(
        service.sessions, service.key_ring, service.terms, written.splitlines(keepends=True), now=service.clock()
    )


async def backed_up(service: Service) -> dict[str, list[str]]:
    """What a restore would bring back of the cases."""
    found = {}
    async with service.sessions.begin() as tx:
        for table in ("referrals", "facts", "data_keys", "sealed_fields"):
            found[table] = list(await tx.scalars(text(f"SELECT row_to_json(t)::text FROM {table} t")))  # noqa: S608
    return found


async def restore(service: Service, backup: dict[str, list[str]]) -> None:
    """Bring the cases back to what they were."""
    async with service.sessions.begin() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for table, written in backup.items():
            await tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608
            for row in written:
                await tx.execute(
                    text(f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, CAST(:row AS json))"),  # noqa: S608
                    {"row": row},
                )


async def test_a_restored_person_is_erased_again_and_again_is_once(service: Service, ledger: Path) -> None:
    erased, kept = await a_finished_case(service), await a_finished_case(service)
    backup = await backed_up(service)
    stands = await done(service, f"/referrals/{erased['id']}/erase")
    written = read(ledger)
    service.clock.advance(timedelta(days=3))
    await restore(service, backup)
    assert len(await rows(service, "SELECT 1 FROM data_keys")) == 2

    first, second = await apply(service, written), await apply(service, written)

    assert (first.entries, first.erased, first.already) == (1, 1, 0)
    assert (second.entries, second.erased, second.already) == (1, 0, 1)
    left = await rows(service, "SELECT referral_id::text AS id FROM data_keys")
    assert [row.id for row in left] == [kept["id"]]
    assert read(ledger) == written
    again = await ask(service, "GET", f"/referrals/{erased['id']}/rights")
    assert again.json()["erased_at"] == stands["erased_at"]
    (entry,) = await rows(service, "SELECT * FROM audit WHERE basis = 'ledger'")
    assert (entry.action, entry.agency_code) == ("rights.erase", None)


async def test_an_erasure_that_was_written_down_and_not_committed_is_done_by_asking_again(
    service: Service, ledger: Path
) -> None:
    referral = await a_finished_case(service)
    async with service.sessions() as tx:
        reference = await service.keeper.current(tx)
        desk = Desk(tx, service.clock(), reference, service.keeper, service.terms, service.key_ring)
        await erase_referral(desk, None, UUID(referral["id"]))
        await tx.rollback()
    assert len(await rows(service, "SELECT 1 FROM data_keys")) == 1

    await done(service, f"/referrals/{referral['id']}/erase")

    assert len(lines_of(ledger)) == 2
    applied = await apply(service, read(ledger))
    assert (applied.entries, applied.already) == (2, 2)


async def test_a_hold_or_an_emergency_that_a_restore_brought_back_stops_nothing(service: Service, ledger: Path) -> None:
    referral = await service.submit(a_telling_referral(urgency="emergency"))
    hold = await done(service, f"/referrals/{referral['id']}/legal-holds", reason="complaint")
    backup = await backed_up(service)
    entry = Erasure(uuid4(), UUID(referral["id"]), AT, ErasureCause.REQUEST)
    erasure_ledger.append(ledger, service.key_ring, entry)
    await restore(service, backup)

    applied = await apply(service, read(ledger))

    assert applied.erased == 1
    assert hold["lifted_at"] is None
    assert not await rows(service, "SELECT 1 FROM data_keys")


async def test_a_case_that_the_restored_database_never_had_is_counted_and_passed_over(service: Service) -> None:
    entry = an_erasure()
    line = json.dumps(dict(entry.written(erasure_ledger.digest(service.key_ring, entry)))).encode()

    assert await apply(service, line) == Applied(entries=1, unknown=1)


async def test_nobody_without_the_key_ring_can_have_a_case_erased_through_a_ledger(service: Service) -> None:
    referral = await a_finished_case(service)
    other = KeyRing.generate("other")
    entry = Erasure(uuid4(), UUID(referral["id"]), AT, ErasureCause.REQUEST)
    theirs = json.dumps(dict(entry.written(erasure_ledger.digest(other, entry)))).encode()
    ours = entry.written(erasure_ledger.digest(service.key_ring, entry))
    changed = json.dumps({**ours, "cause": "retention"}).encode()

    applied = await apply(service, theirs + b"\n" + changed + b"\n")

    assert applied == Applied(forged=[1, 2])
    assert len(await rows(service, "SELECT 1 FROM data_keys")) == 1


async def test_a_line_that_was_cut_short_is_said_and_the_next_one_stands_by_itself(
    service: Service, ledger: Path
) -> None:
    first, second = await a_finished_case(service), await a_finished_case(service)
    await done(service, f"/referrals/{first['id']}/erase")
    whole = read(ledger)
    write(ledger, whole + whole[:90])

    await done(service, f"/referrals/{second['id']}/erase")
    applied = await apply(service, read(ledger))

    assert read(ledger).count(b"\n") == 3
    assert (applied.entries, applied.already, applied.unreadable) == (2, 2, [2])


def test_a_log_with_the_lines_among_others_is_a_ledger_too(key_ring: KeyRing) -> None:
    entry = an_erasure()
    line = json.dumps({"timestamp": "now", **entry.written(erasure_ledger.digest(key_ring, entry))}).encode()
    log = [
        b'{"event": "request", "status": 200}\n',
        b"plain text\n",
        b"\n",
        line,
        b'{"event": "erasure"}',
        b'{"event": "era',
    ]

    assert list(erasure_ledger.read(log, key_ring)) == [entry, Unreadable(5), Unreadable(6)]


def test_a_digest_is_of_all_that_an_entry_says(key_ring: KeyRing) -> None:
    entry = an_erasure()
    digest = erasure_ledger.digest(key_ring, entry)

    for other in (
        replace(entry, id=uuid4()),
        replace(entry, referral_id=uuid4()),
        replace(entry, cause=ErasureCause.RETENTION),
        replace(entry, at=AT.replace(year=2026)),
    ):
        line = json.dumps(dict(other.written(digest))).encode()
        assert list(erasure_ledger.read([line], key_ring)) == [Forged(1)]


def test_many_writers_lose_no_line(ledger: Path, key_ring: KeyRing) -> None:
    entries = [an_erasure() for _ in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: erasure_ledger.append(ledger, key_ring, one), entries))

    found = list(erasure_ledger.read(ledger.read_bytes().splitlines(), key_ring))
    assert {one.id for one in found if isinstance(one, Erasure)} == {one.id for one in entries}
    assert len(lines_of(ledger)) == 60
    assert ledger.stat().st_mode & 0o077 == 0


def read(ledger: Path) -> bytes:
    return ledger.read_bytes()


def write(ledger: Path, content: bytes) -> None:
    ledger.write_bytes(content)
