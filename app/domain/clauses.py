"""The parts of a document: whom it covers and what its clauses say (routing.md, Documents and Clauses)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.vocabulary import Sex, Urgency


class Basis(StrEnum):
    """The location a clause may go by."""

    INCIDENT = "incident"
    DOMICILE = "domicile"
    CURRENT = "current"


class Where(StrEnum):
    """Where a clause looks for agencies, seen from the deciding region."""

    BASIS = "basis"
    PARTNER = "partner"
    PROVINCE = "province"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a clause comes from, and whether the cited text was read and says so."""

    source: str
    confirmed: bool
    confirmed_by: str | None = None
    """Who confirmed it: an agency and office, for all who read the document see it."""
    confirmed_on: date | None = None


@dataclass(frozen=True, slots=True)
class VictimLine:
    """One line of whom a document is about; all its parts must hold, and an empty part asks nothing."""

    sexes: frozenset[Sex] = frozenset()
    age_from: int | None = None
    age_below: int | None = None
    case_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Covers:
    """Whom a document speaks of: all parts must hold, of the victim lines any one."""

    domicile: tuple[str, ...] = ()
    abroad: bool | None = None
    victims: tuple[VictimLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """When a clause holds: every line must, and an empty or None line asks nothing."""

    services: frozenset[str] = frozenset()
    urgency: frozenset[Urgency] = frozenset()
    case_types: frozenset[str] = frozenset()
    sexes: frozenset[Sex] = frozenset()
    age_from: int | None = None
    age_below: int | None = None
    abroad: bool | None = None
    cross_province: bool | None = None
    cross_regency: bool | None = None
    perpetrator_in_household: bool | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """Whom a clause assigns to: agencies found from the deciding region, or one named agency."""

    where: Where | None = None
    agency: str | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assign:
    """A clause that says who takes a service."""

    key: str
    citation: Citation
    when: Condition
    to: Selector
    rank: int
    basis: tuple[Basis, ...] = ()
    respond: str | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """A clause by which a service is offered to nobody."""

    key: str
    citation: Citation
    when: Condition


@dataclass(frozen=True, slots=True)
class Duty:
    """A clause that binds whoever takes the service to do something within a time."""

    key: str
    citation: Citation
    when: Condition
    duty: str
    within: str


Clause = Assign | Deny | Duty


@dataclass(frozen=True, slots=True)
class Party:
    """An agency that signed, and the regions it signed for."""

    agency: str
    territory: tuple[str, ...]
