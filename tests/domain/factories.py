"""Small agreements, agencies and facts for tests, each taking only what the test cares about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from app.domain.agreement import (
    Assign,
    Basis,
    Citation,
    Clause,
    Condition,
    Covers,
    Deny,
    Document,
    DocumentKind,
    Duty,
    Party,
    Selector,
    Where,
)
from app.domain.facts import Facts
from app.domain.registry import Agency, Registry, Service
from app.domain.routing import Rules, compile_rules
from app.domain.vocabulary import Sex, Urgency
from app.reference.load import shipped

MOMENT = datetime(2025, 1, 15, 2, 0, tzinfo=UTC)
HEALTH = "health_service"
CITED = Citation("a test", confirmed=True)
EVERYWHERE = (Basis.CURRENT, Basis.INCIDENT, Basis.DOMICILE)


def facts(**given: object) -> Facts:
    """Facts in which everything is known: a woman of 30 at home in Kutai Kartanegara, the perpetrator elsewhere."""
    known = Facts(
        received_at=MOMENT,
        urgency=Urgency.STANDARD,
        case_types=frozenset({"physical"}),
        incident="64.02.06",
        domicile="64.02.06",
        current="64.02.06",
        age=30,
        sex=Sex.FEMALE,
        perpetrator_in_household=False,
    )
    return replace(known, **given)  # type: ignore[arg-type]


def a_clause(
    key: str = "clause",
    *,
    to: str | Selector = "receiver",
    rank: int = 10,
    when: Condition | None = None,
    basis: Iterable[Basis] = (),
    respond: str | None = None,
) -> Assign:
    """A clause that assigns to one agency, whatever the case."""
    selector = Selector(agency=to) if isinstance(to, str) else to
    if selector.where is not None and not basis:
        basis = EVERYWHERE
    return Assign(key, CITED, when or Condition(), selector, rank, tuple(basis), respond)


def a_denial(key: str = "denial", when: Condition | None = None) -> Deny:
    """A clause that denies every service."""
    return Deny(key, CITED, when or Condition())


def a_duty(key: str = "duty", when: Condition | None = None, within: str = "PT72H") -> Duty:
    """A duty to report to the police."""
    return Duty(key, CITED, when or Condition(), "report_to_police", within)


def an_agreement(
    *clauses: Clause,
    id: str = "agreement",  # noqa: A002 - the name of the field
    version: int = 1,
    precedence: int = 100,
    parties: Mapping[str, Iterable[str]] | None = None,
    covers: Covers | None = None,
    begins: date = date(2020, 1, 1),
    ends: date | None = None,
    time_zone: str = "Asia/Makassar",
) -> Document:
    """An agreement between Kutai Kartanegara and Penajam Paser Utara that covers everybody."""
    territories = parties or {"kukar": ["64.02"], "ppu": ["64.09"]}
    return Document(
        id=id,
        version=version,
        kind=DocumentKind.AGREEMENT,
        precedence=precedence,
        title_id="Perjanjian",
        title_en="Agreement",
        effective_from=begins,
        effective_until=ends,
        time_zone=time_zone,
        parties=tuple(Party(agency, tuple(territory)) for agency, territory in territories.items()),
        covers=covers or Covers(),
        clauses=clauses,
    )


def an_agency(code: str = "receiver", region: str = "64.02", **given: object) -> Agency:
    """An agency that offers medical care where it is at home."""
    services = given.pop("services", None) or {HEALTH: Service(area=(region,))}
    agency = Agency(code=code, name=code, kind="uptd_ppa", region=region, services=services)  # type: ignore[arg-type]
    return replace(agency, **given)  # type: ignore[arg-type]


def a_registry(*agencies: Agency) -> Registry:
    """A registry of these agencies."""
    return Registry(1, {agency.code: agency for agency in agencies})


def rules(agencies: Iterable[Agency], *documents: Document) -> Rules:
    """Rules over these agencies and documents, with the shipped code sets."""
    return compile_rules(a_registry(*agencies), documents, shipped().vocabulary)


def to_basis(*kinds: str) -> Selector:
    """Select agencies in the document's territory that serve the deciding region."""
    return Selector(where=Where.BASIS, kinds=kinds)


def to_partner(*kinds: str) -> Selector:
    """Select agencies at home with another party."""
    return Selector(where=Where.PARTNER, kinds=kinds)


def to_province(*kinds: str) -> Selector:
    """Select agencies at home in the deciding region's province."""
    return Selector(where=Where.PROVINCE, kinds=kinds)
