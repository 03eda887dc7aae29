"""What is counted of a month, and as which tables it is shown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.months import Month
from app.domain.simfoni import SERVICE_OF, SERVICES, age_group, outcome_of
from app.domain.statistics import (
    Counted,
    DutyCarried,
    DutyCited,
    DutyCounts,
    ReferralCounts,
    carried_by,
    regency_counted,
)
from app.reference.load import shipped

VIOLENCE = ("physical", "psychological", "sexual")


def a_case(**changes: Any) -> Counted:
    """A woman of 31, hurt in Sepaku, whose legal help is given; `changes` replace facts or requests."""
    requests = changes.pop("requests", [("legal_service", "fulfilled")])
    facts = {
        "case_types": ["physical"],
        "locations": {"incident": "64.09.04", "domicile": "64.02.06", "current": None},
        "victim": {"age": 31, "sex": "female"},
        **changes,
    }
    return Counted(facts, requests)


def counted(*cases: Counted) -> dict[str, Any]:
    """Count some cases, and give the tables."""
    counts = ReferralCounts(VIOLENCE)
    for case in cases:
        counts.add(case)
    return counts.tables()


def in_kukar(**changes: Any) -> Counted:
    return a_case(locations={"incident": "64.02.01", "current": None, "domicile": None}, **changes)


def row(table: dict[str, Any], code: str) -> dict[str, Any]:
    return dict(next(one for one in table["rows"] if one["code"] == code))


def test_a_referral_counts_where_it_happened_else_where_she_is_else_where_she_lives() -> None:
    def where(**places: str | None) -> str:
        return regency_counted({"locations": {"incident": None, "current": None, "domicile": None, **places}})

    assert where(incident="64.09.04", current="64.02.06") == "64.09"
    assert where(incident="64", current="64.02.06.1001", domicile="64.09") == "64.02"
    assert where(incident="country:MY", domicile="64.09.01") == "64.09"
    assert where(current="country:MY") == where() == "unknown"


@pytest.mark.parametrize(
    ("age", "group"),
    [
        (0, "age_0_5"),
        (5, "age_0_5"),
        (6, "age_6_12"),
        (17, "age_13_17"),
        (18, "age_18_24"),
        (44, "age_25_44"),
        (59, "age_45_59"),
        (60, "age_60_up"),
        (104, "age_60_up"),
        (None, "unknown"),
    ],
)
def test_ages_count_in_the_groups_of_simfoni_ppa(age: int | None, group: str) -> None:
    assert age_group(age) == group


def test_every_service_that_ships_has_a_kind_of_simfoni_ppa_or_is_another_service() -> None:
    known = set(shipped().vocabulary.service_types)

    assert set(SERVICE_OF) <= known
    assert set(SERVICE_OF.values()) <= set(SERVICES)
    assert known - set(SERVICE_OF) == {"disability_accommodation"}


def test_one_word_says_what_became_of_a_referral() -> None:
    assert outcome_of(["fulfilled", "needs_coordinator", "offered"]) == "waiting"
    assert outcome_of(["fulfilled", "accepted"]) == "running"
    assert outcome_of(["fulfilled", "cancelled"]) == "fulfilled"
    assert outcome_of(["fulfilled", "unmet"]) == "partly_fulfilled"
    assert outcome_of(["unmet", "cancelled"]) == "unmet"
    assert outcome_of(["cancelled"]) == "cancelled"


def test_referrals_are_counted_by_regency_and_category() -> None:
    men = {"victim": {"age": 40, "sex": "male"}}
    tables = counted(
        *[a_case() for _ in range(30)],
        *[a_case(**men) for _ in range(20)],
        *[in_kukar() for _ in range(12)],
        *[in_kukar(**men) for _ in range(11)],
        *[in_kukar(victim={"age": None, "sex": None}) for _ in range(10)],
        *[a_case(victim={"age": None, "sex": None}) for _ in range(15)],
    )

    assert tables["sex"]["totals"] == {"female": 42, "male": 31, "unknown": 25}
    assert row(tables["sex"], "64.09") == {
        "code": "64.09",
        "total": 65,
        "counts": {"female": 30, "male": 20, "unknown": 15},
    }
    assert row(tables["sex"], "64.02")["counts"] == {"female": 12, "male": 11, "unknown": 10}
    assert {code: count for code, count in row(tables["age"], "64.09")["counts"].items() if count} == {
        "age_25_44": 50,
        "rest": 15,
    }


def test_a_case_counts_in_each_kind_of_violence_and_of_service_that_it_has() -> None:
    both = {"case_types": ["physical", "sexual"]}
    asking = [("health_service", "fulfilled"), ("psychological_support", "unmet"), ("law_enforcement", "fulfilled")]
    tables = counted(
        *[a_case(**both, requests=asking) for _ in range(10)],
        *[a_case() for _ in range(20)],
        *[in_kukar(case_types=["sexual"]) for _ in range(30)],
        *[in_kukar(**both, requests=asking) for _ in range(7)],
        *[in_kukar() for _ in range(8)],
    )

    assert tables["violence"]["totals"] == {"physical": 45, "psychological": None, "sexual": 47}
    # All of Penajam Paser Utara were hurt physically: who was not is hidden, and so who was.
    assert row(tables["violence"], "64.09")["counts"] == {"physical": None, "psychological": None, "sexual": 10}
    assert tables["service"]["totals"]["health"] == 17
    assert row(tables["service"], "64.02")["counts"]["health"] == 7
    assert row(tables["service_outcome"], "health")["counts"] == dict.fromkeys(
        ("running", "waiting", "fulfilled", "partly_fulfilled", "unmet", "cancelled")
    )
    assert row(tables["service_outcome"], "health")["total"] == 17


def test_every_table_of_a_month_shows_the_same_regencies_with_the_same_totals() -> None:
    tables = counted(*[a_case() for _ in range(9)], *[in_kukar() for _ in range(3)], a_case(locations={}))

    lines = {of: [(one["code"], one["total"]) for one in table["rows"]] for of, table in tables.items()}
    del lines["service_outcome"]
    assert lines == {of: [("rest", 13)] for of in ("sex", "age", "outcome", "violence", "service")}


def test_of_a_month_of_few_nothing_is_shown() -> None:
    tables = counted(*[a_case() for _ in range(4)])

    assert [(table["total"], table["rows"]) for table in tables.values()] == [(None, [])] * len(tables)


CITED = DutyCited("baseline-national", 1, "report-sexual-violence", "report_to_police")


def carried(regency: str, result: str) -> DutyCarried:
    return DutyCarried(CITED, regency, result)


def test_a_duty_is_counted_by_regency_and_what_became_of_it() -> None:
    counts = DutyCounts()
    for result, times in {"kept": 30, "kept_late": 8, "passed": 12, "not_due": 6, "fell_away": 7}.items():
        for _ in range(times):
            counts.add([carried("64.02", result)])
            counts.add([carried("64.09", result)])

    [table] = counts.tables(200)

    assert (table["document"], table["version"], table["clause"]) == ("baseline-national", 1, "report-sexual-violence")
    assert row(table, "64.02")["counts"] == {"kept": 30, "kept_late": 8, "passed": 12, "not_due": 6, "fell_away": 7}


def test_a_duty_that_several_handoffs_of_a_referral_carry_counts_once_as_the_best_of_them() -> None:
    counts = DutyCounts()
    for _ in range(6):
        counts.add([carried("64.02", "passed"), carried("64.02", "kept"), carried("64.02", "fell_away")])

    [table] = counts.tables(200)

    assert (table["total"], [(one["code"], one["total"]) for one in table["rows"]]) == (6, [("64.02", 6)])


def test_a_duty_that_few_referrals_carry_is_not_shown() -> None:
    counts = DutyCounts()
    for _ in range(4):
        counts.add([carried("64.02", "kept"), carried("64.09", "kept")])

    assert counts.tables(200) == []


def test_a_duty_that_nearly_everybody_carries_is_not_shown_for_it_says_what_they_suffered() -> None:
    counts = DutyCounts()
    for _ in range(20):
        counts.add([carried("64.02", "kept")])

    assert counts.tables(24) == []
    assert len(counts.tables(25)) == 1


@pytest.mark.parametrize(
    ("said", "live", "result"),
    [
        ({}, True, "not_due"),
        ({}, False, "fell_away"),
        ({"kept_at": "x"}, False, "kept"),
        ({"kept_at": "x", "passed_at": "x"}, True, "kept_late"),
        ({"passed_at": "x"}, True, "passed"),
        ({"passed_at": "x"}, False, "passed"),
    ],
)
def test_what_became_of_a_duty_follows_from_what_was_noted(said: dict[str, str], live: bool, result: str) -> None:
    duty = {"document": "d", "version": None, "clause": "c", "duty": "x", **said}

    [found] = carried_by([duty], region="64.02.06", live=live)

    assert found == DutyCarried(DutyCited("d", 0, "c", "x"), "64.02", result)


def test_a_month_is_one_for_the_whole_country_and_settles_two_weeks_after_its_end() -> None:
    march = Month.parse("2025-03")

    assert (march.begins, march.ends) == (
        datetime(2025, 2, 28, 17, tzinfo=UTC),
        datetime(2025, 3, 31, 17, tzinfo=UTC),
    )
    assert Month.of(march.begins) == march
    assert Month.last_settled(datetime(2025, 4, 14, 16, 59, tzinfo=UTC)) == Month(2025, 2)
    assert Month.last_settled(datetime(2025, 4, 14, 17, 0, tzinfo=UTC)) == march
    assert [str(month) for month in Month(2024, 11).until(Month(2025, 2))] == [
        "2024-11",
        "2024-12",
        "2025-01",
        "2025-02",
    ]


@pytest.mark.parametrize("text", ["2025-13", "2025-00", "2025-3", "25-03", "1999-12", "2025-03-01", "", "2025-03\n"])
def test_what_is_no_month_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)
