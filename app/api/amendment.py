"""What is added to a referral or corrected: what is left out stays, null makes a thing unknown again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from app.api import examples
from app.api.consent_intake import Consent
from app.api.examples import shows
from app.api.intake import (
    Attachment,
    Condition,
    Locations,
    ServiceGiven,
    Victim,
    consent_field,
    perpetrators_consent,
    sex_of,
)
from app.api.intake_types import (
    WEST,
    AgencyCode,
    CaseType,
    IncidentPlace,
    PastDay,
    PastMoment,
    Region,
    Relation,
    RequestedBy,
    Story,
    Text,
    age_on,
    once,
)
from app.api.validation import Body, Flag, JudgedBody, NoNull, fault, without_default
from app.domain.case import Case
from app.domain.consent import Consent as SaidConsent
from app.domain.facts import Facts
from app.domain.intake import Amendment
from app.domain.vocabulary import Urgency


class CaseAmendment(Body):
    """What is now known of what happened."""

    types: Annotated[tuple[CaseType, ...], Field(min_length=1, max_length=20), once] | NoNull = Field(
        None, json_schema_extra=without_default
    )
    incident_date: PastDay | None = None
    place: IncidentPlace | None = None
    relation_to_perpetrator: Relation | None = None
    perpetrator_in_household: Flag | None = None
    police_reported_at: PastMoment | None = None


class ReferralAmendment(JudgedBody):
    """An amendment: a field that is left out stays as it is, null makes it unknown again, a list replaces the list."""

    model_config = shows(examples.AMENDMENT, minProperties=1)

    urgency: Urgency | NoNull = Field(None, json_schema_extra=without_default)
    case: CaseAmendment = CaseAmendment()
    locations: Locations = Locations()
    avoid_regions: Annotated[tuple[Region, ...], Field(max_length=50), once] | None = None
    victim: Victim = Victim()
    requested_by: RequestedBy | None = None
    services_already_given: Annotated[tuple[ServiceGiven, ...], Field(max_length=50)] | None = None
    condition: Condition = Condition()
    purpose: Text | None = None
    consent: Consent | NoNull = Field(None, json_schema_extra=without_default)
    conflicts: Annotated[tuple[AgencyCode, ...], Field(max_length=200), once] | None = None
    narrative: Story | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=50)] | None = None

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
        """Find an amendment that says nothing, takes away what must stay, or rests consent on the perpetrator."""
        if not said:
            yield fault("required")
        if "urgency" in said and said["urgency"] is None:
            yield fault("text_required", at=("urgency",))
        if "consent" in said and said["consent"] is None:
            yield fault("object_required", at=("consent",))
        case = said.get("case")
        if isinstance(case, Mapping) and "types" in case and case["types"] is None:
            yield fault("list_required", at=("case", "types"))
        yield from perpetrators_consent(said)

    def amendment(self, case: Case) -> Amendment:
        """Apply what was sent to the case as it is."""
        known = case.facts
        facts = replace(
            known,
            urgency=self.urgency or known.urgency,
            case_types=frozenset(self.case.types) if self.case.types else known.case_types,
            conflicts=_listed(self, "conflicts", known.conflicts),
            avoid_regions=_listed(self, "avoid_regions", known.avoid_regions),
            **{name: getattr(self.locations, name) for name in self.locations.model_fields_set},
            **self._victim_facts(known),
            **self._consent_facts(known),
        )
        if "perpetrator_in_household" in self.case.model_fields_set:
            facts = replace(facts, perpetrator_in_household=self.case.perpetrator_in_household)
        return Amendment(
            facts=facts,
            consent=self._consent(case.consent),
            personal=self._personal(),
            says_consent=self.consent is not None,
        )

    def _victim_facts(self, known: Facts) -> dict[str, Any]:
        sent = self.victim.model_fields_set
        facts: dict[str, Any] = {}
        if "sex" in sent:
            facts["sex"] = sex_of(self.victim)
        if self.victim.birth_date is not None:
            # In whole years at the time of receipt (routing.md, Facts), whenever it becomes known.
            facts["age"] = age_on(self.victim.birth_date, known.received_at.astimezone(WEST).date())
        elif "age" in sent:
            facts["age"] = self.victim.age
        return facts

    def _consent(self, known: SaidConsent) -> SaidConsent:
        if self.consent is None:
            return known
        said = self.consent.said(None)
        if "services_refused" not in self.consent.model_fields_set:
            return replace(said, services_refused=known.services_refused - (said.services or frozenset()))
        return said

    def _consent_facts(self, known: Facts) -> dict[str, Any]:
        if self.consent is None:
            return {}
        sent = self.consent.model_fields_set
        refuses = frozenset(self.consent.agencies_refused) if "agencies_refused" in sent else known.refuses
        only = known.consents_to
        if "agencies" in sent:
            only = None if self.consent.agencies is None else frozenset(self.consent.agencies)
        return {"refuses": refuses, "consents_to": only}

    def _personal(self) -> dict[str, Any]:
        """Give the sealed fields that were sent; None removes one."""
        sent = self.model_dump(mode="json", exclude_unset=True)
        parts = {
            "victim": set(sent.get("victim", {})) - {"age", "sex"},
            "condition": set(sent.get("condition", {})),
            "case": set(sent.get("case", {})) - {"types", "perpetrator_in_household"},
        }
        fields: dict[str, Any] = {f"{part}.{name}": sent[part][name] for part, names in parts.items() for name in names}
        for name in ("requested_by", "purpose", "narrative", "attachments", "services_already_given"):
            if name in sent:
                fields[name] = sent[name] or None
        return fields | (consent_field(self.consent) if self.consent is not None else {})


def _listed(body: ReferralAmendment, name: str, known: frozenset[str]) -> frozenset[str]:
    listed = getattr(body, name)
    return known if name not in body.model_fields_set else frozenset(listed or ())
