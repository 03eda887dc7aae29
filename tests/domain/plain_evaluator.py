"""A second, slow reading of routing.md, on mappings as they stand in YAML; it shares no code with app/domain.

It is written to be held against the text sentence by sentence. Where the text leaves a choice, the comment says
which reading was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

Written = Mapping[str, Any]

URGENCY_RESPOND = {"emergency": "PT1H", "urgent": "PT24H", "standard": "P3WD"}
STAYS_AT_THE_VENUE = ("law_enforcement", "legal_service")


# --- Regions -----------------------------------------------------------------------------------------------------


def is_abroad(code: str) -> bool:
    return code.startswith("country:")


def contains(outer: str, inner: str) -> bool:
    """`64.02` contains itself and `64.02.06`; `ID` contains every domestic code."""
    if is_abroad(inner) or is_abroad(outer):
        return False
    return outer in ("ID", inner) or inner.startswith(outer + ".")


def any_contains(regions: Iterable[str], inner: str) -> bool:
    return any(contains(region, inner) for region in regions)


def too_coarse(code: str, regions: Sequence[str]) -> bool:
    """A code coarser than what is asked is too coarse to tell."""
    return not any_contains(regions, code) and any(contains(code, region) for region in regions)


def depth(code: str) -> int:
    """How narrow a region is: the nation 0, a province 1, a regency 2, a district 3."""
    return 0 if code == "ID" else len(code.split("."))


def part(code: str, levels: int) -> str | None:
    """The province (1) or regency (2) of a code, if it names one."""
    return ".".join(code.split(".")[:levels]) if not is_abroad(code) and depth(code) >= levels else None


# --- Facts -------------------------------------------------------------------------------------------------------


def places(facts: Written) -> dict[str, str]:
    return {key: code for key, code in facts.get("locations", {}).items() if code is not None}


def first_known(kinds: Iterable[str], facts: Written) -> str | None:
    return next((kind for kind in kinds if kind in places(facts)), None)


def derived(facts: Written) -> dict[str, bool]:
    known = places(facts)
    first = first_known(("current", "incident", "domicile"), facts)
    return {
        "abroad": first is not None and is_abroad(known[first]),
        "cross_province": len({part(code, 1) for code in known.values()} - {None}) > 1,
        "cross_regency": len({part(code, 2) for code in known.values()} - {None}) > 1,
    }


@dataclass(frozen=True)
class Way:
    """One way the missing facts could turn out; what is known is the same in each."""

    covered: tuple[tuple[str, bool], ...]
    perpetrator: bool
    sex: str
    age: int


def in_force(documents: Iterable[Written], facts: Written) -> list[Written]:
    moment = facts["received_at"]
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment

    def today(document: Written) -> date:
        return moment.astimezone(ZoneInfo(document["timezone"])).date()

    begun = [document for document in documents if _day(document["effective"]["from"]) <= today(document)]
    # A successor closes its predecessor at its own `from`: of what has begun, the last version alone counts.
    last = {document["id"]: document for document in sorted(begun, key=lambda one: int(one["version"]))}
    counting = [
        document
        for document in last.values()
        if document["effective"].get("until") is None or today(document) < _day(document["effective"]["until"])
    ]
    return sorted(counting, key=lambda document: (document["precedence"], document["id"]))


def _day(written: str | date) -> date:
    return written if isinstance(written, date) else date.fromisoformat(written)


def ways(documents: Sequence[Written], agencies: Iterable[Written], facts: Written, service: str) -> list[Way]:
    """Every way the missing facts could turn out, the most protective first."""
    perpetrator = facts.get("perpetrator_in_household")
    sex = facts.get("victim", {}).get("sex")
    age = facts.get("victim", {}).get("age")
    return [
        Way(*one)
        for one in product(
            _domicile_ways(documents, facts),
            [True, False] if perpetrator is None else [perpetrator],
            ["female", "male"] if sex in (None, "unknown") else [sex],
            _ages(documents, agencies, service) if age is None else [age],
        )
    ]


def _domicile_ways(documents: Sequence[Written], facts: Written) -> list[tuple[tuple[str, bool], ...]]:
    """In which documents' covers the domicile may lie, the first document covered first.

    "Could turn out" is read strictly: no domicile lies in `64.02` for one document and outside it for another.
    """
    asked = {document["id"]: document.get("covers", {}).get("domicile") or [] for document in documents}
    named = [region for regions in asked.values() for region in regions]
    known = places(facts).get("domicile")
    if known is None:
        possible = ["country:XX", *named]
    elif is_abroad(known):
        possible = [known]
    else:
        # Somewhere in the known region: in a finer one that some document names, or in none of these.
        possible = [known, *(region for region in named if contains(known, region))]
    found = {
        tuple((identifier, not regions or any_contains(regions, domicile)) for identifier, regions in asked.items())
        for domicile in possible
    }
    return sorted(found, key=lambda way: [not covered for _, covered in way])


def _ages(documents: Iterable[Written], agencies: Iterable[Written], service: str) -> list[int]:
    limits: list[Written] = [agency["services"][service] for agency in agencies if service in agency["services"]]
    for document in documents:
        limits += document.get("covers", {}).get("victims") or []
        limits += [clause["when"] for clause in document["clauses"]]
    named = {limit[key] for limit in limits for key in ("age_from", "age_below") if limit.get(key) is not None}
    return sorted({0, *named})


# --- Clauses -----------------------------------------------------------------------------------------------------


def limits_hold(limits: Written, way: Way, facts: Written) -> bool:
    """The limits that a victim line, a `when` and a service have in common."""
    if limits.get("sexes") and way.sex not in limits["sexes"]:
        return False
    if limits.get("age_from") is not None and way.age < limits["age_from"]:
        return False
    if limits.get("age_below") is not None and way.age >= limits["age_below"]:
        return False
    return not (limits.get("case_types") and not set(limits["case_types"]) & set(facts["case_types"]))


def covers_hold(document: Written, way: Way, facts: Written) -> bool:
    covers = document.get("covers", {})
    if not dict(way.covered)[document["id"]]:
        return False
    if covers.get("abroad") is not None and covers["abroad"] != derived(facts)["abroad"]:
        return False
    victims = covers.get("victims") or []
    return not victims or any(limits_hold(line, way, facts) for line in victims)


def when_holds(when: Written, way: Way, facts: Written, service: str) -> bool:
    if when.get("services") and service not in when["services"]:
        return False
    if when.get("urgency") and facts["urgency"] not in when["urgency"]:
        return False
    is_so = {**derived(facts), "perpetrator_in_household": way.perpetrator}
    if any(when.get(flag) is not None and when[flag] != value for flag, value in is_so.items()):
        return False
    return limits_hold(when, way, facts)


@dataclass(frozen=True)
class Clause:
    document: Written
    written: Written

    @property
    def level(self) -> tuple[int, int]:
        return self.document["precedence"], self.written.get("rank", 0)

    @property
    def position(self) -> tuple[int, int, str, str]:
        return *self.level, self.document["id"], self.written["key"]

    @property
    def territory(self) -> list[str]:
        return [region for party in self.document["parties"] for region in party["territory"]]

    def deciding(self, facts: Written) -> str | None:
        kind = first_known(self.written.get("basis") or [], facts)
        return places(facts)[kind] if kind else None

    def unlocated(self, facts: Written) -> list[str]:
        """The locations that would have to be known; empty if the clause is located or has no basis.

        A location too coarse stands alone: it decides, no other is tried.
        """
        basis = self.written.get("basis") or []
        region = self.deciding(facts)
        if region is None:
            return [f"locations.{kind}" for kind in basis]
        return [f"locations.{first_known(basis, facts)}"] if too_coarse(region, self.territory) else []

    def lies_within(self, facts: Written) -> bool:
        """The deciding region holds; a clause without a basis asks for none."""
        region = self.deciding(facts)
        return not self.written.get("basis") or (region is not None and any_contains(self.territory, region))


def holding(documents: Iterable[Written], kind: str, way: Way, facts: Written, service: str) -> list[Clause]:
    """The clauses of a kind whose covers and when hold, in their order."""
    found = [
        Clause(document, clause)
        for document in documents
        for clause in document["clauses"]
        if clause["kind"] == kind
        and covers_hold(document, way, facts)
        and when_holds(clause["when"], way, facts, service)
    ]
    return sorted(found, key=lambda clause: clause.position)


# --- Candidates --------------------------------------------------------------------------------------------------


def institution(code: str, agencies: Sequence[Written]) -> set[str]:
    """All that hang together by part_of; in a tree these are all that share its root, and a cycle is one whole."""
    found = {code}
    while True:
        more = set(found)
        for agency in agencies:
            parent = agency.get("part_of")
            if parent is not None and {agency["code"], parent} & found:
                more |= {agency["code"], parent}
        if more == found:
            return found
        found = more


def off_every_list(agencies: Sequence[Written], facts: Written) -> set[str]:
    in_conflict = {code for named in facts.get("conflicts") or [] for code in institution(named, agencies)}
    return in_conflict | set(facts.get("refuses") or [])


def candidates(clause: Clause, agencies: Sequence[Written], way: Way, facts: Written, service: str) -> list[str]:
    to = clause.written["to"]
    region = clause.deciding(facts)
    kinds = to.get("kinds") or []
    off = off_every_list(agencies, facts)
    if facts.get("consents_to") is not None:
        off = off | ({agency["code"] for agency in agencies} - set(facts["consents_to"]))
    found = []
    for agency in agencies:
        offer = agency["services"].get(service)
        if not agency.get("active", True) or offer is None or not offer.get("available", True):
            continue
        if not limits_hold(offer, way, facts) or agency["code"] in off:
            continue
        if service not in STAYS_AT_THE_VENUE and any_contains(facts.get("avoid_regions") or [], agency["region"]):
            continue
        if kinds and agency["kind"] not in kinds:
            continue
        if not selects(to, clause, region, agency, offer["area"]):
            continue
        width = 0
        if region is not None and to.get("where") in ("basis", "province"):
            width = -max(depth(area) for area in offer["area"] if contains(area, region))
        order = kinds.index(agency["kind"]) if kinds else 0
        found.append((width, order, agency["code"]))
    return [code for _, _, code in sorted(found)]


def selects(to: Written, clause: Clause, region: str | None, agency: Written, area: Sequence[str]) -> bool:
    if "agency" in to:
        return bool(agency["code"] == to["agency"])
    if region is None:
        return False
    home = agency["region"]
    if to["where"] == "basis":
        return any_contains(clause.territory, home) and any_contains(area, region)
    if to["where"] == "partner":
        # A party whose territory has the deciding region is never the other one, also where territories overlap.
        others = [party for party in clause.document["parties"] if not any_contains(party["territory"], region)]
        return any(any_contains(party["territory"], home) for party in others)
    return home == part(region, 1) and any_contains(area, region)


def capacity_is_unknown(agency: Written, facts: Written, service: str) -> bool:
    """A capacity that was not confirmed for as long as the agency's own limit counts as unknown.

    Both days are the agency's; one that has a limit and was never confirmed is unknown from the start.
    """
    offer = agency["services"][service]
    if offer.get("valid_for") is None:
        return False
    if offer.get("confirmed_on") is None:
        return True
    moment = facts["received_at"]
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    age = moment.astimezone(ZoneInfo(agency["time_zone"])).date() - _day(offer["confirmed_on"])
    return age.days > int(offer["valid_for"].removeprefix("P").removesuffix("D"))


# --- The decision in one way -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What is decided if the missing facts turn out one way; locations stay as they are."""

    outcome: str
    reason: str | None
    agency: str | None
    because: Clause | None
    chain: tuple[tuple[str, Clause], ...]
    warnings: tuple[str, ...]
    locations: frozenset[str]

    @property
    def seen(self) -> tuple[str, str | None, str | None]:
        return self.outcome, self.reason, self.agency


