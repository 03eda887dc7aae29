"""Statistics without people: what is counted of a month, and as which tables it is shown.

A referral counts once, in the month in which it was received and in one regency: the first of incident, current and
domicile that is known to the regency, else `unknown` (abroad among it). What a referral has one of (sex, age group,
outcome) makes one table, regency by category. What it may have several of (kinds of violence and of service) makes a
table for each category, of those that have it and those that do not. All share the regencies' totals, which are shown
or not by the same rule in each; nothing else joins them, so none helps to read another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.regions import is_country, regency_of
from app.domain.simfoni import AGE_GROUPS, OUTCOMES, SERVICE_OF, SERVICES, SEXES, UNKNOWN, age_group, outcome_of
from app.domain.small_cells import SMALLEST, Row, Shown, grouped, shown
from app.domain.vocabulary import Term

HAS, HAS_NOT = "has", "has_not"

Cells = dict[str, Counter[str]]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of one referral; nothing personal."""

    facts: Mapping[str, Any]
    requests: Sequence[tuple[str, str]]
    """Each service that was asked for, with where its request stands."""


@dataclass(slots=True)
class ReferralCounts:
    """A month's referrals, counted one by one; as large as regencies times categories, however many there are."""

    violence: Sequence[str]
    """The kinds there are, in the order in which they are shown."""
    _single: dict[str, Cells] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))
    _several: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    _totals: Counter[str] = field(default_factory=Counter)
    _fates: Cells = field(default_factory=lambda: defaultdict(Counter))

    def add(self, one: Counted) -> None:
        """Count a referral."""
        regency, victim = regency_counted(one.facts), one.facts.get("victim") or {}
        self._totals[regency] += 1
        self._single["sex"][regency][victim.get("sex") or UNKNOWN] += 1
        age = victim.get("age")
        self._single["age"][regency][age_group(age if isinstance(age, int) else None)] += 1
        self._single["outcome"][regency][outcome_of(state for _, state in one.requests)] += 1
        for kind in set(one.facts.get("case_types") or ()):
            self._several["violence"][kind][regency] += 1
        states: dict[str, list[str]] = defaultdict(list)
        for service, state in one.requests:
            states[SERVICE_OF.get(service, "other_service")].append(state)
        for service, of_it in states.items():
            self._several["service"][service][regency] += 1
            self._fates[service][outcome_of(of_it)] += 1

    @property
    def everybody(self) -> int:
        """Give how many referrals were counted."""
        return self._totals.total()

    def tables(self) -> dict[str, Body]:
        """Give the tables of the month as they may be shown, by what they are of."""
        single = (("sex", SEXES), ("age", AGE_GROUPS), ("outcome", OUTCOMES))
        several = (("violence", self.violence), ("service", tuple(SERVICES)))
        tables = {of: _body(shown(self._single[of], tuple(codes))) for of, codes in single}
        return {
            **tables,
            **{of: _body(self._side_by_side(self._several[of], codes)) for of, codes in several},
            "service_outcome": self._outcomes_of_services(),
        }

    def _side_by_side(self, having: Mapping[str, Counter[str]], codes: Iterable[str]) -> Shown:
        """Show for each category who has it, and let nobody who has it not be found either."""
        shared = shown({regency: {HAS: count} for regency, count in self._totals.items()}, (HAS, HAS_NOT))
        totals: dict[str, int | None] = {}
        counts: dict[str, dict[str, int | None]] = {row.code: {} for row in shared.rows}
        for code in codes:
            held = having.get(code, Counter())
            table = shown(
                {
                    regency: {HAS: held[regency], HAS_NOT: all_ - held[regency]}
                    for regency, all_ in self._totals.items()
                },
                (HAS, HAS_NOT),
            )
            # Where few of the whole country have it, or few have it not, the two columns are one, which is `REST`.
            totals[code] = table.totals[HAS]
            for row in table.rows:
                counts[row.code][code] = row.counts[HAS]
        return Shown(shared.total, totals, tuple(Row(row.code, row.total, counts[row.code]) for row in shared.rows))

    def _outcomes_of_services(self) -> Body:
        """Show what became of each kind of service in the whole country: line by line, without totals of columns."""
        everybody, rows = self.everybody, []
        for service in SERVICES:
            fates = self._fates.get(service, Counter())
            if min(fates.total(), everybody - fates.total()) >= SMALLEST:
                rows.append({"code": service, "total": fates.total(), "counts": _in_one_line(fates, OUTCOMES)})
        return {
            "total": everybody if everybody >= SMALLEST else None,
            "totals": dict.fromkeys(OUTCOMES),
            "rows": rows,
        }


