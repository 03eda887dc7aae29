"""Whoever hands in a person a second time is warned, of cases that they know themselves and of no others."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.domain.case import Case
from app.domain.consent import GroundKind
from app.domain.disclosure import Access, access_to, fields_for
from app.domain.likeness import IDENTIFYING, likenesses
from app.storage import cases, identity_hashes, personal_data
from app.workflows.desk import Desk

MOST = 10
"""How many referrals a warning names at most, the newest."""
LOOKED_AT = 30
"""How many are looked at of those that are alike in one thing."""


async def note_identity(desk: Desk, case: Case, personal: Mapping[str, Any]) -> None:
    """Keep by what its sender knows the person of a new referral again."""
    known = likenesses(personal, case.facts, received_at=case.referral.received_at)
    await identity_hashes.keep(desk.tx, desk.key_ring, case.referral.id, case.referral.sender_code, known)


async def note_identity_anew(desk: Desk, case: Case, agency_codes: Iterable[str]) -> None:
    """Keep by what agencies know the person of a case again, as it is now and as far as each sees it."""
    seen = {**_seen(desk, case), case.referral.sender_code: IDENTIFYING}
    by_agency = {code: seen.get(code, frozenset()) for code in agency_codes}
    names = frozenset().union(*by_agency.values())
    opened = await personal_data.unseal(desk.tx, desk.key_ring, case.referral.id, names)
    for code, fields in by_agency.items():
        await identity_hashes.forget(desk.tx, case.referral.id, code)
        personal = {name: value for name, value in opened.items() if name in fields}
        known = likenesses(personal, case.facts, received_at=case.referral.received_at) if fields else ()
        await identity_hashes.keep(desk.tx, desk.key_ring, case.referral.id, code, known)


def serving(desk: Desk, case: Case) -> set[str]:
    """List the agencies that have taken a handoff of a case and see who the person is."""
    return set(_seen(desk, case))


async def possible_duplicates(desk: Desk, case: Case, agency_code: str) -> list[UUID]:
    """List other referrals that may be of the same person, to who sent or holds this one; the newest first.

    Those alone that the agency sent or holds, or serves, and may see at this moment. It merges and blocks nothing.
    """
    if agency_code not in {case.referral.sender_code, case.referral.holder_code} & case.owners():
        return []
    found: list[UUID] = []
    for one in await identity_hashes.alike(desk.tx, case.referral.id, agency_code, limit=LOOKED_AT):
        if len(found) < MOST and (one.owned or await _serves(desk, one.referral_id, agency_code)):
            found.append(one.referral_id)
    return found


async def _serves(desk: Desk, referral_id: UUID, agency_code: str) -> bool:
    case = await cases.read(desk.tx, referral_id, public_url=desk.terms.public_url)
    return case is not None and agency_code in serving(desk, case.look_at(desk.now))


def _seen(desk: Desk, case: Case) -> dict[str, frozenset[str]]:
    """Say, of each agency that has taken a handoff and sees the case, by which fields it sees who the person is."""
    seen: dict[str, frozenset[str]] = {}
    for handoff in case.handoffs.values():
        access = access_to(case, handoff, now=desk.now, usually=desk.terms.access_after_completion)
        if not handoff.barred and access is Access.TO_SERVE:
            service_type = case.requests[handoff.service_request_id].service_type
            consent = case.shows(handoff) is GroundKind.CONSENT
            fields = fields_for(service_type, accepted=True, consent=consent) & IDENTIFYING
            seen[handoff.agency_code] = seen.get(handoff.agency_code, frozenset()) | fields
    return seen
