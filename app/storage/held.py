"""All that is held on the person of a case, as it lies in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import LegalHold, RightsRequest
from app.storage import audit_chain, rights
from app.storage.personal_data import unseal_all
from app.storage.sealing import KeyRing
from app.storage.tables import agencies, decisions, facts, handoffs, service_requests

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one case beside the referral itself."""

    personal: dict[str, Any]
    """Every sealed field, opened; none once it was erased."""
    facts: Rows
    requests: Rows
    decisions: Rows
    handoffs: Rows
    agencies: dict[str, str]
    """The names of the agencies that are in it, by their codes."""
    rights: list[RightsRequest]
    holds: list[LegalHold]
    looks: list[dict[str, Any]]
    """The audit of the case: who looked and who changed what."""


async def held_on(session: AsyncSession, key_ring: KeyRing, referral_id: UUID) -> Held:
    """Read all that is held of a case."""

    async def rows(wanted: Select[Any]) -> Rows:
        return [dict(row) for row in (await session.execute(wanted)).mappings()]

    of_it = service_requests.c.referral_id == referral_id
    known = await rows(select(facts).where(facts.c.referral_id == referral_id).order_by(facts.c.version))
    requests = await rows(select(service_requests).where(of_it).order_by(service_requests.c.id))
    decided = await rows(
        select(decisions)
        .join(service_requests, service_requests.c.id == decisions.c.service_request_id)
        .where(of_it)
        .order_by(decisions.c.decided_at, decisions.c.id)
    )
    made = await rows(select(handoffs).where(handoffs.c.referral_id == referral_id).order_by(handoffs.c.id))
    names = await session.execute(select(agencies.c.code, agencies.c.body["name"].astext))
    return Held(
        personal=await unseal_all(session, key_ring, referral_id),
        facts=known,
        requests=requests,
        decisions=decided,
        handoffs=made,
        agencies={code: name or code for code, name in names},
        rights=await rights.requests_of(session, referral_id),
        holds=await rights.holds_of(session, referral_id),
        looks=await audit_chain.of_referral(session, referral_id),
    )
