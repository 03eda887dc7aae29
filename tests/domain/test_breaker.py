from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.breaker import Breaker, BreakerRule, BreakerState, after_failure, after_success

NOW = datetime(2025, 3, 4, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULE = BreakerRule(
    window=timedelta(seconds=60), at_least=4, share=0.5, first_wait=30 * SECOND, longest_wait=100 * SECOND
)
OPEN = Breaker(opened_at=NOW, next_probe_at=NOW + 30 * SECOND, window_since=NOW, window_failed=4)


def after(attempts: str, *, every: timedelta = SECOND, breaker: Breaker | None = None) -> Breaker:
    """The breaker after these attempts, `+` taken and `-` failed, one each second."""
    found = breaker or Breaker()
    for place, attempt in enumerate(attempts):
        now = NOW + place * every
        if attempt == "+":
            found = after_success(found, RULE, now=now, probe=False)
        else:
            found = after_failure(found, RULE, now=now, probe=False)
    return found


@pytest.mark.parametrize(
    ("attempts", "is_open"),
    [
        ("", False),
        ("---", False),  # too few to judge by
        ("----", True),
        ("-+-+", False),  # it opens by a failure, never by a success
        ("-+-+-", True),
        ("--++", False),
        ("-++-", True),  # half is enough
        ("-+++-", False),
        ("+" * 1000 + "----", True),  # what was taken before the first failure does not count
        ("-" + "+" * 20 + "----", False),
        ("-+" * 20, True),
        ("-+++" * 20, False),
    ],
)
def test_it_opens_by_the_share_of_failures_among_enough_attempts(attempts: str, *, is_open: bool) -> None:
    assert (after(attempts).opened_at is not None) is is_open


def test_failures_that_lie_further_apart_than_the_window_open_nothing() -> None:
    assert after("-" * 50, every=timedelta(seconds=21)).opened_at is None
    assert after("-" * 50, every=timedelta(seconds=19)).opened_at is not None


def test_who_never_fails_is_not_counted() -> None:
    assert after("+" * 50) == Breaker()


def test_it_is_open_until_the_probe_and_half_open_from_then_on() -> None:
    assert Breaker().state(now=NOW) is BreakerState.CLOSED
    assert OPEN.state(now=NOW) is BreakerState.OPEN
    assert OPEN.state(now=NOW + 29 * SECOND) is BreakerState.OPEN
    assert OPEN.state(now=NOW + 30 * SECOND) is BreakerState.HALF_OPEN


def test_the_success_of_a_probe_closes_it_and_any_other_does_not() -> None:
    assert after_success(OPEN, RULE, now=NOW + 40 * SECOND, probe=True) == Breaker()
    assert after_success(OPEN, RULE, now=NOW + SECOND, probe=False) == OPEN


def test_each_probe_that_fails_doubles_the_wait_up_to_the_longest() -> None:
    breaker, waits = OPEN, []
    for _ in range(40):
        now = breaker.next_probe_at or NOW
        breaker = after_failure(breaker, RULE, now=now, probe=True)
        waits.append((breaker.next_probe_at or now) - now)

    assert waits[:3] == [60 * SECOND, 100 * SECOND, 100 * SECOND]
    assert breaker.opened_at == NOW, "it has been open since then"
    assert breaker.failed_probes == 40


def test_what_fails_ahead_of_the_probe_or_was_under_way_puts_nothing_off() -> None:
    assert after_failure(OPEN, RULE, now=NOW + SECOND, probe=True) == OPEN
    assert after_failure(OPEN, RULE, now=NOW + 40 * SECOND, probe=False) == OPEN


def test_the_pause_that_was_asked_for_is_never_shortened_and_ends_with_a_good_probe() -> None:
    quiet = after_failure(Breaker(), RULE, now=NOW, probe=False, quiet_until=NOW + 60 * SECOND)
    again = after_failure(quiet, RULE, now=NOW, probe=False, quiet_until=NOW + 10 * SECOND)
    silent = after_failure(again, RULE, now=NOW, probe=False)

    assert {one.quiet_until for one in (quiet, again, silent)} == {NOW + 60 * SECOND}
    assert after_success(replace(OPEN, quiet_until=NOW), RULE, now=NOW, probe=True).quiet_until is None


def test_an_endpoint_that_hangs_in_every_post_opens_the_breaker_as_it_is_shipped() -> None:
    rule, breaker = BreakerRule(), Breaker()
    # Four at once, and one alone from then on, 15 s each.
    for moment in [15, 15, 15, 15, *range(30, 300, 15)]:
        breaker = after_failure(breaker, rule, now=NOW + moment * SECOND, probe=False)

    assert breaker.opened_at is not None
    assert breaker.opened_at <= NOW + timedelta(minutes=2)


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans(), st.booleans()), max_size=60))
def test_whatever_happens_an_open_breaker_has_a_probe_within_the_longest_wait_and_a_reason(
    steps: list[tuple[int, bool, bool]],
) -> None:
    now, breaker = NOW, Breaker()
    for wait, succeeds, probe in steps:
        now += wait * SECOND
        before = breaker
        if succeeds:
            breaker = after_success(breaker, RULE, now=now, probe=probe)
        else:
            breaker = after_failure(breaker, RULE, now=now, probe=probe)
        assert (breaker.opened_at is None) == (breaker.next_probe_at is None)
        if before.opened_at is None and breaker.opened_at is not None:
            finished = breaker.window_taken + breaker.window_failed
            assert not succeeds
            assert finished >= RULE.at_least
            assert breaker.window_failed >= finished / 2
        if breaker.next_probe_at is not None:
            assert breaker.next_probe_at <= now + RULE.longest_wait
        if before.opened_at is not None and breaker.opened_at is None:
            assert succeeds
            assert probe


def test_no_number_of_failed_probes_breaks_the_wait() -> None:
    waits = [RULE.wait(failed) for failed in (0, 1, 2, 10, 100, 1_000_000)]

    assert all(one <= other for one, other in pairwise(waits))
    assert waits[-1] == RULE.longest_wait
