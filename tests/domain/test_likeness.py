"""Two ways of writing one person come to the same, and what tells two people apart stays."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.facts import Facts
from app.domain.likeness import Likeness, LikenessKind, likenesses, plain_name
from tests.domain.factories import facts

RECEIVED = datetime(2026, 3, 4, tzinfo=UTC)
PERSON = {"victim.name": "Siti Aminah", "victim.birth_date": "1990-05-06"}


def of(personal: dict[str, Any], known: Facts) -> set[str]:
    return {one.value for one in likenesses(personal, known, received_at=RECEIVED)}


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("Siti Aminah", "sitiaminah"),
        ("  SITI   aminah ", "sitiaminah"),
        ("Hj. Sitti Aminah, S.Pd., M.Si.", "sitiaminah"),
        ("dr. Hj. Siti Aminah", "sitiaminah"),
        ("Siti Aminah binti Ahmad", "sitiaminahahmad"),
        ("Siti Aminah Achmad", "sitiaminahahmad"),
        ("Nur'aini", "nuraini"),
        ("Nuraini", "nuraini"),
        ("Moh. Abd. Rahman", "muhammadabdulrahman"),
        ("José María", "josemaria"),
        ("Haji", "haji"),
    ],
)
def test_a_name_comes_to_the_same_however_it_is_written(said: str, plain: str) -> None:
    assert plain_name(said) == plain


@pytest.mark.parametrize(
    "said", ["Anonim", "NN", "N.N.", "tidak diketahui", "-", "", "S.A.", "Korban", "123", None, ["Siti"]]
)
def test_what_is_written_in_place_of_a_name_is_none(said: object) -> None:
    assert plain_name(said) is None


def test_children_of_two_fathers_are_two_people() -> None:
    assert plain_name("Siti binti Ahmad") != plain_name("Siti binti Umar")


def test_an_age_alone_stands_for_both_years_of_birth_and_meets_the_day_of_birth() -> None:
    at_home = facts(domicile="64.02.06", age=35)

    by_age, by_day = of({"victim.name": "Siti Aminah"}, at_home), of(PERSON, at_home)

    assert by_age == {"sitiaminah|1990|64.02", "sitiaminah|1991|64.02"}
    assert by_day == {"sitiaminah|1990|64.02"}


def test_where_no_domicile_is_known_the_present_place_stands_for_it() -> None:
    assert of(PERSON, facts(domicile=None, current="64.09.01")) == {"sitiaminah|1990|64.09"}


def test_a_name_without_an_age_or_a_place_tells_nobody_apart() -> None:
    assert of({"victim.name": "Siti Aminah"}, facts(domicile="64.02", age=None)) == set()
    assert of(PERSON, facts(domicile=None, current=None)) == set()
    assert of(PERSON, facts(domicile="64", current=None)) == set()


@pytest.mark.parametrize("said", ["6402064605900001", "6402.0646.0590.0001", " 6402 0646 0590 0001 "])
def test_an_identity_number_counts_without_its_signs(said: str) -> None:
    found = likenesses({"victim.national_id": said}, facts(domicile=None), received_at=RECEIVED)

    assert found == {Likeness(LikenessKind.IDENTITY_NUMBER, "6402064605900001")}


@pytest.mark.parametrize("said", ["0000000000000000", "-", "12", "9999999999", None])
def test_what_is_written_in_place_of_a_number_is_none(said: object) -> None:
    assert likenesses({"victim.national_id": said}, facts(domicile=None), received_at=RECEIVED) == frozenset()
