"""What a workflow works with: one transaction, the moment, the rules in force, and the operator's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.addresses import Reach
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.errors import NotFound
from app.domain.facts import Facts
from app.domain.proposals import SecondPerson
from app.domain.retention import Retention
from app.domain.rights import ProcessingRestricted, ReferralErased
from app.domain.vocabulary import Urgency
from app.storage import audit, cases
from app.storage.reference import Reference, ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.count_case import count_case


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
    console_reaches_for: timedelta = timedelta(days=7)
    """How long after a sign-in the console counts as a working way to be told."""
    second_person: SecondPerson = field(default_factory=SecondPerson)
    retention: Retention = field(default_factory=Retention)
    erasure_ledger: Path | None = None
    """None: the log alone."""
    sandbox: bool = False
    """Whether this is a sandbox, which takes and issues a sandbox's keys alone; nothing else takes those."""


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
    told_of: set[UUID] = field(default_factory=set)
    """The cases that whoever is answered here learns of."""

    def time_zone(self, agency_code: str) -> str:
        """Name the time zone an agency works in."""
        agency = self.reference.registry.agencies.get(agency_code)
        return agency.time_zone if agency else "Asia/Jakarta"

    def name_of(self, code: str) -> str | None:
        """Give the name of a region or of an agency; None where the code is of neither."""
        region = self.reference.regions.by_code.get(code)
        agency = self.reference.registry.agencies.get(code)
        return region.name if region else agency.name if agency else None

    async def lock_case(
        self,
        agency_code: str,
        *,
        referral_id: UUID | None = None,
        handoff_id: UUID | None = None,
        service_request_id: UUID | None = None,
        reading: bool = False,
        operator: bool = False,
        officer: bool = False,
        restricted_too: bool = False,
    ) -> Case:
        """Lock the case an agency names, itself or by a part of it; NotFound where there is none it may see.

        `reading` takes no lock; an `operator` sees also what nobody coordinates, unless its agency is off the list.
        ProcessingRestricted where the person had it restricted, but to an `officer` of who sent or holds it, and where
        that is no matter; ReferralErased where nothing can be done with it any more.
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
        since = case.referral.restricted_at if case.referral.is_restricted else None
        if since is not None and not restricted_too and not (officer and agency_code in case.owners()):
            raise ProcessingRestricted(since)
        if case.referral.erased_at is not None and not reading:
            raise ReferralErased
        self.told_of.add(case.referral.id)
        return case.look_at(self.now)

    async def lock_for_rights(
        self, caller: Caller | None, referral_id: cases.CaseNamed, *, named: str = "referral", reading: bool = False
    ) -> Case:
        """Lock a case for who answers for the rights of its person, whatever its state; NotFound for anybody else.

        That is the command line, and a protection officer of the agency that sent or holds it. One who is an operator
        too answers for every case in which their own agency is not named. `named` is what they named it by.
        """
        if caller is None:
            case = await cases.lock(self.tx, referral_id, public_url=self.terms.public_url)
        else:
            everywhere = caller.may(Role.OPERATOR) and caller.may(Role.PROTECTION_OFFICER)
            case = await cases.lock_visible_to(
                self.tx,
                caller.agency_code,
                public_url=self.terms.public_url,
                referral_id=referral_id,
                reading=reading,
                everywhere=everywhere,
            )
            if case is not None:
                theirs = caller.agency_code in case.owners()
                if not theirs and (not everywhere or self.is_off_list(caller.agency_code, case.facts)):
                    case = None
        if case is None:
            raise NotFound(named)
        return case

    async def lock_concerned(self, agency_code: str, referral_id: UUID, *, reading: bool = False) -> Case:
        """Lock a case for who sent, holds or coordinates it, whatever its state; NotFound for anybody else.

        For what is asked about the case and shows nothing of it.
        """
        case = await cases.lock_visible_to(
            self.tx, agency_code, public_url=self.terms.public_url, referral_id=referral_id, reading=reading
        )
        if case is None:
            raise NotFound("referral")
        return case

    def is_off_list(self, agency_code: str, facts: Facts) -> bool:
        """Say whether an agency is in conflict or refused in a case of these facts."""
        return agency_code in self.reference.rules.off_list(facts)

    def may_be_offered(self, agency_code: str, facts: Facts) -> bool:
        """Say whether an agency may be offered a case of these facts: neither off the list nor left out of consent."""
        return agency_code not in self.reference.rules.not_for(facts)

    async def conclude(self, caller: Caller, case: Case, action: str) -> Case:
        """Record in the audit what somebody did to a referral as a whole, and keep what came of it."""
        await audit.record(
            self.tx,
            caller,
            action,
            subject="referral",
            subject_id=case.referral.id,
            referral_id=case.referral.id,
            request_id=self.request_id,
        )
        return await self.save(case)

    async def save(self, case: Case) -> Case:
        """Keep what the story changed and announce its news."""
        await cases.save(self.tx, case, now=self.now)
        count_case(self.tx, case)
        return case