def decide_in(
    way: Way, documents: Sequence[Written], agencies: Sequence[Written], facts: Written, service: str, tried: set[str]
) -> Outcome:
    denied = holding(documents, "deny", way, facts, service)
    if denied:
        lowest = min(denied, key=lambda c: (c.document["precedence"], c.document["id"], c.written["key"]))
        return Outcome("needs_coordinator", "denied", None, lowest, (), (), frozenset())
    assign = holding(documents, "assign", way, facts, service)
    unlocated = [clause for clause in assign if clause.unlocated(facts)]
    matching = [clause for clause in assign if clause.lies_within(facts)]
    lists = [(clause, candidates(clause, agencies, way, facts, service)) for clause in matching]

    named_by: dict[str, Clause] = {}
    for clause, listed in lists:
        for code in listed:
            named_by.setdefault(code, clause)
    chain = tuple((code, clause) for code, clause in named_by.items() if code not in tried)
    if not chain:
        reason = "chain_exhausted" if named_by else "unroutable"
        asked = frozenset(name for clause in unlocated for name in clause.unlocated(facts))
        return Outcome("needs_coordinator", reason, None, None, (), (), asked)

    head, because = chain[0]
    asked = frozenset(name for clause in unlocated if clause.level <= because.level for name in clause.unlocated(facts))
    firsts = {
        next(code for code in listed if code not in tried)
        for clause, listed in lists
        if clause.level == because.level and set(listed) - tried
    }
    is_ambiguous = len(firsts) > 1
    warnings = {
        f"passed_over:{clause.document['id']}/{clause.written['key']}"
        for clause, listed in lists
        if not listed and clause.position < because.position
    }
    asked_first = next(agency for agency in agencies if agency["code"] == head)
    home = asked_first["region"]
    if capacity_is_unknown(asked_first, facts, service):
        warnings.add(f"capacity_unknown:{head}")
    avoided = facts.get("avoid_regions") or []
    if depth(home) >= 2 and any(contains(one, home) or contains(home, one) for one in avoided):
        warnings.add("near_avoided_region")
    if is_ambiguous and facts["urgency"] != "emergency":
        return Outcome("needs_coordinator", "ambiguous", None, None, chain, tuple(sorted(warnings)), asked)
    if is_ambiguous:
        warnings.add("ambiguous")
    return Outcome("offered", None, head, because, chain, tuple(sorted(warnings)), asked)


