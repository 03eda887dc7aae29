"""An agency's receiver: it verifies a webhook, keeps it, answers at once, and works on it afterwards."""

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from standardwebhooks import Webhook, WebhookVerificationError

API_URL, API_KEY = os.environ["API_URL"], os.environ["API_KEY"]
# One, or while it is being rotated the new and the old one, with a space between them.
WEBHOOKS = [Webhook(secret) for secret in os.environ["WEBHOOK_SECRETS"].split()]
INBOX = os.environ.get("INBOX", "inbox.sqlite")
LONGEST_BODY = 64 * 1024

log = logging.getLogger("uvicorn.error")
woken = threading.Event()


# --- the inbox: what was answered with 2xx lies on the disk, and a crash loses none of it ---


def inbox() -> closing[sqlite3.Connection]:
    """Open the inbox, for one thread; a commit is on the disk when it returns."""
    db = sqlite3.connect(INBOX, timeout=10)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    return closing(db)


TABLES = """
    CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL DEFAULT 0, done_at INTEGER);
    CREATE INDEX IF NOT EXISTS inbox_open ON inbox (due_at) WHERE done_at IS NULL;
    CREATE TABLE IF NOT EXISTS handoffs (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL);
"""


def keep(webhook_id: str, body: str) -> None:
    """Keep a webhook; one that is there already, done or not, stays as it is."""
    with inbox() as db, db:
        db.execute("INSERT INTO inbox (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING", (webhook_id, body))


# --- the answer ---


@asynccontextmanager
async def running(_: FastAPI) -> AsyncIterator[None]:
    """Work beside the answers, as long as the receiver runs."""
    with inbox() as db:
        db.executescript(TABLES)
    threading.Thread(target=work, daemon=True).start()
    yield


app = FastAPI(lifespan=running)


@app.post("/lintas")
async def receive(request: Request) -> Response:
    """Take a webhook: 204 once it is kept, 401 if no secret fits or it was signed more than five minutes ago."""
    body = b""  # the bytes as they came: they are what is signed
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return Response(status_code=413)
    if not any(fits(webhook, body, request.headers) for webhook in WEBHOOKS):
        return Response(status_code=401)
    await run_in_threadpool(keep, request.headers["webhook-id"], body.decode())
    woken.set()
    return Response(status_code=204)


def fits(webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> bool:
    """Say whether one of the signatures is by this secret, and not too old."""
    try:
        webhook.verify(body, dict(headers))
    except (WebhookVerificationError, ValueError):  # ValueError: what is no base64, no UTF-8 or no JSON
        return False
    return True


# --- the work, after the answer ---


def work() -> None:
    """Work on what is due, one after the other, for ever."""
    with inbox() as db, httpx.Client(base_url=API_URL, headers={"Authorization": f"Bearer {API_KEY}"}) as api:
        while True:
            woken.clear()
            try:
                if not work_on_one(db, api):
                    woken.wait(1)
            except sqlite3.Error:  # such as a full disk
                log.exception("the inbox cannot be worked on")
                time.sleep(1)


def work_on_one(db: sqlite3.Connection, api: httpx.Client) -> bool:
    """Work on one webhook, if one is due; what fails is tried again after 1, 2, 4 ... seconds, at most 300."""
    due = "SELECT id, body, tries FROM inbox WHERE done_at IS NULL AND due_at <= ? ORDER BY rowid LIMIT 1"
    if (row := db.execute(due, (time.time(),)).fetchone()) is None:
        return False
    webhook_id, body, tries = row
    try:
        handoff = handle(db, api, json.loads(body))
    except Exception as error:  # noqa: BLE001 - it stays in the inbox, and the next one is worked on
        log.warning("webhook %s is tried again later: %r", webhook_id, error)
        again_at = int(time.time()) + min(2 ** min(tries, 9), 300)
        with db:
            db.execute("UPDATE inbox SET tries = tries + 1, due_at = ? WHERE id = ?", (again_at, webhook_id))
        return True
    with db:  # what became of it, and that it is done: both or neither
        if handoff is not None:
            remember(db, handoff)
        db.execute("UPDATE inbox SET done_at = ? WHERE id = ?", (int(time.time()), webhook_id))
    return True


def handle(db: sqlite3.Connection, api: httpx.Client, news: Mapping[str, Any]) -> tuple[str, int, str] | None:
    """Do what a webhook asks for, and give the handoff's id, sequence and state; after a crash it may be done twice."""
    data = news["data"]
    if news["type"] == "endpoint.verification":
        answer = api.post(f"/v1/endpoints/{data['endpoint_id']}/verify", json={"challenge": data["challenge"]})
        if answer.status_code != 422:  # 422: another challenge has taken its place
            answer.raise_for_status()
    if not news["type"].startswith("handoff."):
        return None  # types that you do not know are let be: there will be new ones
    known = db.execute("SELECT sequence FROM handoffs WHERE id = ?", (data["handoff_id"],)).fetchone()
    if known is not None and known[0] >= data["sequence"]:
        return None  # webhooks come in any order, and this one is overtaken
    # Built from the id and not taken from `url`: so the key goes to nobody but Lintas.
    answer = api.get(f"/v1/handoffs/{data['handoff_id']}")
    if answer.status_code in {403, 404}:  # it is not yours to see any more
        return data["handoff_id"], data["sequence"], data["state"]
    handoff = answer.raise_for_status().json()
    # Here your own code takes over, once or twice with the same result: it writes into your case system, or calls
    # who is on duty. What it reads of the victim belongs there, and not into this file or a log.
    log.info("handoff %s is %s, to do: %s", handoff["id"], handoff["state"], handoff["available_actions"])
    return handoff["id"], handoff["sequence"], handoff["state"]


def remember(db: sqlite3.Connection, handoff: tuple[str, int, str]) -> None:
    """Keep the newest state of a handoff; an older one changes nothing."""
    db.execute(
        "INSERT INTO handoffs (id, sequence, state) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET sequence = excluded.sequence, state = excluded.state WHERE excluded.sequence > handoffs.sequence",
        handoff,
    )
