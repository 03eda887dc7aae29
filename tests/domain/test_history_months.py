from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from app.domain.history_months import Month, is_over, through

moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_an_id_that_is_made_now_lies_in_this_month() -> None:
    made = uuid7()
    month = Month.of(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=made.int >> 80))

    assert month.first_id <= made < month.later(1).first_id


@given(moments, st.integers(-100, 100))
def test_months_follow_one_another_without_a_gap(moment: datetime, by: int) -> None:
    month = Month.of(moment)

    assert Month.named(str(month)) == month
    assert month.later(by).later(-by) == month
    assert month.first_id <= month.later(1).first_id


def test_a_month_begins_at_midnight_in_utc() -> None:
    in_samarinda = datetime(2026, 12, 1, 7, 59, tzinfo=timezone(timedelta(hours=8)))

    assert Month.of(in_samarinda) == Month(2026, 11)
    assert Month.of(in_samarinda + timedelta(minutes=1)) == Month(2026, 12)


def test_months_pass_over_the_year() -> None:
    months = [str(month) for month in through(Month(2026, 11), Month(2027, 2))]

    assert months == ["2026_11", "2026_12", "2027_01", "2027_02"]


@pytest.mark.parametrize(("kept", "over"), [(1, True), (12, True), (13, False), (14, False)])
def test_a_month_is_over_once_so_many_whole_months_have_followed(kept: int, over: bool) -> None:
    assert is_over(Month(2025, 10), datetime(2026, 11, 1, tzinfo=UTC), kept=kept) is over