# --- The decision ------------------------------------------------------------------------------------------------

FACT_NAMES = {
    "covered": "locations.domicile",
    "perpetrator": "perpetrator_in_household",
    "sex": "victim.sex",
    "age": "victim.age",
}


def evaluate(
    documents: Sequence[Written], agencies: Sequence[Written], facts: Written, service: str, tried: Iterable[str] = ()
) -> dict[str, Any]:
    """Decide one service by routing.md."""
    counting = in_force(documents, facts)
    every = ways(counting, agencies, facts, service)
    decided = {way: decide_in(way, counting, agencies, facts, service, set(tried)) for way in every}
    protective = every[0]
    is_emergency = facts["urgency"] == "emergency"
    missing = sorted({*changing(decided), *(name for one in decided.values() for name in one.locations)})

    def say(one: Outcome, *more: str) -> dict[str, Any]:
        offered = one.outcome == "offered"
        respond = (one.because.written.get("respond") if one.because else None) or URGENCY_RESPOND[facts["urgency"]]
        return {
            "outcome": one.outcome,
            "reason": one.reason,
            "agency": one.agency,
            "document": one.because.document["id"] if one.because else None,
            "clause": one.because.written["key"] if one.because else None,
            "respond": respond if offered else None,
            "chain": [code for code, _ in one.chain],
            "named_by": [f"{clause.document['id']}/{clause.written['key']}" for _, clause in one.chain],
            "warnings": sorted([*one.warnings, *more]),
            "missing": missing,
            "duties": list(duties(counting, protective, facts, service)),
            "coordinator": coordinator(agencies, facts),
        }

    def wait(reason: str) -> dict[str, Any]:
        return say(Outcome("needs_coordinator", reason, None, None, (), (), frozenset()))

    if all(one.reason == "denied" for one in decided.values()):
        return say(decided[protective])
    if facts.get("consent") == "none" and not is_emergency:
        return wait("no_consent")
    if not missing:
        return say(decided[protective])
    some_way_denied = any(one.reason == "denied" for one in decided.values())
    if not is_emergency or some_way_denied or decided[protective].outcome != "offered":
        return wait("undetermined")
    return say(decided[protective], *(f"decided_without:{name}" for name in missing))


