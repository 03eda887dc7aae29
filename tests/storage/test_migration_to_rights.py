# ruff: noqa: S608
"""Cases that ended before learn when they did and how they are kept, and survive the way back."""

import asyncio
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import text

from app.storage.database import open_engine
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import configuration, migrate_to_head

BEFORE = "0013-1"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of its own."""
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("rights"), durable=False) as server:
        server.create_database("rights_test")
        yield server.url("rights_test")


A_HANDOFF = (
    """INSERT INTO decisions (id, service_request_id, referral_id, facts_version, consent, tried, registry_version,
        code_sets_version, engine, cause, outcome, result, decided_at)
        VALUES ({one}, {one}, {one}, 1, true, '{{}}', 0, 1, '1', 'submitted', 'offered', '{{}}', now())""",
    """INSERT INTO handoffs (id, referral_id, service_request_id, decision_id, agency_code, state, urgency, respond,
        respond_by, offered_at, changed_at)
        VALUES ({one}, {one}, {one}, {one}, 'a', 'completed', 'urgent', 'PT1H', now(), now(), '2025-03-05T00:00Z')""",
)


def a_case(number: int, state: str, request: str, body: str, *, handoff: bool = False) -> list[str]:
    """The rows of a case of before, all its ids of one digit."""
    one = f"'00000000-0000-0000-0000-00000000000{number}'"
    columns = "id, sender_code, sender_reference_hash, holder_code, mode, urgency, state, received_at"
    values = f"{one}, 'a', '\\x0{number}', 'a', 'referral', 'urgent', '{state}', '2025-03-02T00:00Z'"
    made = [
        f"INSERT INTO referrals ({columns}) VALUES ({values})",
        f"INSERT INTO facts (referral_id, version, body, recorded_at) VALUES ({one}, 1, '{body}', now())",
        f"INSERT INTO service_requests (id, referral_id, service_type, state) VALUES ({one}, {one}, 's', '{request}')",
    ]
    if handoff:
        made += [statement.format(one=one) for statement in A_HANDOFF]
    return made


CASES = [
    *a_case(1, "closed", "fulfilled", '{"victim": {"age": 31}, "case_types": ["physical"]}', handoff=True),
    *a_case(2, "cancelled", "cancelled", '{"victim": {"age": 17}, "case_types": ["trafficking"]}'),
    *a_case(3, "closed", "unmet", '{"victim": {"age": 40}, "case_types": ["trafficking"]}'),
    *a_case(4, "entered_in_error", "cancelled", '{"victim": {"age": null}, "case_types": []}'),
    *a_case(5, "open", "offered", '{"victim": {"age": 31}, "case_types": []}'),
]


async def test_cases_of_before_are_kept_from_their_end_on_by_class_and_ending(url: str) -> None:
    await asyncio.to_thread(migrate_to_head, url)
    await asyncio.to_thread(command.downgrade, configuration(url), BEFORE)
    engine = open_engine(url, application_name="lintas tests")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO agencies VALUES ('a', '{}', 0)")
        for statement in CASES:
            await connection.exec_driver_sql(statement)

    for _ in range(2):
        await asyncio.to_thread(migrate_to_head, url)
        async with engine.begin() as connection:
            found = (
                await connection.execute(text("SELECT kept_as, ended_at::date::text FROM referrals ORDER BY id"))
            ).all()
        await asyncio.to_thread(command.downgrade, configuration(url), BEFORE)

        assert [tuple(row) for row in found] == [
            ("adult.served", "2025-03-05"),
            ("child.cancelled", "2025-03-02"),
            ("trafficking.unserved", "2025-03-02"),
            ("child.entered_in_error", "2025-03-02"),
            (None, None),
        ]
    await asyncio.to_thread(migrate_to_head, url)
    await engine.dispose()


async def test_an_answer_that_was_emptied_is_gone_after_the_way_back(url: str) -> None:
    await asyncio.to_thread(migrate_to_head, url)
    engine = open_engine(url, application_name="lintas tests")
    async with engine.begin() as connection:
        for key, answer in (("a", ""), ("b", "sealed")):
            await connection.exec_driver_sql(
                "INSERT INTO idempotency_records (agency_code, key_hash, request_hash, status, answer, expires_at)"
                f" VALUES ('a', '{key}', '', 201, '{answer}', now())"
            )

    await asyncio.to_thread(command.downgrade, configuration(url), BEFORE)
    async with engine.begin() as connection:
        left = (await connection.scalars(text("SELECT answer FROM idempotency_records"))).all()
    await engine.dispose()

    assert left == [b"sealed"]
