"""Decide again from what was kept of a decision, by the documents and the registry of that moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.canonical import canonical_bytes
from app.domain.consent import Consent, ground_of
from app.domain.facts import Facts
from app.domain.record import expanded, is_compact, moment_of, record_of
from app.domain.routing import Rules
from app.storage.worklists import KeptDecision


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a decision comes to when it is made again; `agrees` is None where nobody can tell any more."""

    agrees: bool | None
    why_not: str | None
    result: Mapping[str, Any] | None


def facts_of(kept: KeptDecision) -> Facts:
    """Give the facts that a decision was made from, with the consent that held for its service."""
    return replace(Facts.from_json(kept.facts), consent=kept.consent)


def replay(rules: Rules, kept: KeptDecision) -> Replayed:
    """Decide again by the rules of that moment, and say whether the record is the same to the byte.

    What a person placed is no matter of rules, and what was erased cannot be decided from what is left: it says so.
    """
    if kept.erased_at is not None:
        return Replayed(agrees=None, why_not="erased", result=None)
    if kept.placed_by is not None:
        return Replayed(agrees=False, why_not="placed_by_hand", result=None)
    facts = facts_of(kept)
    decision = rules.decide(facts, kept.service_type, frozenset(kept.tried))
    again = record_of(rules, decision, facts.received_at) if is_compact(kept.result) else decision.to_json()
    same = canonical_bytes(again) == canonical_bytes(dict(kept.result))
    grounded = same_ground(kept, facts)
    agrees = same and grounded
    why_not = None if agrees else "engine_changed" if again["engine"] != kept.engine else "differs"
    return Replayed(agrees, why_not, again)


def same_ground(kept: KeptDecision, facts: Facts) -> bool:
    """Say whether what was recorded of consent gives the ground that was kept; a decision of before kept none."""
    if kept.ground is None or kept.said_consent is None:
        return True
    consent = Consent.from_json(kept.said_consent, kept.consent_services)
    stood = Facts.from_json(kept.facts).consent
    again = ground_of(consent, replace(facts, consent=stood), kept.service_type)
    return canonical_bytes(again.to_json()) == canonical_bytes(dict(kept.ground))


def in_full(rules: Rules, result: Mapping[str, Any]) -> dict[str, Any]:
    """Write out a record's clauses, documents and duties by name; one that a person placed says all it has to."""
    return expanded(result, rules.index(moment_of(result))) if is_compact(result) else dict(result)
