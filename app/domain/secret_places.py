"""Where a victim is who was taken in at a place that is never shown: told to its own agency, and to nobody else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.case import Case
from app.domain.facts import CURRENT, Facts
from app.domain.regions import REGENCY_DEPTH, depth, is_country, regency_of
from app.domain.registry import Agency

_CONTACTS = ("victim.safe_contact", "victim.guardian")


@dataclass(frozen=True, slots=True)
class Taken:
    """A service that an agency accepted, and when, whatever became of it."""

    agency_code: str
    service_type: str
    answered_at: datetime


def taken_in(case: Case) -> list[Taken]:
    """List what was accepted in a case."""
    return [
        Taken(handoff.agency_code, case.requests[handoff.service_request_id].service_type, handoff.answered_at)
        for handoff in case.handoffs.values()
        if handoff.start_by is not None and handoff.answered_at is not None
    ]


def hidden_since(taken: Iterable[Taken], registry: Mapping[str, Agency], *, looking: str) -> datetime | None:
    """Return since when what is known of a victim's place may tell one that the agency that looks may not know.

    Once she was taken in there it may, also after she has left: nobody can tell which place was written down. None:
    no such place is in the case.
    """
    since = [
        one.answered_at
        for one in taken
        if one.agency_code != looking
        if one.agency_code in registry and registry[one.agency_code].has_secret_place(one.service_type)
    ]
    return min(since, default=None)


def coarse(code: str | None) -> str | None:
    """Give a location no narrower than the regency."""
    return code if code is None or is_country(code) else regency_of(code) or code


def without_secret_place(facts: Facts) -> Facts:
    """Give the facts with the place where the victim is now no narrower than the regency."""
    return replace(facts, current=coarse(facts.current))


def without_secret_places(agency: Mapping[str, Any]) -> dict[str, Any]:
    """Give an agency as it is written, with home and areas no narrower than the regency where a place is secret.

    Nothing narrower is taken in (`registry.too_narrow`); an agency from before may have it.
    """
    services: Mapping[str, Mapping[str, Any]] = agency["services"]
    if not any(service.get("secret_location") for service in services.values()):
        return dict(agency)
    shown = {
        code: {**service, "area": list(dict.fromkeys(map(coarse, service["area"])))}
        if service.get("secret_location")
        else service
        for code, service in services.items()
    }
    return {**agency, "region": coarse(agency["region"]), "services": shown}


def contacts_without_address(personal: Mapping[str, Any]) -> dict[str, Any]:
    """Give personal fields without the addresses at which victim and guardian may be found now."""
    shown = dict(personal)
    for name in _CONTACTS:
        known = shown.get(name)
        if isinstance(known, Mapping):
            shown[name] = _without_address(known)
    return shown


def explanation_without_secret_place(explanation: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """Give an explanation that does not tell where the victim is now; `facts` are those that it was made of.

    Of a clause that went by that place remain the regency and the candidates that were taken, who are in the chain of
    the decision too: who else serves the place would tell it.
    """
    place = facts.current
    if place is None or is_country(place) or depth(place) <= REGENCY_DEPTH:
        return dict(explanation)
    return {
        **explanation,
        "facts": without_secret_place(facts).to_json(),
        "overlays": [one for one in explanation["overlays"] if one["location"] != CURRENT],
        "clauses": [_clause(clause, place) for clause in explanation["clauses"]],
    }


def _clause(clause: Mapping[str, Any], place: str) -> dict[str, Any]:
    if clause.get("region") != place:
        return dict(clause)
    taken = [candidate for candidate in clause["candidates"] if candidate["taken"]]
    return {**clause, "region": coarse(place), "candidates": taken}


def _without_address(contact: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in contact.items() if name != "address"}
    nested = shown.get("contact")
    if isinstance(nested, Mapping):
        shown["contact"] = _without_address(nested)
    return shown
