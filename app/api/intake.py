"""A referral as a sender's system writes it, read into what routing may know and what is sealed."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from app.api import examples
from app.api.consent_intake import Consent, Contact, Guardian
from app.api.examples import shows
from app.api.intake_types import (
    WEST,
    AgencyCode,
    CaseType,
    IncidentPlace,
    Line,
    Location,
    PastDay,
    PastMoment,
    Region,
    Relation,
    RequestedBy,
    ServiceType,
    SexCode,
    Story,
    Text,
    age_on,
    as_day,
    once,
    today,
)
from app.api.validation import Body, Flag, JudgedBody, Whole, fault, judging
from app.domain.consent import ADULT_FROM, ConsentBasis, is_excluded
from app.domain.facts import Facts
from app.domain.intake import AskedService, Submission
from app.domain.referral import Mode
from app.domain.vocabulary import Sex, Urgency


class Victim(JudgedBody):
    """The victim, as far as known. Everything may be left out; an alias will do for a name."""

    name: Line | None = None
    alias: Line | None = None
    national_id: Annotated[str, Field(pattern=r"^[0-9]{16}$")] | None = Field(None, description="NIK, 16 digits.")
    birth_date: PastDay | None = None
    age: Annotated[Whole, Field(ge=0, le=130)] | None = Field(None, description="In whole years, today.")
    sex: SexCode | None = Field(None, description="female, male or unknown.")
    disability_needs: Text | None = None
    citizenship: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(None, description="ISO 3166-1 alpha-2.")
    safe_contact: Contact | None = None
    guardian: Guardian | None = None

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
        """Find a birth date that nobody alive has, and an age that it contradicts."""
        birth_date, age = as_day(said.get("birth_date")), said.get("age")
        if birth_date is None or birth_date > today():
            return
        if today().year - birth_date.year > 130:
            yield fault("out_of_range", at=("birth_date",))
        elif type(age) is int and age not in (age_on(birth_date, today()), age_on(birth_date, today(WEST))):
            yield fault("contradiction", at=("age",))


class CaseOfViolence(Body):
    """What happened."""

    types: Annotated[tuple[CaseType, ...], Field(min_length=1, max_length=20), once]
    incident_date: PastDay | None = None
    place: IncidentPlace | None = None
    relation_to_perpetrator: Relation | None = None
    perpetrator_in_household: Flag | None = Field(None, description="Absent or null is not known, which is not false.")
    police_reported_at: PastMoment | None = None


class Locations(Body):
    """Where it happened, where the victim lives, and where she is now. Absent is not known."""

    incident: Location | None = None
    domicile: Location | None = None
    current: Location | None = None


class AskedForService(Body):
    """One service that the victim needs."""

    type: ServiceType
    note: Text | None = Field(None, description="What the receiving agency should know. Sealed.")
    sender_cannot: Flag = Field(False, description="The sender itself cannot give this service.")


class ServiceGiven(Body):
    """A service that was given before."""

    type: ServiceType
    agency: Line | None = None
    given_on: PastDay | None = None
    note: Text | None = None


class Condition(Body):
    """How the victim is."""

    physical: Text | None = None
    psychological: Text | None = None
    family: Text | None = None
    community: Text | None = None


class Attachment(Body):
    """A reference to a document that stays where it is; no content is taken."""

    title: Line
    reference: Line


class ReferralFacts(JudgedBody):
    """What may be said of a case, on submission and on amendment alike."""

    locations: Locations = Locations()
    avoid_regions: Annotated[tuple[Region, ...], Field(max_length=50), once] = Field(
        (), description="Where the victim is not safe."
    )
    victim: Victim = Victim()
    requested_by: RequestedBy | None = None
    services_already_given: Annotated[tuple[ServiceGiven, ...], Field(max_length=50)] = ()
    condition: Condition = Condition()
    purpose: Text | None = None
    conflicts: Annotated[tuple[AgencyCode, ...], Field(max_length=200), once] = Field(
        (), description="Agencies named in the case. They and their whole institution learn nothing of it."
    )
    narrative: Story | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=50)] = ()


class ReferralSubmission(ReferralFacts):
    """A victim's referral. All that may be unknown in the field may be left out."""

    model_config = shows(examples.REFERRAL)

    sender_reference: Line = Field(description="The sender's own reference, used once. Sealed.")
    mode: Mode = Field(Mode.REFERRAL, description="referral: the sender keeps the case; transfer: it gives it up.")
    urgency: Urgency
    case: CaseOfViolence
    services: Annotated[tuple[AskedForService, ...], Field(min_length=1, max_length=30)]
    consent: Consent

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
        """Find services that are asked for twice, and a consent that rests on the perpetrator."""
        yield from twice_asked(said.get("services"))
        yield from perpetrators_consent(said)

    def submission(self) -> Submission:
        """Tell apart what routing may know and what is sealed."""
        return Submission(
            sender_reference=self.sender_reference,
            mode=self.mode,
            facts=facts_of(self, self.case, self.urgency, self.consent),
            consent=self.consent.said(self.victim.guardian),
            services=tuple(AskedService(one.type, one.sender_cannot) for one in self.services),
            personal=personal_fields(self)
            | case_fields(self.case)
            | consent_field(self.consent)
            | {"sender_reference": self.sender_reference}
            | {f"services.{one.type}.note": one.note for one in self.services if one.note is not None},
        )


