"""Clauses that never decide because several others together come before them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.agreement import Assign, Basis, Clause, Condition, Covers, Deny, Document, Selector, VictimLine, Where
from app.domain.analysis import Finding, check, reached
from app.domain.reach import may_come_before
from app.domain.reading import OLDEST
from app.domain.review import Review
from app.domain.routing import compile_rules
from app.domain.shadows import Steps, together_before
from app.domain.vocabulary import Sex, Urgency
from app.reference.cases import parse_cases
from app.reference.load import shipped
from tests.domain import strategies
from tests.domain.factories import HEALTH, MOMENT, a_clause, a_denial, a_registry, an_agency, an_agreement

REFERENCE = shipped()
AGENCIES = a_registry(
    an_agency("receiver"), an_agency("kukar"), an_agency("police", kind="police"), an_agency("office", kind="office")
)
WOMEN, MEN = (Condition(sexes=frozenset({sex})) for sex in (Sex.FEMALE, Sex.MALE))
YOUNG, GROWN = Condition(age_below=18), Condition(age_from=18)
thoroughly = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def checked(document: Document) -> tuple[Finding, ...]:
    return check(
        document,
        published=(),
        registry=AGENCIES,
        vocabulary=REFERENCE.vocabulary,
        regions=REFERENCE.regions,
        now=MOMENT,
    )


def shadows(document: Document) -> list[tuple[str, ...]]:
    """The clauses that are never reached, each with those that come before it."""
    names = (one.clauses for one in checked(document) if one.code == "shadowed_together")
    return [tuple(name.partition("/")[2] for name in clauses) for clauses in names]


def test_two_clauses_that_share_out_all_victims_leave_nothing_to_a_third() -> None:
    document = an_agreement(
        a_clause("women", rank=1, when=WOMEN), a_clause("men", rank=2, when=MEN), a_clause("last", rank=3)
    )

    assert shadows(document) == [("last", "women", "men")]


def test_the_witness_is_a_referral_that_the_clause_matches_and_another_decides() -> None:
    care = Condition(services=frozenset({HEALTH}))
    document = an_agreement(
        a_clause("women", rank=1, when=WOMEN), a_clause("men", rank=2, when=MEN), a_clause("last", rank=3, when=care)
    )

    (found,) = (one for one in checked(document) if one.code == "shadowed_together")

    assert found.witness is not None
    (case,) = parse_cases([found.witness], REFERENCE.vocabulary)
    decision = compile_rules(AGENCIES, (document,), REFERENCE.vocabulary).decide(case.facts, case.services[0])
    assert "agreement/last" in decision.matched
    assert decision.clause in ("women", "men")
    assert case.expect[case.services[0]]["clause"] == decision.clause


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (WOMEN, Condition(sexes=frozenset({Sex.MALE}), age_from=1)),
        (YOUNG, Condition(age_from=19)),
        (Condition(abroad=True), Condition(abroad=False, urgency=frozenset({Urgency.EMERGENCY}))),
        (Condition(case_types=frozenset({"sexual"})), Condition(case_types=frozenset({"physical"}))),
    ],
)
def test_a_clause_that_is_left_a_little_is_not_shadowed(one: Condition, other: Condition) -> None:
    document = an_agreement(
        a_clause("one", rank=1, when=one), a_clause("other", rank=2, when=other), a_clause("last", rank=3)
    )

    assert shadows(document) == []


def test_what_a_prohibition_takes_and_what_another_clause_names_add_up() -> None:
    document = an_agreement(a_clause("grown", rank=1, when=GROWN), a_denial(when=YOUNG), a_clause("last", rank=3))

    assert shadows(document) == [("last", "grown", "denial")]


def test_kinds_of_agency_that_are_named_one_by_one_add_up() -> None:
    police, both = (Selector(Where.BASIS, None, kinds) for kinds in (("police",), ("police", "office")))
    office = Selector(Where.BASIS, None, ("office",))
    document = an_agreement(
        a_clause("police", rank=1, to=police), a_clause("office", rank=2, to=office), a_clause("both", rank=3, to=both)
    )
    left = an_agreement(a_clause("police", rank=1, to=police), a_clause("both", rank=3, to=both))

    assert shadows(document) == [("both", "police", "office")]
    assert shadows(left) == []


def test_only_whom_the_document_speaks_of_has_to_be_shared_out() -> None:
    children = Covers(victims=(VictimLine(age_below=18),))
    clauses = (
        a_clause("girls", rank=1, when=Condition(sexes=frozenset({Sex.FEMALE}), age_below=18)),
        a_clause("boys", rank=2, when=Condition(sexes=frozenset({Sex.MALE}), age_below=18)),
        a_clause("last", rank=3),
    )

    assert shadows(an_agreement(*clauses, covers=children)) == [("last", "girls", "boys")]
    assert shadows(an_agreement(*clauses)) == []


@pytest.mark.parametrize("different", [{"to": "kukar"}, {"rank": 9}])
def test_clauses_that_name_others_or_come_later_take_nothing(different: dict[str, object]) -> None:
    document = an_agreement(
        a_clause("women", rank=1, when=WOMEN),
        a_clause("men", **{"rank": 2, "when": MEN, **different}),  # type: ignore[arg-type]
        a_clause("last", rank=3),
    )

    assert shadows(document) == []


def test_a_document_that_is_not_searched_to_the_end_names_the_clauses_it_was_not_searched_for() -> None:
    document = an_agreement(
        a_clause("one", rank=1, when=WOMEN), a_clause("other", rank=2, when=MEN), a_clause("z", rank=3)
    )
    review = Review(document, (), AGENCIES, REFERENCE.vocabulary, REFERENCE.regions, MOMENT)

    (found,) = reached(review, Steps(3))

    assert (found.code, found.clauses) == ("shadows_not_searched", ("agreement/z",))
    assert found.witness is not None


# --- any document, held against every referral there is ---


def holds(document: Document, one: Clause, kind: tuple[object, ...]) -> bool:
    service, urgency, types, sex, age, abroad, province, regency, perpetrator = kind
    when = one.when
    return (
        (not when.services or service in when.services)
        and (not when.urgency or urgency in when.urgency)
        and (not when.case_types or not when.case_types.isdisjoint(types))  # type: ignore[arg-type]
        and (not when.sexes or sex in when.sexes)
        and (when.age_from is None or age >= when.age_from)  # type: ignore[operator]
        and (when.age_below is None or age < when.age_below)  # type: ignore[operator]
        and when.abroad in (None, abroad)
        and document.covers.abroad in (None, abroad)
        and when.cross_province in (None, province)
        and when.cross_regency in (None, regency)
        and when.perpetrator_in_household in (None, perpetrator)
    )


def is_spoken_of(document: Document, kind: tuple[object, ...]) -> bool:
    _, _, types, sex, age, *_ = kind
    return not document.covers.victims or any(
        (not line.sexes or sex in line.sexes)
        and (line.age_from is None or age >= line.age_from)  # type: ignore[operator]
        and (line.age_below is None or age < line.age_below)  # type: ignore[operator]
        and (not line.case_types or not line.case_types.isdisjoint(types))  # type: ignore[arg-type]
        for line in document.covers.victims
    )


def comes_before(clauses: list[Clause], last: Assign) -> bool:
    if any(isinstance(one, Deny) for one in clauses):
        return True
    kinds = [one.to.kinds for one in clauses if isinstance(one, Assign)]
    if any(not named for named in kinds):
        return True
    return bool(last.to.kinds) and set(last.to.kinds) <= {kind for named in kinds for kind in named}


TYPES = [frozenset({code}) for code in (*strategies.CASE_TYPES, "neglect")]
TYPES += [frozenset(pair) for pair in product(strategies.CASE_TYPES, repeat=2)]
KINDS = list(
    product(
        (*strategies.SERVICES, HEALTH, "complaint_intake"),
        (Urgency.EMERGENCY, Urgency.STANDARD),
        TYPES,
        Sex,
        (0, 12, 15, 18, 60, OLDEST),
        *[(True, False)] * 4,
    )
)


@st.composite
def level_clauses(draw: st.DrawFn) -> Document:
    to = st.sampled_from((Selector(Where.BASIS), Selector(Where.BASIS, None, ("police",)), Selector(agency="receiver")))
    when = st.one_of(
        st.sampled_from((WOMEN, MEN, YOUNG, GROWN, Condition(abroad=True), Condition(abroad=False))),
        strategies.conditions,
    )
    last = a_clause("last", rank=99, to=Selector(Where.BASIS, None, ("police",)), basis=(Basis.CURRENT,))
    some = [
        Deny(f"c{number}", last.citation, draw(when))
        if draw(st.integers(0, 5)) == 0
        else a_clause(f"c{number}", rank=number, when=draw(when), to=draw(to), basis=(Basis.CURRENT,))
        for number in range(draw(st.integers(2, 6)))
    ]
    covers = Covers(
        abroad=draw(strategies.maybe_flag), victims=draw(st.sampled_from(((), (VictimLine(age_below=18),))))
    )
    return an_agreement(*some, last, covers=covers)


@thoroughly
@given(level_clauses())
def test_it_is_said_exactly_where_every_referral_is_taken_before(document: Document) -> None:
    *_, last = document.clauses
    assert isinstance(last, Assign)
    before = may_come_before(document, last)

    found = together_before(document, last, before, REFERENCE.vocabulary, Steps())

    matched = [kind for kind in KINDS if holds(document, last, kind) and is_spoken_of(document, kind)]
    taken = all(comes_before([one for one in before if holds(document, one, kind)], last) for kind in matched)
    assert bool(found) == (taken and len(before) > 1)
