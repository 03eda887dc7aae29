"""What clauses ask of a referral before they match, and a referral that has it (routing.md, Clauses)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from app.domain.clauses import Assign, Basis, Clause, Condition, VictimLine
from app.domain.document import Document
from app.domain.reading import OLDEST
from app.domain.vocabulary import Sex, Urgency

Place = tuple[Document, Clause]

LEAST_URGENT_FIRST = (Urgency.STANDARD, Urgency.URGENT, Urgency.EMERGENCY)
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Victim:
    """What clauses may ask about a victim."""

    sex: Sex
    age: int
    case_types: frozenset[str]

    def is_in(self, line: Condition | VictimLine) -> bool:
        """Say whether a line speaks of this victim."""
        return (
            (not line.sexes or self.sex in line.sexes)
            and (line.age_from is None or self.age >= line.age_from)
            and (line.age_below is None or self.age < line.age_below)
            and (not line.case_types or not line.case_types.isdisjoint(self.case_types))
        )


@dataclass(frozen=True, slots=True)
class Demand:
    """What one referral must have for all of some clauses to match; a flag that is None may be either."""

    services: frozenset[str]
    """Empty: any service."""
    urgency: Urgency
    perpetrator: bool | None
    abroad: bool | None
    cross_province: bool | None
    cross_regency: bool | None
    homes: tuple[frozenset[str], ...]
    located: tuple[tuple[tuple[Basis, ...], frozenset[str]], ...]
    """The basis and the territory of each clause that has a basis."""
    conditions: tuple[Condition, ...]
    covers: tuple[tuple[VictimLine, ...], ...]

    @property
    def lines(self) -> tuple[Condition | VictimLine, ...]:
        """List every line about the victim."""
        return (*self.conditions, *(line for lines in self.covers for line in lines))

    def victims(
        self, case_types: Sequence[str], ages: Iterable[int] = (), named: frozenset[str] = NOTHING
    ) -> Iterator[Victim]:
        """List victims of whom every clause speaks, one of each kind that lines, ages and case types tell apart."""
        lines = self.lines
        limits = {age for line in lines for age in (line.age_from, line.age_below) if age is not None}
        youngest = sorted((age for age in {0, *limits, *ages} if age <= OLDEST), reverse=True)
        for types in _combinations(case_types, named.union(*(line.case_types for line in lines))):
            for sex, age in product(Sex, youngest):
                victim = Victim(sex, age, types)
                if all(map(victim.is_in, self.conditions)) and all(
                    not lines or any(map(victim.is_in, lines)) for lines in self.covers
                ):
                    yield victim


def demand(places: Sequence[Place]) -> Demand | None:
    """Put together what some clauses ask of one referral; None if they contradict each other outright."""
    whens = [clause.when for _, clause in places]
    services = _common([when.services for when in whens])
    urgencies = _common([frozenset(when.urgency) for when in whens])
    flags = {
        name: _agreed(getattr(when, name) for when in whens)
        for name in ("perpetrator_in_household", "cross_province", "cross_regency")
    }
    flags["abroad"] = _agreed(flag for d, c in places for flag in (c.when.abroad, d.covers.abroad))
    if services is None or urgencies is None or any(len(said) > 1 for said in flags.values()):
        return None
    said = {name: next(iter(flag), None) for name, flag in flags.items()}
    return Demand(
        services=services,
        urgency=next(one for one in LEAST_URGENT_FIRST if not urgencies or one in urgencies),
        perpetrator=said["perpetrator_in_household"],
        abroad=said["abroad"],
        cross_province=said["cross_province"],
        cross_regency=said["cross_regency"],
        homes=tuple({frozenset(d.covers.domicile) for d, _ in places if d.covers.domicile}),
        located=tuple(
            (clause.basis, frozenset(document.territory))
            for document, clause in places
            if isinstance(clause, Assign) and clause.basis
        ),
        conditions=tuple(whens),
        covers=tuple({document.covers.victims for document, _ in places}),
    )


def _common(asked: Sequence[frozenset[str]]) -> frozenset[str] | None:
    """Return what all of them name; empty if none names anything, None if nothing is common."""
    naming = [values for values in asked if values]
    if not naming:
        return NOTHING
    return frozenset.intersection(*naming) or None


def _agreed(asked: Iterable[bool | None]) -> frozenset[bool]:
    return frozenset(flag for flag in asked if flag is not None)


def _combinations(every: Sequence[str], named: frozenset[str]) -> Iterator[frozenset[str]]:
    """List the combinations of case types that are named, and one type that is not."""
    other = next((code for code in every if code not in named), None)
    if other is not None:
        yield frozenset({other})
    known = [*(code for code in every if code in named), *sorted(named - set(every))]
    for size in range(1, len(known) + 1):
        yield from map(frozenset, combinations(known, size))


def referral(facts: Mapping[str, object], services: Sequence[str], name: str) -> dict[str, object]:
    """Write facts as a case of the file format, without what is not known."""
    kept = {key: value for key, value in facts.items() if value not in (None, [], "given")}
    for group in ("locations", "victim"):
        part = facts[group]
        if isinstance(part, Mapping):
            kept[group] = {key: value for key, value in part.items() if value is not None}
    return {"name": name, "facts": {**kept, "services": list(services)}}
