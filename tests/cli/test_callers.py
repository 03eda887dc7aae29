"""Certificates and token subjects on the command line, as an operator registers and ends them."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from app.cli import cli
from app.commands.running import CannotGoOn
from app.domain.access_token import TokenHolder
from app.domain.caller import Role
from app.domain.errors import NotFound, UnknownAgency
from app.storage import token_subjects
from app.storage.tables import audit
from tests.api.notes import Sessions
from tests.conftest import KeyFactory
from tests.delivery.certificates import Authority

FINGERPRINT = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
async def an_agency(monkeypatch: pytest.MonkeyPatch, database_url: str, a_key: KeyFactory) -> None:
    """An agency in the database that the command line speaks to."""
    monkeypatch.setenv("LINTAS_DATABASE_URL", database_url)
    await a_key("dp3a-kukar", Role.SENDER)


async def lintas(*arguments: str) -> Result:
    """Run a command, which has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, cli, ["keys", *arguments])


async def add(*arguments: str) -> Result:
    return await lintas("add-certificate", "--agency", "dp3a-kukar", "--role", "sender", *arguments)


async def test_a_certificate_is_registered_listed_and_revoked(sessions: Sessions) -> None:
    added = await add("--fingerprint", FINGERPRINT.upper(), "--scope", "referrals:create", "--label", "server 1")

    assert added.exit_code == 0, added.output
    certificate_id = added.stdout.partition(":")[0]
    listed = (await lintas("list-certificates", "--agency", "dp3a-kukar")).stdout
    assert re.search(
        rf"{certificate_id} +dp3a-kukar +sender +referrals:create .* fingerprint +{FINGERPRINT} +server 1", listed
    )
    assert isinstance((await add("--fingerprint", FINGERPRINT)).exception, CannotGoOn)
    assert (await lintas("revoke-certificate", certificate_id)).exit_code == 0
    assert isinstance((await lintas("revoke-certificate", certificate_id)).exception, NotFound)
    async with sessions.begin() as tx:
        entries = (await tx.execute(select(audit.c.action, audit.c.purpose, audit.c.subject_id))).all()
    assert [tuple(entry) for entry in entries] == [
        ("certificate.register", "administer", certificate_id),
        ("certificate.revoke", "administer", certificate_id),
    ]


async def test_a_certificate_in_a_file_ends_when_it_says_so(tmp_path: Path) -> None:
    file = tmp_path / "kukar.pem"
    file.write_text(Authority().issue("kukar").certificate)

    added = await add("--file", str(file), "--days", "400")

    assert added.exit_code == 0, added.output
    row = (await lintas("list-certificates")).stdout.splitlines()[1].split()
    created, expires = row[4:6]
    assert created < expires
    assert expires[:4] in {created[:4], str(int(created[:4]) + 1)}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--fingerprint", "ab" * 20),
        ("--fingerprint", FINGERPRINT, "--subject", "CN=a"),
        ("--subject", ""),
        ("--file", "there-is-no-such-file.pem"),
        ("--fingerprint", FINGERPRINT, "--scope", "handoffs:accept"),
    ],
    ids=["nothing", "sha-1", "two", "empty", "no-file", "scope-of-another-role"],
)
async def test_what_is_no_certificate_is_not_registered(arguments: tuple[str, ...]) -> None:
    assert isinstance((await add(*arguments)).exception, CannotGoOn)
    assert len((await lintas("list-certificates")).stdout.splitlines()) == 1


async def test_a_certificate_is_an_agency_s() -> None:
    run = await lintas("add-certificate", "--agency", "nobody", "--role", "sender", "--subject", "CN=a")

    assert isinstance(run.exception, UnknownAgency)


async def test_a_subject_is_listed_by_the_id_that_the_audit_knows_and_can_be_revoked(sessions: Sessions) -> None:
    holder = TokenHolder("https://sso.example", "client-7", "dp3a-kukar", frozenset({Role.SENDER}), None, None)
    async with sessions.begin() as tx:
        assert await token_subjects.note(tx, holder)
        assert await token_subjects.note(tx, holder)

    listed = (await lintas("list-subjects")).stdout.splitlines()

    assert len(listed) == 2
    assert listed[1].split()[0] == str(holder.id)
    assert listed[1].split()[-2:] == ["https://sso.example", "client-7"]
    assert (await lintas("revoke-subject", str(holder.id))).exit_code == 0
    async with sessions.begin() as tx:
        assert await token_subjects.caller_of(tx, holder) is None


async def test_a_narrowed_key_is_listed_with_its_scopes() -> None:
    made = await lintas(
        "create",
        "--agency",
        "dp3a-kukar",
        "--role",
        "receiver",
        "--scope",
        "handoffs:read",
        "--scope",
        "handoffs:accept",
    )

    assert made.exit_code == 0, made.output
    assert "handoffs:accept,handoffs:read" in (await lintas("list")).stdout
