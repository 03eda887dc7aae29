"""What is wrong with a document before it is published, and what its parties should know (routing.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from app.domain.aging import retired_regions, unknown_capacities
from app.domain.candidates import Selection
from app.domain.clauses import Assign, Clause
from app.domain.conflicts import Conflict, Conflicts
from app.domain.document import Document, sha256
from app.domain.facts import Facts
from app.domain.finding import Finding, Severity, finding
from app.domain.gaps import gaps
from app.domain.landmarks import lies_in
from app.domain.reach import decided_before, may_come_before
from app.domain.regions import Regions
from app.domain.registry import Registry
from app.domain.review import Review
from app.domain.shadows import NotSearched, Steps, together_before
from app.domain.vocabulary import Reason, Vocabulary
from app.domain.wording import Text, joined

__all__ = ["Finding", "Severity", "check", "is_refused", "late", "reached"]

MOST_CONFLICTS = 100


def check(
    document: Document,
    *,
    published: Iterable[Document],
    registry: Registry,
    vocabulary: Vocabulary,
    regions: Regions,
    now: datetime,
) -> tuple[Finding, ...]:
    """List what keeps a document from being published, then what should be known of it."""
    read = Review(document, tuple(published), registry, vocabulary, regions, now)
    found = [*_versions(read), *_codes(read), *_agencies(read), *reached(read, Steps()), *_conflicts(read)]
    found += [*retired_regions(read), *unknown_capacities(read)]
    found += [*_unoffered(read), *gaps(read.coverage, read.wording, read.witness), *_citations(read)]
    return tuple(sorted(found, key=lambda one: one.severity is not Severity.REFUSE))


def is_refused(findings: Iterable[Finding]) -> bool:
    """Say whether a document with these findings may not be published."""
    return any(one.severity is Severity.REFUSE for one in findings)


def late(document: Document, newest: int, now: datetime) -> tuple[Finding, ...]:
    """Refuse a successor of the newest version that begins before now; a first version may."""
    if not newest or document.begins >= now:
        return ()
    return (finding("in_the_past", day=document.effective_from.isoformat()),)


def _versions(read: Review) -> Iterator[Finding]:
    document = read.document
    published = {one.version: one for one in read.published if one.id == document.id}
    same = published.get(document.version)
    if same is not None and sha256(same) == sha256(document):
        return
    following = max(published, default=0) + 1
    if document.version != following:
        yield finding("version_not_next", version=document.version, next=following)
    yield from late(document, max(published, default=0), read.now)


def _codes(read: Review) -> Iterator[Finding]:
    document, vocabulary = read.document, read.vocabulary
    services, kinds = Text("jenis layanan", "service type"), Text("jenis lembaga", "kind of agency")
    types = Text("jenis kasus", "case type")
    for clause in document.clauses:
        asked = [(clause.when.services, vocabulary.service_types, services)]
        asked.append((clause.when.case_types, vocabulary.case_types, types))
        if isinstance(clause, Assign):
            asked.append((frozenset(clause.to.kinds), vocabulary.agency_kinds, kinds))
        for codes, known, of in asked:
            for code in sorted(codes - known.keys()):
                yield finding("unknown_code", read.name(clause), unknown=code, of=of)
    covered = frozenset(code for line in document.covers.victims for code in line.case_types)
    for code in sorted(covered - vocabulary.case_types.keys()):
        yield finding("unknown_code", unknown=code, of=types)
    for code in dict.fromkeys((*document.territory, *document.covers.domicile)):
        if not read.regions.knows(code):
            yield finding("unknown_region", region=code)


def _agencies(read: Review) -> Iterator[Finding]:
    agencies = read.registry.agencies
    named: dict[str, list[Clause]] = {party.agency: [] for party in read.document.parties}
    for clause in read.document.clauses:
        if isinstance(clause, Assign) and clause.to.agency is not None:
            named.setdefault(clause.to.agency, []).append(clause)
    for code, clauses in named.items():
        agency = agencies.get(code)
        if agency is None or not agency.active:
            witness = next(filter(None, map(read.clause_witness, clauses)), None)
            kind = "unknown_agency" if agency is None else "inactive_agency"
            yield finding(kind, *map(read.name, clauses), witness=witness, agency=read.wording.agency(code))


def reached(read: Review, steps: Steps) -> Iterator[Finding]:
    """List the clauses that never match or never decide, as far as there are steps to search for it."""
    unsearched = list[Assign]()
    for clause in read.document.clauses:
        why = read.reaches[clause.key].why
        if why is not None:
            yield finding("never_matches", read.name(clause), why=why)
        elif isinstance(clause, Assign):
            try:
                yield from _idle(read, clause, steps)
            except NotSearched:
                unsearched.append(clause)
    if unsearched:
        witness = read.clause_witness(unsearched[0])
        yield finding("shadows_not_searched", *map(read.name, unsearched), witness=witness, count=len(unsearched))


def _idle(read: Review, clause: Assign, steps: Steps) -> Iterator[Finding]:
    before = decided_before(read.document, clause)
    witness = read.clause_witness(clause)
    if before is not None:
        kind = "shadowed" if isinstance(before, Assign) else "denied_always"
        yield finding(kind, read.name(clause), read.name(before), witness=witness, by=before.key)
    elif not _names_somebody(read, clause):
        yield finding("names_nobody", read.name(clause), witness=witness)
    elif together := together_before(
        read.document, clause, may_come_before(read.document, clause), read.vocabulary, steps
    ):
        by = ", ".join(one.key for one in together)
        yield finding("shadowed_together", read.name(clause), *map(read.name, together), witness=witness, by=by)


def _names_somebody(read: Review, clause: Assign) -> bool:
    selection = Selection.of(read.document, clause.to)
    regions: tuple[str | None, ...] = (None,)
    if clause.to.where is not None:
        regions = read.landmarks.within(frozenset(read.document.territory))
    services = clause.when.services or read.vocabulary.service_types
    return any(selection.choose(read.alone.listings.offers(one), at) for one in services for at in regions)


def _conflicts(read: Review) -> Iterator[Finding]:
    within = Conflicts(read.alone, read.space, read.at)
    shown = 0
    for one, other in within.pairs():
        conflict = within.between(one, other)
        if conflict is None:
            continue
        if shown == MOST_CONFLICTS:
            yield finding("more_conflicts", count=MOST_CONFLICTS)
            break
        shown += 1
        yield _conflict(read, conflict, "ambiguous_later" if conflict.facts.refuses else "ambiguous")
    among = Conflicts(read.together, read.space, read.at)
    found = (
        among.between(one, other)
        for one, other in among.pairs()
        if (one.document.id == read.document.id) is not (other.document.id == read.document.id)
    )
    yield from (
        _conflict(read, conflict, "ambiguous_with_another")
        for conflict in islice((one for one in found if one is not None), MOST_CONFLICTS)
    )


def _conflict(read: Review, conflict: Conflict, code: str) -> Finding:
    say = read.wording
    one, other = map(say.agency, conflict.heads)
    words = {"service": say.service(conflict.service), "one": Text.same(one), "other": Text.same(other)}
    if code == "ambiguous_later":
        words["refused"] = joined(Text.same(say.agency(agency)) for agency in sorted(conflict.facts.refuses))
    facts = _brought_forward(read, conflict)
    witness = read.witness(" ~ ".join(conflict.clauses), facts, conflict.service)
    return finding(code, *conflict.clauses, witness=witness, **words)


def _brought_forward(read: Review, conflict: Conflict) -> Facts:
    """Let those refuse who are asked before the two clauses, where the conflict shows only then."""
    facts = conflict.facts
    while True:
        decision = read.together.decide(facts, conflict.service)
        if decision.reason is Reason.AMBIGUOUS or Reason.AMBIGUOUS.value in decision.warnings:
            return facts
        head = next((candidate.agency for candidate in decision.chain), None)
        if head is None or head in conflict.heads:
            return conflict.facts
        facts = replace(facts, refuses=facts.refuses | {head})


def _unoffered(read: Review) -> Iterator[Finding]:
    territory = frozenset(read.document.territory)
    offered = {
        service
        for agency in read.registry.agencies.values()
        if agency.active and lies_in(territory, agency.region)
        for service, offer in agency.services.items()
        if offer.available
    }
    named: dict[str, list[Clause]] = defaultdict(list)
    for clause in read.document.clauses:
        if isinstance(clause, Assign):
            for service in clause.when.services - offered:
                named[service].append(clause)
    for service in sorted(named):
        names = map(read.name, named[service])
        facts = next((found for clause in named[service] if (found := read.reaches[clause.key].facts)), None)
        witness = read.witness(f"{read.document.id}: {service}", facts, service) if facts else None
        yield finding("nobody_offers", *names, witness=witness, service=read.wording.service(service))


def _citations(read: Review) -> Iterator[Finding]:
    today = read.document.local_day(read.now)
    for clause in read.document.clauses:
        day = clause.citation.confirmed_on
        if day is not None and day > today:
            yield finding("confirmed_in_the_future", read.name(clause), day=day.isoformat())
        if not clause.citation.confirmed:
            witness = read.clause_witness(clause)
            yield finding("not_confirmed", read.name(clause), witness=witness, source=clause.citation.source)
