"""The clauses of the documents in force as bitmaps: bit n is clause n in the order of deciding.

Every value of every fact has a mask of the clauses it allows; the clauses that hold are the AND of a few masks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.domain.candidates import Selection
from app.domain.clauses import Assign, Basis, Clause, Deny, Duty, Selector
from app.domain.decision import DutyOwed
from app.domain.document import Document, sha256
from app.domain.facts import Facts
from app.domain.masks import MOST_REMEMBERED, Flag, Line, Places, bits, union
from app.domain.victims import VictimIndex


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


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the known locations mean: the clauses they allow, those that are located and unlocated, and the regions."""

    allowed: int
    located: int
    unlocated: int
    regions: Mapping[tuple[Basis, ...], str | None]


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
        self._abroad = Flag((w.abroad, c.abroad) for w, c in zip(whens, covers, strict=True))
        self._cross_province = Flag((when.cross_province,) for when in whens)
        self._cross_regency = Flag((when.cross_regency,) for when in whens)
        self.victims = VictimIndex(whens, covers)
        self._territory = Places([indexed.document.territory for indexed in self.clauses])
        self._by_basis = self._bases()
        self._coverage = Places([document.covers.domicile for document in reversed(self.documents)])
        self._whereabouts: dict[tuple[str | None, str | None, str | None], Whereabouts] = {}
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

    def holding(self, facts: Facts, service: str) -> int:
        """Return whom service, urgency and the places that are known allow, the victim and the basis aside."""
        places = self.whereabouts(facts)
        return self.services.allows(service) & self.urgency.allows(facts.urgency) & places.allowed

    def up_to(self, place: int) -> int:
        """Return the clauses that sort before a clause or level with it."""
        return self._up_to[place]

    def coverage(self, home: str | None) -> int:
        """Weigh the documents that cover a home: the first to decide weighs more than all that come after."""
        return self._coverage.around(home)[0] if home is not None else 0

    def unlocated_by(self, clauses: int, facts: Facts) -> frozenset[str]:
        """Name the locations that some unlocated clauses lack: all of the basis, or the one that is too coarse."""
        lacking: set[Basis] = set()
        for basis, group in self._by_basis.items():
            if group & clauses:
                known = [location for location in basis if facts.location(location) is not None]
                lacking.update(known[:1] or basis)
        return frozenset(f"locations.{location}" for location in lacking)

    def whereabouts(self, facts: Facts) -> Whereabouts:
        """Return what the known locations mean to the clauses; what was worked out is remembered, within a bound."""
        key = (facts.incident, facts.domicile, facts.current)
        found = self._whereabouts.get(key)
        if found is None:
            if len(self._whereabouts) >= MOST_REMEMBERED:
                self._whereabouts.clear()
            found = self._whereabouts[key] = self._locate(facts)
        return found

    def _locate(self, facts: Facts) -> Whereabouts:
        located, unlocated = 0, 0
        regions = {basis: deciding_region(basis, facts) for basis in self._by_basis}
        for basis, clauses in self._by_basis.items():
            region = regions[basis]
            if not basis:
                located |= clauses
            elif region is None:
                unlocated |= clauses
            else:
                inside, coarse = self._territory.around(region)
                located |= clauses & inside
                unlocated |= clauses & coarse
        allowed = (
            self._abroad.allows(facts.abroad)
            & self._cross_province.allows(facts.cross_province)
            & self._cross_regency.allows(facts.cross_regency)
            & (located | unlocated | self.deny | self.duty)
        )
        return Whereabouts(allowed, located, unlocated, regions)


def deciding_region(basis: tuple[Basis, ...], facts: Facts) -> str | None:
    """Return the first known location of a basis."""
    for location in basis:
        if (known := facts.location(location)) is not None:
            return known
    return None


def _owed(indexed: IndexedClause) -> DutyOwed:
    duty = indexed.clause
    if not isinstance(duty, Duty):
        raise TypeError("not a duty")
    source, confirmed = duty.citation.source, duty.citation.confirmed
    return DutyOwed(duty.duty, duty.within, indexed.document.id, duty.key, source, confirmed)


def _position(entry: tuple[Document, Clause]) -> tuple[int, int, str, str]:
    document, clause = entry
    return (document.precedence, clause.rank if isinstance(clause, Assign) else 0, document.id, clause.key)
