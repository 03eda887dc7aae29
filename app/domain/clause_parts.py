"""One clause held against the facts, part by part; a missing fact makes a part neither true nor false."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.clauses import Assign, Clause, Condition, Covers, VictimLine
from app.domain.document import Document
from app.domain.facts import AGE, DOMICILE, PERPETRATOR, SEX, Facts
from app.domain.index import deciding_region
from app.domain.regions import contained_in_any, is_too_coarse
from app.domain.vocabulary import Sex


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a clause that asks something; None: it depends on the missing facts."""

    name: str
    holds: bool | None
    missing: tuple[str, ...] = ()


def parts(document: Document, clause: Clause, facts: Facts, service: str) -> tuple[Part, ...]:
    """List every part of a clause that asks something, with what the facts say to it."""
    covered = _covered(document.covers, facts)
    asked = _asked(clause.when, facts, service)
    located = _located(document, clause, facts) if isinstance(clause, Assign) else ()
    return (*covered, *asked, *located)


def _covered(covers: Covers, facts: Facts) -> Iterator[Part]:
    if covers.domicile:
        domicile = facts.domicile
        if domicile is None or is_too_coarse(domicile, covers.domicile):
            yield Part("covers.domicile", None, (DOMICILE,))
        else:
            yield Part("covers.domicile", contained_in_any(covers.domicile, domicile))
    if covers.abroad is not None:
        yield Part("covers.abroad", facts.abroad is covers.abroad)
    if covers.victims:
        yield _one_line_holds(covers.victims, facts)


def _one_line_holds(lines: tuple[VictimLine, ...], facts: Facts) -> Part:
    sexes = [facts.sex] if facts.sex is not None else list(Sex)
    limits = {age for line in lines for age in (line.age_from, line.age_below) if age is not None}
    ages = [facts.age] if facts.age is not None else sorted({0, *limits})
    found = {any(_line_holds(line, sex, age, facts) for line in lines) for sex in sexes for age in ages}
    if len(found) == 1:
        return Part("covers.victims", found.pop())
    missing = [name for name, value in ((AGE, facts.age), (SEX, facts.sex)) if value is None]
    return Part("covers.victims", None, tuple(missing))


def _line_holds(line: VictimLine, sex: Sex, age: int, facts: Facts) -> bool:
    return (
        (not line.sexes or sex in line.sexes)
        and (line.age_from is None or age >= line.age_from)
        and (line.age_below is None or age < line.age_below)
        and (not line.case_types or not line.case_types.isdisjoint(facts.case_types))
    )


def _asked(when: Condition, facts: Facts, service: str) -> Iterator[Part]:
    if when.services:
        yield Part("when.services", service in when.services)
    if when.urgency:
        yield Part("when.urgency", facts.urgency in when.urgency)
    if when.case_types:
        yield Part("when.case_types", not when.case_types.isdisjoint(facts.case_types))
    yield from _asked_of_victim(when, facts)
    for name, asked, is_so in (
        ("when.abroad", when.abroad, facts.abroad),
        ("when.cross_province", when.cross_province, facts.cross_province),
        ("when.cross_regency", when.cross_regency, facts.cross_regency),
    ):
        if asked is not None:
            yield Part(name, asked is is_so)
    if when.perpetrator_in_household is not None:
        said = facts.perpetrator_in_household
        name = "when.perpetrator_in_household"
        yield Part(name, None, (PERPETRATOR,)) if said is None else Part(name, said is when.perpetrator_in_household)


def _asked_of_victim(when: Condition, facts: Facts) -> Iterator[Part]:
    if when.sexes:
        yield Part("when.sexes", None, (SEX,)) if facts.sex is None else Part("when.sexes", facts.sex in when.sexes)
    if when.age_from is not None:
        of_age = None if facts.age is None else facts.age >= when.age_from
        yield Part("when.age_from", of_age, (AGE,) if of_age is None else ())
    if when.age_below is not None:
        of_age = None if facts.age is None else facts.age < when.age_below
        yield Part("when.age_below", of_age, (AGE,) if of_age is None else ())


def _located(document: Document, clause: Assign, facts: Facts) -> tuple[Part, ...]:
    if not clause.basis:
        return ()
    region = deciding_region(clause.basis, facts)
    if region is None:
        return (Part("basis", None, tuple(f"locations.{location}" for location in clause.basis)),)
    if is_too_coarse(region, document.territory):
        first = next(location for location in clause.basis if facts.location(location) is not None)
        return (Part("basis", None, (f"locations.{first}",)),)
    return (Part("basis", contained_in_any(document.territory, region)),)
