"""What time has done to what a document names: regions that are no longer listed, capacities that nobody confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.clauses import Assign, Basis, Clause
from app.domain.conflicts import facts_of
from app.domain.coverage import Case, Cell
from app.domain.demands import demand
from app.domain.facts import Facts
from app.domain.finding import Finding, Witness, finding
from app.domain.placings import patterns
from app.domain.reach import matches
from app.domain.regions import contains
from app.domain.review import Review


def retired_regions(read: Review) -> Iterator[Finding]:
    """List the regions of a document that the list in force no longer has, each with the clauses that go by it."""
    document = read.document
    for region in dict.fromkeys((*document.territory, *document.covers.domicile)):
        if region not in read.regions.retired:
            continue
        clauses = [clause for clause in document.clauses if region in document.covers.domicile or _is_located(clause)]
        witness = next(filter(None, (_witness_at(read, clause, region) for clause in clauses)), None)
        yield finding("retired_region", *map(read.name, clauses), witness=witness, region=read.wording.region(region))


def unknown_capacities(read: Review) -> Iterator[Finding]:
    """List who would be offered a service by this document though nobody has confirmed for too long that it can."""
    found: dict[tuple[str, str], list[tuple[Cell, Case]]] = {}
    own = f"{read.document.id}/"
    for cell in read.coverage.cells:
        for case in cell.cases:
            agency = case.answer.agency
            if agency is not None and case.clause and case.clause.startswith(own) and _is_unknown(read, agency, cell):
                found.setdefault((agency, cell.service), []).append((cell, case))
    for (agency, service), cases in found.items():
        clauses = dict.fromkeys(case.clause for _, case in cases if case.clause)
        offered = read.registry.agencies[agency].services[service]
        day = offered.confirmed_on.isoformat() if offered.confirmed_on else None
        yield finding(
            "capacity_unknown" if day else "capacity_never_confirmed",
            *clauses,
            witness=read.witness(f"{read.document.id}: {agency}: {service}", _facts(read, *cases[0]), service),
            agency=read.wording.agency(agency),
            service=read.wording.service(service),
            days=offered.valid_for or 0,
            **({"day": day} if day else {}),
        )


def _is_located(clause: Clause) -> bool:
    return isinstance(clause, Assign) and bool(clause.basis)


def _witness_at(read: Review, clause: Clause, region: str) -> Witness | None:
    """Write a referral in a region that a clause matches, or else any that it matches."""
    found = read.reaches[clause.key]
    asked = demand(((read.document, clause),))
    victim = None if asked is None else next(asked.victims(tuple(read.vocabulary.case_types)), None)
    if found.facts is None or asked is None or victim is None:
        return None
    for pattern in patterns(asked):
        # Where no location decides, it is the home that the document goes by.
        kind = next(iter(pattern.deciding), Basis.DOMICILE)
        if kind not in pattern.domestic:
            continue
        places = read.space.complete({kind: region}, pattern, asked)
        if places is None or not contains(region, places[kind]):
            continue
        facts = facts_of(asked, places, victim, read.at)
        if matches(read.alone, read.document, clause, facts, found.service):
            return read.witness(read.name(clause), facts, found.service)
    return read.clause_witness(clause)


def _is_unknown(read: Review, agency: str, cell: Cell) -> bool:
    offer = read.together.listings.offers(cell.service).by_agency.get(agency)
    return offer is not None and offer.unknown_from is not None and offer.unknown_from <= read.at


def _facts(read: Review, cell: Cell, case: Case) -> Facts:
    urgency, case_type, perpetrator, sex, age = case.group
    return Facts(
        received_at=read.at,
        urgency=urgency,
        case_types=frozenset({case_type}),
        incident=cell.row.example,
        domicile=cell.row.example,
        current=cell.row.example,
        age=age,
        sex=sex,
        perpetrator_in_household=perpetrator,
    )
