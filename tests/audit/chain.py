"""What the tests of the audit start from: a chain of entries, its anchors, and a database owner who tampers with it."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from structlog.testing import capture_logs

from app.domain.audit_anchors import read_anchors
from app.domain.audit_findings import FindingKind, Verified
from app.observability import configure_logging
from app.storage import audit
from app.storage.sealing import KeyRing
from app.workflows.link_audit import SIGNS_FOR, Said, link_audit
from app.workflows.verify_audit import verify_audit

Sessions = async_sessionmaker[AsyncSession]


async def write(sessions: Sessions, *names: str) -> None:
    """Write an entry for each name, each in a transaction of its own."""
    for name in names:
        async with sessions.begin() as tx:
            await audit.record(tx, None, "referral.read", subject="referral", subject_id=name, fields=["victim.name"])


async def link(sessions: Sessions, key_ring: KeyRing, *, batch: int = 3) -> list[dict[str, Any]]:
    """Link what there is, and give the anchors that were said."""
    with capture_logs() as lines:
        await link_audit(sessions, key_ring, Said(), batch=batch)
    return [dict(line) for line in lines if line["event"] == "audit_head"]


async def a_chain(sessions: Sessions, key_ring: KeyRing, *, entries: int = 9) -> list[bytes]:
    """Write and link entries, three a segment, and give the log with their anchors."""
    await write(sessions, *(f"case-{number}" for number in range(entries)))
    return logged(await link(sessions, key_ring))


def logged(heads: list[dict[str, Any]]) -> list[bytes]:
    """Write anchors as the lines of a log."""
    return [json.dumps(head, default=lambda one: one.isoformat()).encode() for head in heads]


@contextmanager
def real_log() -> Iterator[io.StringIO]:
    """Catch the log as it is written in earnest."""
    out, before = io.StringIO(), structlog.get_config()
    configure_logging(stream=out)
    try:
        yield out
    finally:
        structlog.configure(**before)


async def verify(sessions: Sessions, key_ring: KeyRing, log: list[bytes] | None) -> Verified:
    """Look through the audit as an operator does."""
    anchors = None if log is None else read_anchors(log)
    return await verify_audit(sessions, key_ring.signing_key(SIGNS_FOR).public_key(), anchors)


async def found(sessions: Sessions, key_ring: KeyRing, log: list[bytes] | None) -> set[FindingKind]:
    """Say which kinds of fault are found."""
    return set((await verify(sessions, key_ring, log)).counts)


async def tamper(sessions: Sessions, *statements: str) -> None:
    """Change the database as somebody who owns it can: no trigger stands in the way."""
    async with sessions.begin() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await tx.execute(text(statement))
