from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rate import Rate

NOW = datetime(2025, 3, 4, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(
    per_minute=st.integers(1, 5000),
    steps=st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 200)), max_size=80),
)
def test_no_minute_wherever_it_begins_sees_more_than_the_number(per_minute: int, steps: list[tuple[int, int]]) -> None:
    rate, now, full_at = Rate(per_minute), NOW, None
    went: list[datetime] = []
    for wait, wanted in steps:
        now += timedelta(milliseconds=wait)
        count = min(wanted, rate.room(full_at, now=now))
        full_at = rate.taken(full_at, count, now=now)
        went += [now] * count

    for place, moment in enumerate(went):
        assert sum(moment <= other < moment + MINUTE for other in went[place:]) <= per_minute


@pytest.mark.parametrize("per_minute", [1, 2, 59, 60, 599, 600, 6_000])
def test_who_always_has_something_to_send_sends_nearly_the_whole_number(per_minute: int) -> None:
    rate, now, went = Rate(per_minute), NOW, 0
    full_at = now
    while now < NOW + MINUTE:
        count = rate.room(full_at, now=now)
        full_at, went = rate.taken(full_at, count, now=now), went + count
        now = full_at  # as the dispatcher looks again

    assert per_minute * 0.97 - 1 <= went <= per_minute


def test_a_few_a_minute_go_one_by_one_and_many_in_small_groups() -> None:
    assert (Rate(60).burst, Rate(60).interval) == (1, timedelta(seconds=1, microseconds=1))
    assert Rate(6_000).burst == 11
