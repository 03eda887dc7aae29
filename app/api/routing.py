"""Decisions: tried out before anything is sent, explained and replayed afterwards."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field

from app.api import examples
from app.api.consent_intake import Consent
from app.api.dependencies import SenderOrCoordinator
from app.api.desk import Desk
from app.api.examples import shows
from app.api.intake import CaseOfViolence, Locations, ReferralFacts, Victim, facts_of
from app.api.intake_types import AgencyCode, Region, ServiceType, once
from app.api.referral_views import GroundView
from app.api.route import v1_router
from app.api.validation import Answer, Body
from app.domain.caller import Caller
from app.domain.errors import NotFound
from app.domain.explanation import explain
from app.domain.facts import Facts
from app.domain.rights import ProcessingRestricted
from app.domain.secret_places import explanation_without_secret_place, hidden_since, without_secret_place
from app.domain.vocabulary import Urgency
from app.reference.load import load_overlay
from app.storage import audit, ways, worklists
from app.workflows.replay_decision import facts_of as facts_kept
from app.workflows.replay_decision import in_full, replay

router = v1_router("routing")


UNREACHED = (
    "The agencies of the chains that no working way leads to now. They are offered it all the same: tell them yourself."
)


class RoutingPreview(Body):
    """The facts of a case as far as routing needs them. Nothing personal is asked for, and nothing is kept."""

    model_config = shows(examples.PREVIEW)

    urgency: Urgency
    case: CaseOfViolence
    locations: Locations = Locations()
    avoid_regions: Annotated[tuple[Region, ...], Field(max_length=50), once] = ()
    victim: Victim = Victim()
    services: Annotated[tuple[ServiceType, ...], Field(min_length=1, max_length=30), once]
    consent: Consent
    conflicts: Annotated[tuple[AgencyCode, ...], Field(max_length=200), once] = ()
    tried: Annotated[tuple[AgencyCode, ...], Field(max_length=200), once] = Field(
        (), description="Agencies that are not to be asked: they declined, or the sender itself."
    )

    def facts(self) -> Facts:
        """Give what the decision is made from."""
        said = ReferralFacts(
            locations=self.locations,
            avoid_regions=self.avoid_regions,
            victim=self.victim,
            conflicts=self.conflicts,
        )
        return facts_of(said, self.case, self.urgency, self.consent)


class RoutingPreviewAnswer(Answer):
    """Where each service would go, and why, clause by clause and candidate by candidate."""

    decided_at: datetime
    registry_version: int
    explanations: list[dict[str, Any]]
    unreached: list[str] = Field(description=UNREACHED)


class DecisionExplained(Answer):
    """A decision that was kept: its inputs, its result, and the explanation that follows from them."""

    id: UUID
    service_request_id: UUID
    referral_id: UUID
    service_type: str
    cause: str
    decided_at: datetime
    placed_by: str | None
    consent: bool
    ground: GroundView | None = Field(description="On what it moved; null where it was not recorded yet.")
    tried: list[str]
    facts_version: int
    facts: dict[str, Any]
    registry_version: int
    code_sets_version: int
    engine: str
    result: dict[str, Any]
    explanation: dict[str, Any] | None = Field(
        description="Null where a coordinator placed the request by hand, and once the person was erased."
    )
    erased_at: datetime | None = Field(description="Since when the person is erased and the facts are coarse.")
    unreached: list[str] = Field(description=UNREACHED)


class DecisionReplay(Answer):
    """A decision made again from what was kept of it."""

    id: UUID
    agrees: bool | None = Field(
        description="Whether the result is the same to the byte; null once the facts are erased."
    )
    why_not: str | None = Field(description="engine_changed, placed_by_hand, erased, or differs.")
    kept: dict[str, Any]
    replayed: dict[str, Any] | None


@router.post("/routing/preview")
async def preview_routing(body: RoutingPreview, caller: SenderOrCoordinator, desk: Desk) -> RoutingPreviewAnswer:
    """Try out where services would go, and why. Nothing is stored and nobody is told."""
    facts = body.facts()
    said = body.consent.said(body.victim.guardian)
    explanations = [
        explain(
            desk.reference.rules,
            facts if said.covers(service) else _without_consent(facts),
            service,
            frozenset(body.tried),
            overlays=(load_overlay(),),
        )
        for service in body.services
    ]
    return RoutingPreviewAnswer(
        decided_at=desk.now,
        registry_version=desk.reference.version,
        explanations=explanations,
        unreached=await _unreached(desk, *(explanation["decision"] for explanation in explanations)),
    )


@router.get("/decisions/{decision_id}")
async def read_decision(
    decision_id: UUID,
    caller: SenderOrCoordinator,
    desk: Desk,
    explained: Annotated[bool, Query(description="Whether to derive the explanation too.")] = True,
) -> DecisionExplained:
    """Read why a service request went where it went, as your agency sent or coordinates it."""
    kept = await _kept(desk, caller, decision_id)
    rules = await desk.keeper.rules_at(desk.tx, kept.registry_version)
    taken = await worklists.taken_in(desk.tx, kept.referral_id)
    since = hidden_since(taken, desk.reference.registry.agencies, looking=caller.agency_code)
    hidden = since is not None and since <= kept.facts_recorded_at
    facts, explanation = facts_kept(kept), None
    if explained and kept.placed_by is None and kept.erased_at is None:
        overlays = (load_overlay(),)
        explanation = explain(rules, facts, kept.service_type, frozenset(kept.tried), overlays=overlays)
        if hidden:
            explanation = explanation_without_secret_place(explanation, facts)
    return DecisionExplained(
        id=kept.id,
        service_request_id=kept.service_request_id,
        referral_id=kept.referral_id,
        service_type=kept.service_type,
        cause=kept.cause,
        decided_at=kept.decided_at,
        placed_by=kept.placed_by,
        consent=kept.consent,
        ground=GroundView.of(kept.ground),
        tried=list(kept.tried),
        facts_version=kept.facts_version,
        facts=without_secret_place(facts).to_json() if hidden else dict(kept.facts),
        registry_version=kept.registry_version,
        code_sets_version=kept.code_sets_version,
        engine=kept.engine,
        result=in_full(rules, kept.result),
        explanation=explanation,
        erased_at=kept.erased_at,
        unreached=await _unreached(desk, in_full(rules, kept.result)),
    )


@router.post("/decisions/{decision_id}/replay")
async def replay_decision(decision_id: UUID, caller: SenderOrCoordinator, desk: Desk) -> DecisionReplay:
    """Decide again from what was kept, by the documents and the registry of that moment."""
    kept = await _kept(desk, caller, decision_id)
    rules = await desk.keeper.rules_at(desk.tx, kept.registry_version)
    again = replay(rules, kept)
    return DecisionReplay(
        id=kept.id,
        agrees=again.agrees,
        why_not=again.why_not,
        kept=in_full(rules, kept.result),
        replayed=None if again.result is None else in_full(rules, again.result),
    )


async def _unreached(desk: Desk, *decisions: Any) -> list[str]:
    """List who is asked, or would be next, and has no working way to be told now."""
    named = {line["agency"] for decision in decisions for line in decision.get("chain", ())}
    named |= {decision["agency"] for decision in decisions if decision.get("agency")}
    return sorted(named - await ways.reachable(desk.tx, named)) if named else []


def _without_consent(facts: Facts) -> Facts:
    return Facts.from_json({**facts.to_json(), "consent": "none"})


async def _kept(desk: Desk, caller: Caller, decision_id: UUID) -> worklists.KeptDecision:
    kept = await worklists.decision(desk.tx, caller.agency_code, decision_id)
    if kept is None:
        raise NotFound("decision")
    if kept.restricted_at is not None:
        raise ProcessingRestricted(kept.restricted_at)
    desk.told_of.add(kept.referral_id)
    await audit.record(
        desk.tx,
        caller,
        "decision.read",
        subject="decision",
        subject_id=decision_id,
        referral_id=kept.referral_id,
        request_id=desk.request_id,
    )
    return kept
