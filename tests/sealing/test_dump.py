"""Whoever takes the database away, its dump, its statistics, its files or its log finds nobody in it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.clock import SettableClock
from app.storage.database import open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.embedded_install import own_binaries
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.storage.tables import api_keys, deliveries, endpoints, finished_deliveries, referrals, sealed_fields
from app.storage.tables import events as event_rows
from app.workflows.desk import Terms
from app.workflows.rotate_seal import rotate_seal
from tests.sealing.filled import an_endpoint, changed
from tests.workflows.conftest import PPU, Service, a_referral, amend, serving
from tests.workflows.test_nothing_leaks import CANARY, a_canary_in_every_field, planted_in

EVERYTHING_LOGGED = {
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_error_verbosity": "verbose",
    "log_min_messages": "info",
    "log_min_error_statement": "info",
}
MANY = 40
"""Enough equal values for the planner to keep them as common ones."""
HEALTH, LAW = "rsud-parikesit", "uptd-ppa-ppu"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("dumped"), durable=False) as server:
        server.create_database("dumped_test")
        yield server


@pytest.fixture
async def used(
    server: EmbeddedPostgres, key_ring: KeyRing, clock: SettableClock, terms: Terms
) -> AsyncIterator[Service]:
    """A service on a server that logs whatever it is told, as an operator might have set it."""
    url = server.url("dumped_test")
    await asyncio.to_thread(migrate_to_head, url)
    # By an option of each connection: the server's own command line stands above its files.
    options = " ".join(f"-c {name}={value}" for name, value in EVERYTHING_LOGGED.items())
    engine = open_engine(make_url(url).update_query_dict({"options": options}).render_as_string(hide_password=False))
    async with serving(sessions_of(engine), key_ring, clock, terms) as service:
        yield service
    await engine.dispose()


async def use(service: Service) -> None:
    """Do with a person's data whatever can be done with it, through success and every kind of failure."""
    body = a_canary_in_every_field()
    key = {"Idempotency-Key": f"{CANARY}-key"}
    taken = await service.call("lpsk", "POST", "/referrals", json=body, headers=key)
    assert taken.status_code == 201, taken.text
    referral = taken.json()
    again = await service.call("lpsk", "POST", "/referrals", json=body, headers=key)
    assert again.json() == referral
    assert (await service.call("lpsk", "POST", "/referrals", json=body)).status_code == 409
    other = await service.call("lpsk", "POST", "/referrals", json=body | {"urgency": "urgent"}, headers=key)
    assert other.status_code == 422
    # The same person many times: what is common, the planner keeps.
    for number in range(MANY):
        same = body | {"sender_reference": f"{CANARY}-{number}", "urgency": "standard"}
        assert (await service.call("lpsk", "POST", "/referrals", json=same)).status_code == 201
    handoffs = {one["service_type"]: one["handoff"]["id"] for one in referral["service_requests"] if one["handoff"]}
    await service.act(HEALTH, handoffs["health_service"], "accept", note=f"{CANARY}-accept")
    await service.read(HEALTH, f"/handoffs/{handoffs['health_service']}")
    await service.act(LAW, handoffs["legal_service"], "decline", reason="no_capacity", note=f"{CANARY}-decline")
    await service.act(HEALTH, handoffs["health_service"], "hand-back", reason="other", note=f"{CANARY}-back")
    await amend(service, referral["id"], agency="lpsk", narrative=f"{CANARY}-amended", victim=body["victim"])
    for broken in (body | {"urgency": CANARY}, body | {"victim": {"name": CANARY + "\x00"}}, body | {CANARY: CANARY}):
        assert (await service.call("lpsk", "POST", "/referrals", json=broken)).status_code in {400, 422}
    await service.call("lpsk", "POST", f"/referrals/{referral['id']}/cancel", json={"reason": "other"})


async def break_constraints(service: Service) -> None:
    """Have the database itself refuse what the service writes: its message names the values of the row."""
    async with service.sessions() as session:
        row = (await session.execute(select(referrals).limit(1))).one()._mapping
        sealed = (await session.execute(select(sealed_fields).limit(1))).one()._mapping
    for wrong in (
        insert(referrals).values(dict(row)),
        insert(referrals).values(dict(row) | {"id": uuid7()}),
        insert(referrals).values(dict(row) | {"id": uuid7(), "sender_reference_hash": b"x", "mode": "neither"}),
        insert(referrals).values(dict(row) | {"id": uuid7(), "sender_reference_hash": None}),
        insert(sealed_fields).values(dict(sealed)),
        insert(sealed_fields).values(dict(sealed) | {"referral_id": uuid7()}),
    ):
        async with service.sessions() as session:
            with pytest.raises(IntegrityError):
                await session.execute(wrong)


