"""Documents, registries and facts of every shape, over so few codes that ties and collisions are frequent."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.agreement import (
    Assign,
    Basis,
    Citation,
    Clause,
    Condition,
    Covers,
    Deny,
    Document,
    DocumentKind,
    Party,
    Selector,
    VictimLine,
    Where,
)
from app.domain.facts import Facts
from app.domain.registry import Agency, Registry, Service
from app.domain.vocabulary import Sex, Urgency
from tests.domain.factories import MOMENT

SERVICES = ("health_service", "law_enforcement", "mediation")
KINDS = ("hospital", "police", "uptd_ppa")
REGIONS = ("ID", "64", "64.02", "64.02.06", "64.09", "64.09.04", "63", "63.71")
LOCATIONS = (*REGIONS, "64.72", "country:MY")
CASE_TYPES = ("physical", "sexual", "trafficking")
CODES = tuple("abcdefgh")

regions = st.sampled_from(REGIONS)
territories = st.lists(regions, min_size=1, max_size=2, unique=True).map(tuple)
maybe_flag = st.sampled_from((None, None, None, True, False))
ages = st.sampled_from((None, None, 12, 18))
older = st.sampled_from((None, None, 15, 60))
sexes = st.sampled_from((frozenset[Sex](), frozenset[Sex](), frozenset({Sex.FEMALE}), frozenset({Sex.MALE})))


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.one_of(st.just(frozenset[str]()), st.frozensets(st.sampled_from(values), min_size=1, max_size=2))


conditions = st.builds(
    Condition,
    services=some(SERVICES),
    urgency=st.sampled_from((frozenset[Urgency](), frozenset({Urgency.EMERGENCY}))),
    case_types=some(CASE_TYPES),
    sexes=sexes,
    age_from=ages,
    age_below=older,
    abroad=maybe_flag,
    cross_province=maybe_flag,
    cross_regency=maybe_flag,
    perpetrator_in_household=maybe_flag,
)
lines = st.builds(VictimLine, sexes=sexes, age_from=ages, age_below=older, case_types=some(CASE_TYPES))
covers = st.builds(
    Covers,
    domicile=st.one_of(st.just(()), territories),
    abroad=maybe_flag,
    victims=st.lists(lines, max_size=2).map(tuple),
)
citations = st.just(Citation("a test", confirmed=True))
kinds = st.lists(st.sampled_from(KINDS), max_size=2, unique=True).map(tuple)
selectors = st.one_of(
    st.builds(Selector, where=st.sampled_from(list(Where)), kinds=kinds),
    st.builds(Selector, agency=st.sampled_from(CODES)),
)
bases = st.lists(st.sampled_from(list(Basis)), min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def clauses(draw: st.DrawFn, key: str) -> Clause:
    if draw(st.integers(0, 11)) == 7:
        return Deny(key, draw(citations), draw(conditions))
    to = draw(selectors)
    basis = draw(bases) if to.where is not None or draw(st.booleans()) else ()
    when = draw(st.one_of(*(st.just(Condition()),) * 3, conditions))
    return Assign(key, draw(citations), when, to, draw(st.integers(1, 4)), basis)


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    return [
        Document(
            id=id_,
            version=1,
            kind=DocumentKind.AGREEMENT,
            precedence=draw(st.sampled_from((1, 1, 2))),
            title_id=id_,
            title_en=id_,
            effective_from=date(2020, 1, 1),
            effective_until=None,
            time_zone="Asia/Jakarta",
            parties=tuple(Party(agency, draw(territories)) for agency in ("a", "b")[: draw(st.integers(1, 2))]),
            covers=draw(st.one_of(*(st.just(Covers()),) * 2, covers)),
            clauses=tuple(draw(clauses(f"c{number}")) for number in range(draw(st.integers(1, 5)))),
        )
        for id_ in ("one", "two", "three")[: draw(st.integers(1, 3))]
    ]


services = st.builds(
    Service,
    area=territories,
    sexes=sexes,
    age_from=ages,
    age_below=older,
    case_types=some(CASE_TYPES),
    available=st.sampled_from((True, True, True, False)),
)

offered = st.one_of(services, st.builds(Service, area=territories), st.just(Service(area=("ID",))))


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    agencies = {}
    for place, code in enumerate(CODES[: draw(st.integers(2, len(CODES)))]):
        agencies[code] = Agency(
            code=code,
            name=code,
            kind=draw(st.sampled_from(KINDS)),
            region=draw(regions),
            services={service: draw(offered) for service in draw(some(SERVICES)) or SERVICES},
            part_of=draw(st.sampled_from((None, None, *CODES[:place]))),
            active=draw(st.sampled_from((True, True, True, False))),
        )
    return Registry(1, agencies)


locations = st.sampled_from((None, *LOCATIONS))
facts = st.builds(
    Facts,
    received_at=st.just(MOMENT),
    urgency=st.sampled_from((Urgency.EMERGENCY, Urgency.STANDARD)),
    case_types=st.frozensets(st.sampled_from(CASE_TYPES), min_size=1, max_size=2),
    incident=locations,
    domicile=locations,
    current=locations,
    age=st.sampled_from((None, None, 0, 14, 17, 18, 40)),
    sex=st.sampled_from((None, Sex.FEMALE, Sex.MALE)),
    perpetrator_in_household=st.sampled_from((None, True, False)),
    conflicts=st.frozensets(st.sampled_from(CODES), max_size=1),
    refuses=st.frozensets(st.sampled_from(CODES), max_size=1),
    avoid_regions=st.frozensets(regions, max_size=1),
    consent=st.sampled_from((*(True,) * 9, False)),
    consents_to=st.one_of(*(st.none(),) * 4, st.frozensets(st.sampled_from(CODES), min_size=1, max_size=2)),
)
tried = st.frozensets(st.sampled_from(CODES), max_size=3)
every_shape = given(registries(), documents(), facts, st.sampled_from(SERVICES), tried)
briefly = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
