"""What a workflow works with: one transaction, the moment, the rules in force, and the operator's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.addresses import Reach
from app.domain.case import Case
from app.domain.errors import NotFound
from app.domain.facts import Facts
from app.domain.vocabulary import Urgency
from app.storage import cases
from app.storage.reference import Reference, ReferenceKeeper
from app.storage.sealing import KeyRing


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator has settled: addresses and times that no agreement names. Source: routing.md, The handoff."""

    public_url: str = "http://127.0.0.1:8080"
    acknowledge: Mapping[Urgency, str] = field(
        default_factory=lambda: MappingProxyType(
            {Urgency.EMERGENCY: "PT15M", Urgency.URGENT: "PT4H", Urgency.STANDARD: "P1WD"}
        )
    )
    undelivered_after: timedelta = timedelta(minutes=5)
    cancel_lapses: str = "P2WD"
    access_after_completion: timedelta = timedelta(days=30)
    outage_after: timedelta = timedelta(minutes=2)
    fallback_coordinator: str | None = None
    confirm_vital_interest: timedelta = timedelta(hours=24)
    remind_of_expiry: tuple[timedelta, ...] = (timedelta(days=7), timedelta(days=1))
    reach: Reach = field(default_factory=Reach)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything one story needs that is not the story's own."""

    tx: AsyncSession
    now: datetime
    reference: Reference
    keeper: ReferenceKeeper
    terms: Terms
    key_ring: KeyRing
    request_id: str | None = None

    def time_zone(self, agency_code: str) -> str:
        """Name the time zone an agency works in."""
        agency = self.reference.registry.agencies.get(agency_code)
        return agency.time_zone if agency else "Asia/Jakarta"

    async def lock_case(
        self,
        agency_code: str,
        *,
        referral_id: UUID | None = None,
        handoff_id: UUID | None = None,
        service_request_id: UUID | None = None,
        reading: bool = False,
        operator: bool = False,
    ) -> Case:
        """Lock the case an agency names, itself or by a part of it; NotFound where there is none it may see.

        `reading` takes no lock; an `operator` sees also what nobody coordinates, unless its agency is off the list.
        """
        case = await cases.lock_visible_to(
            self.tx,
            agency_code,
            public_url=self.terms.public_url,
            referral_id=referral_id,
            handoff_id=handoff_id,
            service_request_id=service_request_id,
            reading=reading,
            operator=operator,
        )
        if case is None or (operator and self.is_off_list(agency_code, case.facts)):
            raise NotFound("handoff" if handoff_id else "service request" if service_request_id else "referral")
        return case.look_at(self.now)

    def is_off_list(self, agency_code: str, facts: Facts) -> bool:
        """Say whether an agency is in conflict or refused in a case of these facts."""
        return agency_code in self.reference.rules.off_list(facts)

    def may_be_offered(self, agency_code: str, facts: Facts) -> bool:
        """Say whether an agency may be offered a case of these facts: neither off the list nor left out of consent."""
        return agency_code not in self.reference.rules.not_for(facts)

    async def save(self, case: Case) -> Case:
        """Keep what the story changed and announce its news."""
        await cases.save(self.tx, case, now=self.now)
        return case
