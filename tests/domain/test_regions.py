from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.regions import (
    ancestry,
    contains,
    is_location,
    is_region,
    is_too_coarse,
    province_of,
    regency_of,
)
from app.reference.load import shipped

digits = st.integers(0, 99).map(lambda n: f"{n:02d}")
codes = st.one_of(
    st.just("ID"),
    st.lists(digits, min_size=1, max_size=3).map(".".join),
    st.builds(
        lambda parts, last: ".".join([*parts, f"{last:04d}"]), st.tuples(digits, digits, digits), st.integers(0, 9999)
    ),
)


@pytest.mark.parametrize("inside", ["64.02", "64.02.06", "64.02.06.2001"])
def test_a_region_contains_itself_and_what_lies_below(inside: str) -> None:
    assert contains("64.02", inside)


@pytest.mark.parametrize("other", ["64.020", "64.0", "64", "64.09", "ID", "country:MY"])
def test_a_code_is_neither_a_number_nor_a_prefix_of_another(other: str) -> None:
    assert not contains("64.02", other)


def test_the_nation_contains_every_domestic_code_and_no_country() -> None:
    assert all(contains("ID", code) for code in ("ID", "64", "64.02.06"))
    assert not contains("ID", "country:MY")


def test_a_coarser_code_cannot_tell_unless_it_is_what_is_asked_for() -> None:
    assert is_too_coarse("64", ["64.02", "64.09"])
    assert not is_too_coarse("64", ["64"])
    assert not is_too_coarse("64", ["ID"])
    assert not is_too_coarse("63", ["64.02"])


def test_a_province_code_names_no_regency_and_a_country_neither() -> None:
    assert (province_of("64"), regency_of("64")) == ("64", None)
    assert (province_of("64.02.06"), regency_of("64.02.06")) == ("64", "64.02")
    assert (province_of("country:MY"), regency_of("country:MY")) == (None, None)


@pytest.mark.parametrize(
    "text", ["64.2", "64.020", "6", "64.", "64.02.06.20", "country:", "country:ID", "country:my", ""]
)
def test_what_does_not_look_like_a_location_is_none(text: str) -> None:
    assert not is_location(text)


@given(codes, codes)
def test_containing_is_being_among_the_ancestors(code: str, other: str) -> None:
    assert is_region(code)
    assert contains(code, other) == (code in ancestry(other))


def test_regions_are_known_as_far_as_the_list_tells() -> None:
    regions = shipped().regions

    assert all(regions.knows(code) for code in ("ID", "64", "64.02.06", "63.71", "63.71.01"))
    assert not any(regions.knows(code) for code in ("99", "64.99", "64.02.99"))