def regency_counted(facts: Mapping[str, Any]) -> str:
    """Name the regency or city in which a referral counts."""
    places = facts.get("locations") or {}
    known = (places.get(kind) for kind in ("incident", "current", "domicile"))
    found = (regency_of(code) for code in known if code and not is_country(code))
    return next((regency for regency in found if regency), UNKNOWN)


def _in_one_line(counts: Mapping[str, int], codes: Iterable[str]) -> dict[str, int | None]:
    every = list(codes)
    parts = grouped({code: counts.get(code, 0) for code in every}, every_one=True)
    if len(parts) < 2:
        return dict.fromkeys(every)
    summed = {code: sum(counts.get(one, 0) for one in ones) for code, ones in parts.items()}
    return {**dict.fromkeys(every), **summed}


def _body(table: Shown) -> Body:
    rows = [{"code": row.code, "total": row.total, "counts": dict(row.counts)} for row in table.rows]
    return {"total": table.total, "totals": dict(table.totals), "rows": rows}


# --- duties ---

KEPT, KEPT_LATE, PASSED, NOT_DUE, FELL_AWAY = "kept", "kept_late", "passed", "not_due", "fell_away"
RESULT_TERMS: Mapping[str, Term] = {
    term.code: term
    for term in (
        Term(KEPT, "Dipenuhi tepat waktu", "Kept in time"),
        Term(KEPT_LATE, "Dipenuhi terlambat", "Kept late"),
        Term(PASSED, "Lewat waktu, belum dipenuhi", "Passed, not kept"),
        Term(NOT_DUE, "Belum jatuh tempo", "Not due yet"),
        Term(FELL_AWAY, "Gugur karena penyerahan berakhir lebih dulu", "Fell away: the handoff ended before its time"),
    )
}
RESULTS = tuple(RESULT_TERMS)
"""What became of a duty, the best first: a duty that a referral has of several handoffs counts as the best of them."""


@dataclass(frozen=True, slots=True, order=True)
class DutyCited:
    """A duty, and the clause that lays it on a handoff."""

    document: str
    version: int
    clause: str
    duty: str


def result_of(duty: Mapping[str, Any], *, live: bool) -> str:
    """Say what became of a duty: kept is what its receiver said in time, passed what its coordinator was told of.

    What nobody said of when the handoff ended before its time fell away.
    """
    passed = duty.get("passed_at") is not None
    if duty.get("kept_at") is not None:
        return KEPT_LATE if passed else KEPT
    if passed:
        return PASSED
    return NOT_DUE if live else FELL_AWAY


@dataclass(frozen=True, slots=True)
class DutyCarried:
    """A duty that a handoff of a referral carries, and what became of it."""

    cited: DutyCited
    regency: str
    """Where the agency that has the handoff is at home."""
    result: str


@dataclass(slots=True)
class DutyCounts:
    """A month's duties: each referral counts once for a duty in each regency whose agencies carried it."""

    _counts: dict[DutyCited, Cells] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))
    _carriers: Counter[DutyCited] = field(default_factory=Counter)

    def add(self, carried: Iterable[DutyCarried]) -> None:
        """Count all the duties of one referral."""
        best: dict[tuple[DutyCited, str], str] = {}
        for one in carried:
            key = (one.cited, one.regency)
            best[key] = min(best.get(key, FELL_AWAY), one.result, key=RESULTS.index)
        for (cited, regency), result in best.items():
            self._counts[cited][regency][result] += 1
        self._carriers.update({cited for cited, _ in best})

    def tables(self, everybody: int) -> list[Body]:
        """Give a table for each duty, regency by result; `everybody`: how many referrals the month has.

        A duty that few referrals carry is not shown, nor one that few do not: what it is laid on, they all are.
        """
        return list(self._tables(everybody))

    def _tables(self, everybody: int) -> Iterator[Body]:
        for cited, counts in sorted(self._counts.items()):
            # A referral that went from one regency to another counts in both.
            table = shown(counts, RESULTS, one_row_each=False)
            if table.total is not None and everybody - self._carriers[cited] >= SMALLEST:
                named = {name: getattr(cited, name) for name in ("document", "version", "clause", "duty")}
                yield {**named, **_body(table)}


def carried_by(duties: Iterable[Mapping[str, Any]], *, region: str, live: bool) -> Iterator[DutyCarried]:
    """Read the duties of a handoff whose agency is at home in a region."""
    home = regency_of(region) or region
    for duty in duties:
        cited = DutyCited(duty["document"], duty.get("version") or 0, duty["clause"], duty["duty"])
        yield DutyCarried(cited, home, result_of(duty, live=live))
