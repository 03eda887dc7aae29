"""Rulebooks, registries and referrals of any size, in the shape of the shipped agreement and baseline.

The first agreement and its two regencies are the same at every size, so that a referral there meets the same clauses
and the same agencies whatever surrounds them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from random import Random
from typing import Any

from app.domain.clauses import (
    Assign,
    Basis,
    Citation,
    Clause,
    Condition,
    Covers,
    Deny,
    Duty,
    Party,
    Selector,
    VictimLine,
    Where,
)
from app.domain.document import Document, DocumentKind
from app.domain.facts import Facts
from app.domain.registry import Agency, Registry, Service
from app.domain.vocabulary import Sex, Urgency

SERVICES = (
    "health_service",
    "legal_service",
    "temporary_shelter",
    "psychological_support",
    "law_enforcement",
    "mediation",
    "case_management",
    "victim_accompaniment",
)
CASE_TYPES = ("physical", "psychological", "sexual", "trafficking", "neglect")
KINDS = ("uptd_ppa", "hospital", "police", "legal_aid", "intake_point")
URGENCIES = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.STANDARD, Urgency.STANDARD)
MOMENT = datetime(2024, 8, 1, 1, 15, tzinfo=UTC)
CITED = Citation("generated", confirmed=False)

IN_BASELINE = 10
IN_AGREEMENT = 49
IN_REGENCY = 10
PROVINCES = range(11, 95)
DISTRICTS = 60

VENUE = (Basis.INCIDENT, Basis.CURRENT, Basis.DOMICILE)
SAFETY = (Basis.CURRENT, Basis.DOMICILE, Basis.INCIDENT)


@dataclass(frozen=True, slots=True)
class World:
    """What decisions are made from, and the regencies of the agreements in it."""

    documents: tuple[Document, ...]
    registry: Registry
    regencies: tuple[str, ...]

    @property
    def clauses(self) -> int:
        """Count the clauses."""
        return sum(len(document.clauses) for document in self.documents)


def a_world(clauses: int, agencies: int) -> World:
    """Make a rulebook of so many clauses, and a registry of so many agencies."""
    documents = tuple(rulebook(clauses))
    homes = tuple(regencies((len(documents) - 1) * 2 or 2))
    return World(documents, registry(agencies), homes)


def regencies(count: int) -> Iterator[str]:
    """List codes of regencies, two of one province side by side."""
    every = (f"{province}.{2 * pair + one:02}" for pair in range(1, 13) for province in PROVINCES for one in (0, 1))
    return islice(every, count)


def registry(agencies: int) -> Registry:
    """Make ten agencies in each regency, each with four services; the first of them coordinates."""
    homes = regencies(-(-agencies // IN_REGENCY))
    made = (an_agency(home, number) for home in homes for number in range(IN_REGENCY))
    return Registry(1, {agency.code: agency for agency in islice(made, agencies)})


def an_agency(home: str, number: int) -> Agency:
    """Make one agency; every third has a service for some victims only."""
    limited = number % 3 == 2
    offered = {
        service: Service(
            area=(home,),
            sexes=frozenset({Sex.FEMALE}) if limited and service == "temporary_shelter" else frozenset(),
            age_below=18 if limited and service == "psychological_support" else None,
        )
        for service in (SERVICES[(number + step) % len(SERVICES)] for step in (0, 1, 3, 4))
    }
    return Agency(
        code=f"agency-{home.replace('.', '-')}-{number}",
        name=f"Agency {number} of {home}",
        kind=KINDS[number % len(KINDS)],
        region=home,
        services=offered,
        part_of=f"agency-{home.replace('.', '-')}-0" if number else None,
        coordinator_for=home if number == 0 else None,
    )


def rulebook(clauses: int) -> Iterator[Document]:
    """Make a baseline of ten clauses and agreements of 49 for the rest, each between two neighbouring regencies."""
    yield baseline()
    left, homes = clauses - IN_BASELINE, regencies(10_000)
    while left > 0:
        yield agreement(next(homes), next(homes), min(left, IN_AGREEMENT))
        left -= IN_AGREEMENT


def baseline() -> Document:
    """Make what holds everywhere: one clause a service, and where nobody may decide."""
    found: list[Clause] = [
        Assign(f"where-it-is-{service}", CITED, Condition(frozenset({service})), Selector(Where.BASIS), 90, SAFETY)
        for service in SERVICES
        if service != "mediation"
    ]
    home = Assign("home", CITED, Condition(cross_province=True), Selector(Where.PROVINCE), 95, (Basis.DOMICILE,))
    under_one_roof = Condition(frozenset({"mediation"}), perpetrator_in_household=True)
    child = Condition(age_below=18)
    found += [
        home,
        Deny("no-mediation", CITED, under_one_roof),
        Duty("tell", CITED, child, "report_to_police", "PT72H"),
    ]
    return _document("baseline", 900, [("ID",)], Covers(), found)


def agreement(one: str, other: str, clauses: int) -> Document:
    """Make six clauses a service between two regencies, and a duty."""
    found: list[Clause] = [
        Duty("begin", CITED, Condition(urgency=frozenset({Urgency.EMERGENCY})), "begin_service", "PT24H")
    ]
    for service in SERVICES:
        basis = VENUE if service in ("law_enforcement", "legal_service") else SAFETY
        here, there = Selector(Where.BASIS), Selector(Where.PARTNER)
        its = frozenset({service})
        whens = {
            "child": (Condition(its, age_below=18), Selector(Where.BASIS, kinds=("uptd_ppa", "hospital")), 10),
            "trafficked": (Condition(its, case_types=frozenset({"trafficking"})), here, 20),
            "at-home": (Condition(its, perpetrator_in_household=True), there, 30),
            "woman": (Condition(its, sexes=frozenset({Sex.FEMALE}), age_from=18), here, 40),
            "anyone": (Condition(its), Selector(Where.BASIS, kinds=KINDS), 50),
            "partner": (Condition(its, cross_regency=True), there, 60),
        }
        found += [
            Assign(f"{key}-{service}", CITED, when, to, rank, basis, "PT24H" if rank == 10 else None)
            for key, (when, to, rank) in whens.items()
        ]
    covers = Covers(
        domicile=(one, other),
        abroad=False,
        victims=(
            VictimLine(sexes=frozenset({Sex.FEMALE})),
            VictimLine(age_below=18),
            VictimLine(case_types=frozenset({"trafficking"})),
        ),
    )
    return _document(f"pks-{one}-{other}", 100, [(one,), (other,)], covers, found[:clauses])


def _document(
    id_: str, precedence: int, territories: list[tuple[str, ...]], covers: Covers, clauses: list[Clause]
) -> Document:
    return Document(
        id=id_.replace(".", "-"),
        version=1,
        kind=DocumentKind.AGREEMENT if covers.domicile else DocumentKind.BASELINE,
        precedence=precedence,
        title_id=id_,
        title_en=id_,
        effective_from=date(2024, 1, 1),
        effective_until=None,
        time_zone="Asia/Makassar",
        parties=tuple(Party(f"party-{place}", territory) for place, territory in enumerate(territories)),
        covers=covers,
        clauses=tuple(clauses),
    )


MISSING = ("domicile", "age", "sex", "perpetrator_in_household")


def referrals(seed: int, count: int, homes: tuple[str, ...], missing: int = 0) -> list[tuple[Facts, str]]:
    """Make referrals in some regencies and their neighbours, with so many of four facts missing; no two alike."""
    random = Random(seed)  # noqa: S311 - a benchmark repeats itself
    return [_referral(random, homes, missing) for _ in range(count)]


def _referral(random: Random, homes: tuple[str, ...], missing: int) -> tuple[Facts, str]:
    place = random.randrange(0, len(homes), 2)
    pair = homes[place : place + 2]

    def district() -> str:
        return f"{random.choice(pair)}.{random.randrange(1, DISTRICTS):02}"

    facts: dict[str, Any] = {
        "domicile": district(),
        "age": random.randrange(70),
        "sex": random.choice((Sex.FEMALE, Sex.FEMALE, Sex.MALE)),
        "perpetrator_in_household": random.random() < 0.4,
    }
    for fact in random.sample(MISSING, missing):
        del facts[fact]
    known = Facts(
        received_at=MOMENT,
        urgency=random.choice(URGENCIES),
        case_types=frozenset(random.sample(CASE_TYPES, random.randrange(1, 3))),
        incident=district(),
        current=district(),
        **facts,
    )
    return known, random.choice(SERVICES)
