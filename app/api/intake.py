"""A referral as a sender's system writes it, read into what routing may know and what is sealed."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from app.api import examples
from app.api.examples import shows
from app.api.intake_types import (
    WEST,
    AgencyCode,
    CaseType,
    ConsentBasis,
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
from app.domain.facts import Facts
from app.domain.intake import AskedService, Submission
from app.domain.referral import Mode
from app.domain.vocabulary import Sex, Urgency

_BASES = frozenset(basis.value for basis in ConsentBasis) - {ConsentBasis.NONE.value}


class Contact(Body):
    """A way to reach somebody safely. `instructions` says when and how, and what must not be said to others."""

    phone: Line | None = None
    email: Line | None = None
    address: Text | None = None
    instructions: Text | None = None


class Guardian(Body):
    """Who cares for the victim. Unless `is_perpetrator` is false, receivers are told not to contact them."""

    name: Line | None = None
    relation: Relation | None = None
    contact: Contact | None = None
    is_perpetrator: Flag | None = None


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


class Consent(JudgedBody):
    """On what basis the case may be passed on. Basis `none` must be said: then only an emergency moves."""

    basis: ConsentBasis
    given_at: PastMoment | None = None
    services: Annotated[tuple[ServiceType, ...], Field(min_length=1), once] | None = Field(
        None, description="The services it is for; absent is all that are asked for."
    )
    agencies_refused: Annotated[tuple[AgencyCode, ...], Field(max_length=200), once] = ()

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
        """Find a consent without a time."""
        basis = said.get("basis")
        if isinstance(basis, str) and basis in _BASES and said.get("given_at") is None:
            yield fault("required", at=("given_at",))

    @property
    def given(self) -> bool:
        """Say whether there is a basis at all."""
        return self.basis is not ConsentBasis.NONE


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
            consent_services=None if self.consent.services is None else frozenset(self.consent.services),
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
    """Find a consent of a guardian who is named as the perpetrator."""
    consent, victim = said.get("consent"), said.get("victim")
    guardian = victim.get("guardian") if isinstance(victim, Mapping) else None
    if not isinstance(consent, Mapping) or not isinstance(guardian, Mapping):
        return
    if consent.get("basis") == ConsentBasis.GUARDIAN.value and guardian.get("is_perpetrator") is True:
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
        consent=consent.given,
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
