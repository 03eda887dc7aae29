"""The clauses of the documents in force as bitmaps: bit n is clause n in the order of deciding.

Every value of every fact has a mask of the clauses it allows; the clauses that hold are the AND of a few masks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from app.domain.answers import Answers
from app.domain.candidates import Selection
from app.domain.canonical import canonical_bytes, digest
from app.domain.clauses import Assign, Basis, Clause, Deny, Duty, Selector
from app.domain.decision import Candidate, DutyOwed
from app.domain.document import Document, sha256
from app.domain.facts import Facts
from app.domain.homes import Homes
from app.domain.masks import Flag, Line, Places, bits, union
from app.domain.victims import VictimIndex
from app.domain.vocabulary import Urgency
from app.domain.whereabouts import Locator, Whereabouts

MOST_NAMED = 5_000


@dataclass(frozen=True, slots=True)
class IndexedClause:
    """A clause at its place in the order of deciding."""

    document: Document
    clause: Clause
    level: tuple[int, int]
    """Precedence and rank."""
    name: str
    selection: Selection | None
    """Whom an assign clause selects; equal selections of one document are the same."""
    by_region: tuple[Basis, ...] | None
    """The basis of a clause that looks for agencies from the deciding region."""


class Named(dict[str, Candidate]):
    """The candidates that a clause has named, by agency; each is made once, within a bound."""

    def __init__(self, indexed: IndexedClause) -> None:
        super().__init__()
        self._document, self._clause = indexed.document.id, indexed.clause.key

    def __missing__(self, agency: str) -> Candidate:
        if len(self) >= MOST_NAMED:
            self.clear()
        candidate = self[agency] = Candidate(agency, self._document, self._clause)
        return candidate


class ClauseIndex:
    """The clauses of the documents that are in force at one time, compiled."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = tuple(sorted(documents, key=lambda document: (document.precedence, document.id)))
        self.digests = tuple(sorted((document.id, document.version, sha256(document)) for document in self.documents))
        self.clauses = tuple(self._in_order())
        whens = [indexed.clause.when for indexed in self.clauses]
        covers = [indexed.document.covers for indexed in self.clauses]
        self.assign = self._kind(lambda clause: isinstance(clause, Assign))
        self.deny = self._kind(lambda clause: isinstance(clause, Deny))
        self.duty = ~(self.assign | self.deny) & ((1 << len(self.clauses)) - 1)
        self.services = Line(when.services for when in whens)
        self.urgency = Line(frozenset(map(str, when.urgency)) for when in whens)
        self.perpetrator = Flag((when.perpetrator_in_household,) for when in whens)
        self.domicile = Places([cover.domicile for cover in covers])
        abroad_line = Flag((w.abroad, c.abroad) for w, c in zip(whens, covers, strict=True))
        province_line = Flag((when.cross_province,) for when in whens)
        regency_line = Flag((when.cross_regency,) for when in whens)
        self.victims = VictimIndex(whens, covers)
        self._by_basis = self._bases()
        coverage = Places([document.covers.domicile for document in reversed(self.documents)])
        self.homes = Homes(self.domicile, coverage)
        self._names = ("", *(indexed.name for indexed in self.clauses))
        self._bit = (0, *(1 << place for place in range(len(self.clauses))))
        self.named = tuple(map(Named, self.clauses))
        """For each clause, the candidates it has named."""

        def derived(abroad: bool, cross_province: bool, cross_regency: bool) -> int:
            return (
                abroad_line.allows(abroad) & province_line.allows(cross_province) & regency_line.allows(cross_regency)
            )

        territory = Places([indexed.document.territory for indexed in self.clauses])
        locator = Locator(self._by_basis, [one.by_region for one in self.clauses], territory, self.homes, derived)
        self.whereabouts = locator.locate
        """What the known locations of facts mean to the clauses."""
        self._incidents, self._domiciles, self._currents = locator.fine
        self.deciding = locator.deciding
        """For each clause, the number of the location from which it looks for agencies, where all three are known."""
        answers = Answers(self.services, self.urgency, self.perpetrator)
        self._in_one_regency = answers.within(derived(False, False, False))
        self._in_one_province = answers.within(derived(False, False, True))
        self._in_several = answers.within(derived(False, True, True))
        self.duties = {place: _owed(self.clauses[place]) for place in bits(self.duty)}
        levels = [indexed.level for indexed in self.clauses]
        self._up_to = tuple((1 << bisect_right(levels, level)) - 1 for level in levels)

    def _in_order(self) -> Iterator[IndexedClause]:
        selections: dict[tuple[str, Selector], Selection] = {}
        entries = [(document, clause) for document in self.documents for clause in document.clauses]
        for document, clause in sorted(entries, key=_position):
            selection = by_region = None
            if isinstance(clause, Assign):
                by_region = clause.basis if clause.to.where is not None else None
                selected = Selection.of(document, clause.to)
                selection = selections.setdefault((document.id, clause.to), selected)
            precedence, rank, _, _ = _position((document, clause))
            name = f"{document.id}/{clause.key}"
            yield IndexedClause(document, clause, (precedence, rank), name, selection, by_region)

    def _kind(self, is_of_kind: Callable[[Clause], bool]) -> int:
        return union(1 << place for place, indexed in enumerate(self.clauses) if is_of_kind(indexed.clause))

    def _bases(self) -> Mapping[tuple[Basis, ...], int]:
        by_basis: dict[tuple[Basis, ...], int] = defaultdict(int)
        for place, indexed in enumerate(self.clauses):
            if isinstance(indexed.clause, Assign):
                by_basis[indexed.clause.basis] |= 1 << place
        return by_basis

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Give the place of each clause, as document/key, in the order of deciding."""
        return {indexed.name: place for place, indexed in enumerate(self.clauses)}

    @cached_property
    def documents_digest(self) -> str:
        """Give the digest that names these documents, by their ids, versions and digests."""
        return digest(canonical_bytes({"documents": list(self.digests)}))

    def holding(self, places: Whereabouts, urgency: Urgency, service: str) -> int:
        """Return whom service, urgency and the places that are known allow, the victim and the basis aside."""
        return places.allowed & self.services.allows(service) & self.urgency.allows(urgency)

    def settled(self, facts: Facts, service: str) -> int | None:
        """Return the clauses that match where all is known and fine enough to tell, else None.

        This is the common case, and nothing else is worked out for it: seven lookups, and the AND of five masks.
        """
        incident, domicile = self._incidents[facts.incident], self._domiciles[facts.domicile]
        current, age, said = self._currents[facts.current], facts.age, facts.perpetrator_in_household
        if incident is None or domicile is None or current is None or age is None or said is None or facts.sex is None:
            return None
        by_incident, incident_regency, incident_province = incident
        by_domicile, domicile_regency, domicile_province = domicile
        by_current, current_regency, current_province = current
        if incident_regency == domicile_regency == current_regency:
            answers = self._in_one_regency
        elif incident_province == domicile_province == current_province:
            answers = self._in_one_province
        else:
            answers = self._in_several
        masks = self.victims.by_case_types[facts.case_types].by_age[facts.sex]
        by_victim = masks[age] if age < len(masks) else masks[-1]
        return by_incident & by_domicile & by_current & answers[service][facts.urgency][said] & by_victim

    def names_of(self, clauses: int) -> tuple[str, ...]:
        """Name clauses, as document/key, in the order of deciding."""
        names, bit, found = self._names, self._bit, []
        while clauses:
            length = clauses.bit_length()
            found.append(names[length])
            clauses ^= bit[length]
        found.reverse()
        return tuple(found)

    def up_to(self, place: int) -> int:
        """Return the clauses that sort before a clause or level with it."""
        return self._up_to[place]

    def unlocated_by(self, clauses: int, facts: Facts) -> frozenset[str]:
        """Name the locations that some unlocated clauses lack: all of the basis, or the one that is too coarse."""
        lacking: set[Basis] = set()
        for basis, group in self._by_basis.items():
            if group & clauses:
                known = [location for location in basis if facts.location(location) is not None]
                lacking.update(known[:1] or basis)
        return frozenset(f"locations.{location}" for location in lacking)


def deciding_location(basis: tuple[Basis, ...], facts: Facts) -> Basis | None:
    """Name the first location of a basis that is known."""
    return next((kind for kind in basis if facts.location(kind) is not None), None)


def deciding_region(basis: tuple[Basis, ...], facts: Facts) -> str | None:
    """Return the first known location of a basis."""
    kind = deciding_location(basis, facts)
    return None if kind is None else facts.location(kind)


def _owed(indexed: IndexedClause) -> DutyOwed:
    duty = indexed.clause
    if not isinstance(duty, Duty):
        raise TypeError("not a duty")
    source, confirmed = duty.citation.source, duty.citation.confirmed
    document = indexed.document
    return DutyOwed(duty.duty, duty.within, document.id, duty.key, source, confirmed, document.version)


def _position(entry: tuple[Document, Clause]) -> tuple[int, int, str, str]:
    document, clause = entry
    return (document.precedence, clause.rank if isinstance(clause, Assign) else 0, document.id, clause.key)