def twice_asked(services: Any) -> Iterable[PydanticCustomError]:
    """Find the services that are asked for a second time."""
    listed = services if isinstance(services, list) else []
    types = [service.get("type") if isinstance(service, Mapping) else None for service in listed]
    for place, type_ in enumerate(types):
        if isinstance(type_, str) and type_ in types[:place]:
            yield fault("twice", at=("services", place, "type"))


def perpetrators_consent(said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
    """Find a consent of a guardian who is the perpetrator or in conflict, or for a child who is none."""
    consent, victim = said.get("consent"), said.get("victim")
    if not isinstance(consent, Mapping) or not isinstance(victim, Mapping):
        return
    guardian, age, basis = victim.get("guardian"), victim.get("age"), consent.get("basis")
    excluded = isinstance(guardian, Mapping) and is_excluded(guardian)
    birth_date = as_day(victim.get("birth_date"))
    years = age_on(birth_date, today(WEST)) if birth_date is not None and birth_date <= today() else age
    adult = isinstance(years, int) and years >= ADULT_FROM
    if (basis == ConsentBasis.GUARDIAN.value and excluded) or (
        basis == ConsentBasis.CHILD_BEST_INTEREST.value and adult
    ):
        yield fault("contradiction", at=("consent", "basis"))


def facts_of(body: ReferralFacts, case: CaseOfViolence, urgency: Urgency, consent: Consent) -> Facts:
    """Give what routing may know: codes, age in years, sex, flags."""
    victim = body.victim
    # Where the day differs across the country, a child is a child for the longest.
    age = age_on(victim.birth_date, today(WEST)) if victim.birth_date else victim.age
    return Facts(
        received_at=judging().now,
        urgency=urgency,
        case_types=frozenset(case.types),
        incident=body.locations.incident,
        domicile=body.locations.domicile,
        current=body.locations.current,
        age=age,
        sex=sex_of(victim),
        perpetrator_in_household=case.perpetrator_in_household,
        conflicts=frozenset(body.conflicts),
        refuses=frozenset(consent.agencies_refused),
        avoid_regions=frozenset(body.avoid_regions),
        consent=consent.said(victim.guardian).stands(age, kept=False),
        consents_to=None if consent.agencies is None else frozenset(consent.agencies),
    )


def sex_of(victim: Victim) -> Sex | None:
    """Give the sex that routing knows; unknown is None."""
    return None if victim.sex in (None, "unknown") else Sex(victim.sex)


def personal_fields(body: ReferralFacts) -> dict[str, Any]:
    """Give the personal fields that were said, by the names under which they are sealed."""
    written = body.model_dump(mode="json", exclude_none=True)
    victim = written.get("victim", {})
    plain = ("requested_by", "purpose", "narrative", "attachments", "services_already_given")
    return (
        {f"victim.{name}": value for name, value in victim.items() if name not in ("age", "sex")}
        | {f"condition.{name}": value for name, value in written.get("condition", {}).items()}
        | {name: written[name] for name in plain if written.get(name)}
    )


def case_fields(case: CaseOfViolence) -> dict[str, Any]:
    """Give the sealed fields of what happened."""
    written = case.model_dump(mode="json", exclude_none=True, exclude={"types", "perpetrator_in_household"})
    return {f"case.{name}": value for name, value in written.items()}


def consent_field(consent: Consent) -> dict[str, Any]:
    """Give the consent as it is sealed for its sender."""
    return {"consent": consent.model_dump(mode="json", exclude_none=True)}