def changing(decided: Mapping[Way, Outcome]) -> Iterator[str]:
    """The facts of which one alone, the others fixed in any way, changes outcome, reason or agency."""
    for field, name in FACT_NAMES.items():
        seen: dict[tuple[Any, ...], set[Any]] = {}
        for way, one in decided.items():
            others = tuple(getattr(way, other) for other in FACT_NAMES if other != field)
            seen.setdefault(others, set()).add(one.seen)
        if any(len(outcomes) > 1 for outcomes in seen.values()):
            yield name


def duties(documents: Sequence[Written], way: Way, facts: Written, service: str) -> Iterator[tuple[str, ...]]:
    """The duties that hold in the most protective way."""
    for clause in sorted(
        holding(documents, "duty", way, facts, service),
        key=lambda c: (c.document["precedence"], c.document["id"], c.written["key"]),
    ):
        yield clause.written["duty"], clause.written["within"], clause.document["id"], clause.written["key"]


def coordinator(agencies: Sequence[Written], facts: Written) -> str | None:
    known = places(facts)
    place = next(
        (known[k] for k in ("current", "incident", "domicile") if k in known and not is_abroad(known[k])), None
    )
    if place is None or derived(facts)["abroad"]:
        place = "ID"
    off = off_every_list(agencies, facts)
    may = [
        (-depth(agency["coordinator_for"]), agency["code"])
        for agency in agencies
        if agency.get("coordinator_for") is not None
        and contains(agency["coordinator_for"], place)
        and agency["code"] not in off
        # The text does not say it, but who has closed cannot act.
        and agency.get("active", True)
    ]
    return min(may)[1] if may else None
