"""A decision is kept small, and nothing of it is lost."""

import orjson
import pytest

from app.domain.canonical import canonical_bytes
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.record import expanded, is_compact, moment_of, record_of
from app.domain.registry import Registry
from app.domain.routing import Rules, compile_rules
from app.reference.load import shipped
from tests.domain.factories import (
    HEALTH,
    MOMENT,
    a_clause,
    a_denial,
    a_duty,
    an_agency,
    an_agreement,
    facts,
    rules,
    to_basis,
)
from tests.domain.strategies import briefly, every_shape

MOST_BYTES = 4096


@every_shape
@briefly
def test_a_record_tells_all_that_the_decision_said(
    registry: Registry, papers: list[Document], case: Facts, service: str, tried: frozenset[str]
) -> None:
    compiled = compile_rules(registry, papers, shipped().vocabulary)
    decision = compiled.decide(case, service, tried)

    kept = orjson.loads(canonical_bytes(record_of(compiled, decision, case.received_at)))

    assert is_compact(kept)
    assert expanded(kept, compiled.index(moment_of(kept))) == orjson.loads(canonical_bytes(decision.to_json()))


def _weighing(clauses_in_each: int, documents: int) -> Rules:
    """Every clause matches, the first half has nobody, every document has a duty, and dozens of agencies are named."""
    agencies = [an_agency(f"lembaga-layanan-korban-{number:03}") for number in range(40)]
    papers = []
    for paper in range(documents):
        lines = [
            a_clause(
                f"a-clause-with-a-long-name-{number}",
                rank=number + 1,
                to=to_basis("hospital")
                if paper < documents // 2
                else f"lembaga-layanan-korban-{(paper * clauses_in_each + number) % 40:03}",
            )
            for number in range(clauses_in_each - 1)
        ]
        papers.append(an_agreement(*lines, a_duty(), id=f"pks-kabupaten-dan-kota-{paper}-2026", precedence=paper))
    return rules(agencies, *papers)


def test_a_record_stays_below_four_kibibytes_when_500_clauses_of_50_documents_match() -> None:
    compiled = _weighing(clauses_in_each=10, documents=50)
    decision = compiled.decide(facts(), HEALTH)

    kept = canonical_bytes(record_of(compiled, decision, MOMENT))

    assert len(decision.matched) == 500
    assert len(decision.chain) == 36
    assert len(decision.duties) == 50
    assert len(decision.warnings) == 225
    assert len(canonical_bytes(decision.to_json())) > 10 * MOST_BYTES
    assert len(kept) < MOST_BYTES
    again = expanded(orjson.loads(kept), compiled.index(MOMENT))
    assert canonical_bytes(again) == canonical_bytes(decision.to_json())


def test_a_record_is_not_read_by_other_documents_than_it_was_made_by() -> None:
    compiled = rules([an_agency()], an_agreement(a_clause()))
    other = rules([an_agency()], an_agreement(a_clause(), a_denial()))
    kept = record_of(compiled, compiled.decide(facts(), HEALTH), MOMENT)

    with pytest.raises(ValueError, match="not the documents"):
        expanded(kept, other.index(MOMENT))