async def let_deliveries_die(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Have deliveries in every state that one can end or wait in."""
    async with sessions.begin() as tx:
        rows = (await tx.execute(select(deliveries).limit(4))).all()
        assert len(rows) == 4, "nothing was to be delivered"
        for row, state in zip(rows, ("failed", "held", "superseded", "due"), strict=True):
            await tx.execute(update(deliveries).where(deliveries.c.id == row.id).values(state=state, attempts=10))
        for table in (event_rows, deliveries, finished_deliveries):
            await tx.execute(select(table).limit(1))


def dumped(server: EmbeddedPostgres, *options: str) -> str:
    """Dump the database as an operator would."""
    url = make_url(server.url("dumped_test"))
    program = own_binaries() / "pg_dump"
    answer = subprocess.run(  # noqa: S603 - our own program, no shell
        [program, *options, "-h", url.host or "", "-p", str(url.port), "-U", url.username or "", url.database or ""],
        env={**os.environ, "PGPASSWORD": url.password or ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


async def statistics_of_the_planner(sessions: async_sessionmaker[AsyncSession]) -> str:
    async with sessions.begin() as tx:
        await tx.execute(text("ANALYZE"))
        wide = await tx.scalars(text("SELECT row_to_json(s)::text FROM pg_stats s WHERE schemaname = 'public'"))
        return "\n".join(wide.all())


def files_of(place: Path) -> Iterator[tuple[Path, bytes]]:
    """Give every file of the cluster: tables, indexes, write-ahead log, what is deleted and not yet vacuumed."""
    for file in (place / "cluster").rglob("*"):
        with suppress(OSError):
            if file.is_file():
                yield file, file.read_bytes()


async def test_nobody_is_found_in_a_dump_the_planner_s_statistics_the_log_or_the_files(
    used: Service, server: EmbeddedPostgres, key_ring: KeyRing, tmp_path: Path
) -> None:
    for agency in ("lpsk", HEALTH, LAW, PPU):
        endpoint_id = await an_endpoint(used.sessions, key_ring, f"{CANARY}-carried", agency=agency)
        async with used.sessions.begin() as tx:
            await tx.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(state="active"))
    await use(used)
    await used.submit(a_referral())
    await break_constraints(used)
    await let_deliveries_die(used.sessions)
    rotated = await rotate_seal(used.sessions, changed(key_ring, tmp_path, add=("newer",), active="newer"))

    statistics = await statistics_of_the_planner(used.sessions)
    dump, rows = dumped(server), dumped(server, "--inserts", "--column-inserts")
    async with used.sessions.begin() as tx:
        await tx.execute(text("CHECKPOINT"))
    log = (server.data_dir / "postgres.log").read_text(errors="replace")

    assert rotated.is_whole
    for haystack in (statistics, dump, rows, log):
        assert planted_in(haystack) == []
    # What was looked through is what there is to look through.
    assert "idempotency_records" in dump
    assert all(f"COPY public.{name} " in dump for name in ("sealed_fields", "deliveries", "audit", "referrals"))
    assert "most_common_vals" in statistics
    assert "INSERT INTO referrals" in log
    assert "Parameters: $1" in log or "parameters: $1" in log
    assert "violates unique constraint" in log
    assert "Key (" in log
    found = [file.name for file, content in files_of(server.data_dir) if planted_in_bytes(content)]
    assert found == []


def planted_in_bytes(content: bytes) -> bool:
    return bool(planted_in(content.decode("latin-1")))


async def test_the_search_finds_what_is_not_sealed(used: Service, server: EmbeddedPostgres) -> None:
    async with used.sessions.begin() as tx:
        await tx.execute(update(api_keys).values(label=CANARY))
    await used.submit(a_referral())
    async with used.sessions.begin() as tx:
        await tx.execute(update(api_keys).values(label=CANARY))
        await tx.execute(text("CHECKPOINT"))

    assert planted_in(dumped(server)) == [CANARY]
    assert planted_in((server.data_dir / "postgres.log").read_text()) == [CANARY]
    assert any(planted_in_bytes(content) for _, content in files_of(server.data_dir))
