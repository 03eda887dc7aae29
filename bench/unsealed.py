"""The program without: the same intake with personal data kept in clear, nothing sealed and nothing audited.

It stands beside the product and is no setting of it. The bench refuses to measure if the two send the database any
other statement that the other one does not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Response
from sqlalchemy import ARRAY, Column, ForeignKey, MetaData, Table, Text, Uuid, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.dependencies import Sender
from app.api.desk import Desk as AtDesk
from app.api.etags import etag
from app.api.intake import ReferralSubmission
from app.api.referral_views import ReferralView, results_in
from app.api.route import IDEMPOTENT, v1_router
from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import DuplicateReference
from app.domain.intake import Submission
from app.storage import cases, worklists
from app.storage.tables import referrals
from app.workflows import submit_referral as product
from app.workflows.desk import Desk
from app.workflows.route_requests import route_requests
from app.workflows.warn_of_duplicate import note_identity, possible_duplicates
from app.workflows.watch_consent import watch_consent

_JSON = json.JSONEncoder(ensure_ascii=False)

router = v1_router("referrals")

unsealed_fields = Table(
    "unsealed_fields",
    MetaData(),
    Column("referral_id", Uuid, ForeignKey(referrals.c.id), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class NoKeys:
    """Keys that seal nothing: what is wrapped is as it was, and what is hashed is hashed without a key."""

    active: str = "none"
    ids: frozenset[str] = frozenset({"none"})

    def wrap(self, _purpose: str, _place: bytes, plain: bytes) -> bytes:
        """Give what was given."""
        return plain

    def unwrap(self, _key_id: str, _purpose: str, _place: bytes, wrapped: bytes) -> bytes:
        """Give what was given."""
        return wrapped

    def mac(self, purpose: str, plain: bytes) -> bytes:
        """Hash, as a program does that only wants to know its requests again."""
        return sha256(purpose.encode() + plain).digest()

    def signing_key(self, _purpose: str) -> Ed25519PrivateKey:
        """Sign nothing."""
        raise NotImplementedError

    def check_value(self, _key_id: str) -> bytes:
        """Check nothing."""
        raise NotImplementedError


async def submit(desk: Desk, caller: Caller, submission: Submission) -> Case:
    """Take in a referral as the product does, word for word but for what is personal."""
    case = product._new_case(desk, caller, submission)  # noqa: SLF001
    reference_hash = desk.key_ring.hash("sender-reference", submission.sender_reference.encode())
    if not await cases.add(desk.tx, case, reference_hash=reference_hash):
        raise DuplicateReference(await cases.of_reference(desk.tx, caller.agency_code, reference_hash))
    desk.told_of.add(case.referral.id)
    await keep(desk.tx, case, submission.personal)
    await note_identity(desk, case, submission.personal)
    await route_requests(desk, case, case.requests.values(), "submitted")
    if case.consent.expires_at is not None:
        watch_consent(desk, case)
    return await desk.save(case)


async def keep(session: AsyncSession, case: Case, fields: Mapping[str, Any]) -> None:
    """Keep fields in clear, all of them by one statement."""
    names = sorted(name for name, value in fields.items() if value is not None)
    values = [_JSON.encode(fields[name]) for name in names]
    rows = select(
        literal(case.referral.id, Uuid()),
        func.unnest(literal(names, ARRAY(Text()))),
        func.unnest(literal(values, ARRAY(Text()))),
    )
    await session.execute(insert(unsealed_fields).from_select(["referral_id", "field", "value"], rows))


@router.post("/referrals", status_code=201, openapi_extra=IDEMPOTENT)
async def submit_referral(body: ReferralSubmission, caller: Sender, desk: AtDesk, response: Response) -> ReferralView:
    """Hand in a victim's referral."""
    case = await submit(desk, caller, body.submission())
    response.headers["Location"] = f"/v1/referrals/{case.referral.id}"
    response.headers["ETag"] = etag(case.referral.version)
    kept = results_in(case)
    others = (one.decision_id for one in case.requests.values() if one.decision_id not in kept)
    results = {**kept, **await worklists.results(desk.tx, others)}
    duplicates = await possible_duplicates(desk, case, caller.agency_code)
    return ReferralView.of(case, results, body.sender_reference, duplicates)
