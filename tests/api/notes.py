"""Routes of the tests' own, in the frame of the real ones."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.api.dependencies import CurrentCaller, Now, Receiver, Sender, Transaction
from app.api.etags import etag
from app.api.route import IDEMPOTENT, v1_router
from app.api.validation import Answer, Body, Whole
from app.storage.tables import audit

Sessions = async_sessionmaker[AsyncSession]
router = v1_router("notes")


class Note(Body):
    """Something to write down."""

    text: Annotated[str, Field(max_length=20)]
    stars: Whole = 0


class Written(Answer):
    """Something written down."""

    id: UUID
    by: str
    at: datetime


@router.post("/notes", status_code=201, openapi_extra=IDEMPOTENT)
async def write_note(note: Note, caller: Sender, tx: Transaction, now: Now, response: Response) -> Written:
    """Write something down."""
    note_id = uuid7()
    await tx.execute(audit.insert().values(id=note_id, action="note", subject="note", subject_id=note.text))
    await asyncio.sleep(0.05 if note.text == "slow" else 0)
    if note.text == "break":
        raise LookupError("secret words")
    response.headers["ETag"] = etag(1)
    return Written(id=note_id, by=caller.agency_code, at=now)


@router.post("/notes/refuse")
async def refuse_note(tx: Transaction, caller: Sender) -> JSONResponse:
    """Write something down and answer that it was not."""
    await tx.execute(audit.insert().values(id=uuid7(), action=caller.agency_code, subject="note", subject_id="x"))
    return JSONResponse({"no": True}, 409)


@router.post("/notes/lock")
async def lock_notes(tx: Transaction, _: Sender) -> dict[str, bool]:
    """Wait for a lock for longer than anybody may."""
    await tx.execute(text("SET LOCAL lock_timeout = '50ms'"))
    await tx.execute(text("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"))
    return {"locked": True}


@router.post("/notes/read", openapi_extra=IDEMPOTENT)
async def read_note(caller: Receiver) -> dict[str, str]:
    """Do what receivers may."""
    return {"by": caller.agency_code}


@router.get("/notes")
async def count_notes(_: CurrentCaller, tx: Transaction) -> dict[str, int]:
    """Count what was written down."""
    return {"count": await tx.scalar(select(func.count()).select_from(audit)) or 0}


async def notes_in(sessions: Sessions) -> int:
    async with sessions.begin() as tx:
        return await tx.scalar(select(func.count()).select_from(audit).where(audit.c.subject == "note")) or 0
