"""The index: what it settles at once, where nothing is missing, and what it leaves to be worked out."""

from hypothesis import event, given
from hypothesis import strategies as st

from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.index import ClauseIndex
from app.domain.unknowns import ways
from tests.domain.factories import a_clause, an_agreement, facts
from tests.domain.strategies import SERVICES, briefly, documents
from tests.domain.strategies import facts as any_facts


def the_long_way(index: ClauseIndex, facts: Facts, service: str) -> int:
    """The clauses that match in some way, as they are found where something is missing."""
    places = index.whereabouts(facts)
    every = ways(index, facts, index.holding(places, facts.urgency, service), lambda _: [])
    return every.could & ~places.unlocated


@given(documents(), any_facts, st.sampled_from((*SERVICES, "a service that nobody names")))
@briefly
def test_what_is_settled_at_once_is_what_the_long_way_comes_to(
    documents: list[Document], facts: Facts, service: str
) -> None:
    index = ClauseIndex(documents)

    settled = index.settled(facts, service)

    event("settled" if settled is not None else "left")
    if settled is not None:
        assert settled == the_long_way(index, facts, service)
        assert index.names_of(settled) == tuple(
            one.name for place, one in enumerate(index.clauses) if settled >> place & 1
        )


def test_nothing_is_settled_at_once_while_a_fact_is_missing_or_too_coarse() -> None:
    index = ClauseIndex([an_agreement(a_clause())])
    known = {
        "incident": "64.09.04",
        "domicile": "64.02.06",
        "current": "64.02.06",
        "age": 31,
        "sex": "female",
        "perpetrator_in_household": False,
    }

    assert index.settled(facts(**known), "health_service") is not None
    for missing in known:
        assert index.settled(facts(**{**known, missing: None}), "health_service") is None
    for location in ("incident", "domicile", "current"):
        assert index.settled(facts(**{**known, location: "64"}), "health_service") is None
        assert index.settled(facts(**{**known, location: "country:MY"}), "health_service") is None
