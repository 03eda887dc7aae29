from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import after, halfway, is_working_day, respond_by
from app.domain.durations import clock_time, is_respond, working_days

MAKASSAR = "Asia/Makassar"
WEDNESDAY = datetime(2025, 1, 15, 10, 0, tzinfo=ZoneInfo(MAKASSAR))
moments = st.integers(0, 3650 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def test_clock_hours_run_through_nights_and_holidays() -> None:
    assert respond_by("PT24H", WEDNESDAY, MAKASSAR) == WEDNESDAY + timedelta(hours=24)


def test_working_days_end_at_midnight_in_the_receivers_time_zone() -> None:
    end = respond_by("P2WD", WEDNESDAY, MAKASSAR)

    assert end == datetime(2025, 1, 18, 0, 0, tzinfo=ZoneInfo(MAKASSAR))
    assert end.tzinfo is UTC


def test_the_local_day_of_the_offer_is_the_receivers() -> None:
    late = datetime(2025, 1, 15, 16, 30, tzinfo=UTC)  # 00:30 on Thursday in Makassar, Wednesday in Jakarta

    assert respond_by("P1WD", late, MAKASSAR) == datetime(2025, 1, 17, 16, 0, tzinfo=UTC)
    assert respond_by("P1WD", late, "Asia/Jakarta") == datetime(2025, 1, 16, 17, 0, tzinfo=UTC)


def test_weekends_and_public_holidays_are_not_working_days() -> None:
    friday = datetime(2025, 1, 24, 9, 0, tzinfo=ZoneInfo(MAKASSAR))

    # Monday the 27th is Isra and Mi'raj, Wednesday the 29th the Lunar New Year.
    assert respond_by("P1WD", friday, MAKASSAR) == datetime(2025, 1, 29, 0, 0, tzinfo=ZoneInfo(MAKASSAR))


def test_joint_leave_is_work_unless_the_document_says_so() -> None:
    joint_leave = date(2025, 1, 28)

    assert is_working_day(joint_leave)
    assert not is_working_day(joint_leave, joint_leave_counts=False)
    friday = datetime(2025, 1, 24, 9, 0, tzinfo=ZoneInfo(MAKASSAR))
    end = respond_by("P1WD", friday, MAKASSAR, joint_leave_counts=False)
    assert end == datetime(2025, 1, 31, 0, 0, tzinfo=ZoneInfo(MAKASSAR))


def test_half_time_is_the_midpoint_in_elapsed_time() -> None:
    assert halfway(WEDNESDAY, WEDNESDAY + timedelta(hours=3)) == WEDNESDAY + timedelta(hours=1, minutes=30)


def test_a_duty_runs_in_clock_time() -> None:
    assert after("P7D", WEDNESDAY) == WEDNESDAY + timedelta(days=7)
    with pytest.raises(ValueError, match="clock time"):
        after("P3WD", WEDNESDAY)


@pytest.mark.parametrize("text", ["PT", "PT0H", "P", "1H", "PT1S", "P0D", "PT99999H", "P999D", "PT1.5H", "pt1h"])
def test_what_is_no_duration_or_too_long_is_none(text: str) -> None:
    assert clock_time(text) is None


@pytest.mark.parametrize(
    ("text", "good"), [("PT1H", True), ("PT30M", True), ("P3WD", True), ("P3D", False), ("P0WD", False)]
)
def test_a_respond_time_is_in_clock_hours_or_working_days(text: str, good: bool) -> None:
    assert is_respond(text) is good


def test_working_days_are_counted() -> None:
    assert (working_days("P3WD"), working_days("P3D"), working_days("P251WD")) == (3, None, None)


@given(moments, st.integers(1, 30))
def test_more_working_days_end_later_and_always_after_the_offer(start: datetime, days: int) -> None:
    end, next_end = (respond_by(f"P{count}WD", start, MAKASSAR) for count in (days, days + 1))

    assert start < end < next_end
    assert is_working_day((end - timedelta(hours=1)).astimezone(ZoneInfo(MAKASSAR)).date())
