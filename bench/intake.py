"""An intake by two programs: the product, and the one of `bench.unsealed`, on the same rules, process and database."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.api.application import build
from app.api.examples import REFERRAL
from app.api.intake import ReferralSubmission
from app.api.validation import Judging, judged_by
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.intake import Submission
from app.main import ROUTERS
from app.storage import api_keys
from app.storage.database import sessions_of
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.storage.tables import agencies, endpoints
from app.workflows.desk import Desk, Terms
from app.workflows.manage_endpoint import Wanted, register_endpoint
from app.workflows.seed import seed
from app.workflows.submit_referral import submit_referral
from bench import unsealed
from bench.posting import LOOPBACK
from bench.unsealed import NoKeys, unsealed_fields

Sessions = async_sessionmaker[AsyncSession]
Story = Callable[[Desk, Caller, Submission], Awaitable[Case]]

NOW = datetime(2025, 3, 4, 1, tzinfo=UTC)
SENDER = "dp3ap2kb-ppu"
WITH, WITHOUT = "sealed and audited", "in clear, no audit"
NUMBERS = count()

CONTACT = {"phone": "+62 800 0000 001", "address": "Jl. Contoh 12, RT 004, Kelurahan Contoh", "instructions": "Pagi."}
SAID: dict[str, Any] = REFERRAL | {
    "case": REFERRAL["case"] | {"police_reported_at": "2025-03-02T09:00:00+08:00"},
    "victim": {
        "name": "Nama yang dikarang",
        "national_id": "6409000000000000",
        "birth_date": "1993-05-17",
        "sex": "female",
        "citizenship": "ID",
        "disability_needs": "Membutuhkan pendamping bahasa isyarat.",
        "safe_contact": CONTACT,
        "guardian": {"name": "Wali yang dikarang", "relation": "relative", "contact": CONTACT, "is_perpetrator": False},
    },
    "requested_by": "victim",
    "condition": {"physical": "Luka memar, sudah diobati.", "psychological": "Sulit tidur.", "family": "Dua anak."},
    "purpose": "Pendampingan hukum, pemeriksaan kesehatan dan dukungan psikologis.",
    "narrative": "Contoh yang dikarang, bukan kejadian nyata. " * 30,
    "services": [
        {"type": "legal_service", "note": "Memerlukan pendampingan untuk laporan polisi."},
        {"type": "health_service", "note": "Visum sudah diminta."},
        {"type": "psychological_support"},
    ],
}


def referral() -> dict[str, Any]:
    """Write a referral that was not sent before, of a person who was not either."""
    number = next(NUMBERS)
    said = deepcopy(SAID) | {"sender_reference": f"bench/{number}"}
    said["victim"]["national_id"] = f"6409{number:012}"
    said["victim"]["name"] += " " + "".join(chr(ord("a") + int(digit)) for digit in str(number))
    return said


def headers_of(secret: str) -> dict[str, str]:
    """Write the headers of a request that was not sent before."""
    return {"Authorization": f"Bearer {secret}", "Idempotency-Key": f"bench-{next(NUMBERS)}"}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two programs."""

    name: str
    ring: KeyRing
    story: Story
    api: FastAPI


class Both:
    """What both programs share: the process, the database, the rules, the caller."""

    def __init__(self, engine: AsyncEngine, ring: KeyRing) -> None:
        self.engine, self.sessions = engine, sessions_of(engine)
        self.keeper, self.terms = ReferenceKeeper(), Terms()
        none = KeyRing(NoKeys())
        own, *others = ROUTERS
        self.sides = (
            Side(WITH, ring, submit_referral, self._api(ring, own, *others)),
            Side(WITHOUT, none, unsealed.submit, self._api(none, unsealed.router, *others)),
        )

    def _api(self, ring: KeyRing, *routers: Any) -> FastAPI:
        return build(
            routers,
            sessions=self.sessions,
            key_ring=ring,
            reference=self.keeper,
            clock=lambda: NOW,
            terms=self.terms,
        )

    async def take_in(self, side: Side, caller: Caller, submission: Submission) -> None:
        """Take in one referral by the workflow, as its route does."""
        async with self.sessions.begin() as tx:
            reference = await self.keeper.current(tx)
            await side.story(Desk(tx, NOW, reference, self.keeper, self.terms, side.ring, "bench"), caller, submission)

    async def submissions(self, number: int) -> list[Submission]:
        """Read so many referrals as the API does."""
        async with self.sessions.begin() as tx:
            reference = await self.keeper.current(tx)
        with judged_by(Judging(NOW, reference)):
            return [ReferralSubmission.model_validate(referral()).submission() for _ in range(number)]


async def settle(sessions: Sessions, ring: KeyRing) -> tuple[Caller, str]:
    """Enter the shipped agencies, each with an endpoint that works, and give one of them a key."""
    async with sessions.begin() as tx:
        await seed(tx, NOW)
    secret = api_keys.new_secret((Role.SENDER,))
    async with sessions.begin() as tx:
        await (await tx.connection()).run_sync(unsealed_fields.metadata.create_all, tables=[unsealed_fields])
        for code in (await tx.scalars(select(agencies.c.code))).all():
            receiver = Caller(code, frozenset({Role.RECEIVER}), uuid4())
            await register_endpoint(
                tx, receiver, Wanted(f"http://127.0.0.1:9999/{code}"), reach=LOOPBACK, key_ring=ring, now=NOW
            )
        await tx.execute(
            update(endpoints).values(state="active", verified_at=NOW, challenge_id=None, challenged_at=None)
        )
        await api_keys.add(tx, secret=secret, agency_code=SENDER, roles=(Role.SENDER,), label="", expires_at=None)
    async with sessions.begin() as tx:
        caller = await api_keys.caller_of(tx, secret=secret)
    if caller is None:
        raise AssertionError("the key that was made is none")
    return caller, secret
