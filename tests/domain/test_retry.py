from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.retry import (
    Answer,
    Phase,
    Verdict,
    asked_wait,
    exhausted,
    is_failing,
    is_hopeless,
    next_attempt,
    pause_of,
    verdict,
)

NOW = datetime(2025, 3, 4, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def waits(*, emergency: bool = False, open_offer: bool = False, of: int = 12) -> list[float | None]:
    """The seconds before each further attempt, without jitter; None where there is none."""
    found = (
        next_attempt(made, failed_at=NOW, chance=0.5, emergency=emergency, open_offer=open_offer)
        for made in range(1, of)
    )
    return [None if moment is None else (moment - NOW).total_seconds() for moment in found]


def test_ordinary_news_is_tried_ten_times_over_three_days() -> None:
    assert waits() == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None, None]


def test_an_emergencys_offer_is_tried_every_five_minutes_for_as_long_as_it_is_open() -> None:
    assert waits(emergency=True, open_offer=True) == [2, 10, 30, 60, *[300] * 7]
    assert next_attempt(10_000, failed_at=NOW, chance=0.5, emergency=True, open_offer=True) is not None


def test_other_news_of_an_emergency_is_hurried_and_then_tried_as_any_other() -> None:
    found = waits(emergency=True, of=14)

    assert found == [2, 10, 30, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]


@given(made=st.integers(1, 9), chance=st.floats(0, 1))
def test_the_jitter_is_a_fifth_and_no_wait_is_longer_than_a_day(made: int, chance: float) -> None:
    plain = next_attempt(made, failed_at=NOW, chance=0.5)
    drawn = next_attempt(made, failed_at=NOW, chance=chance)

    assert plain is not None
    assert drawn is not None
    wait = plain - NOW
    assert wait * 0.799 <= drawn - NOW <= min(wait * 1.201, DAY)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("86401", 86400),
        ("9" * 5000, 86400),
        ("000000000000000060", 60),
        ("-5", 0),
        ("1.5", 0),
        ("1e9", 0),
        ("+60", 0),
        ("0x10", 0),
        ("60, 120", 0),
        ("60 seconds", 0),
        ("\u00b2", 0),
        ("Tue, 04 Mar 2025 16:10:00 +0700", 600),
        ("Tue, 04 Mar 2025 09:10:00 +9999", 0),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
        ("soon", 0),
        ("\u0662", 0),
        ("Tue, 04 Mar 2025 09:10:00 GMT", 600),
        ("Tuesday, 04-Mar-25 09:10:00 GMT", 600),
        ("Tue Mar  4 09:10:00 2025", 600),
        ("Tue, 04 Mar 2025 08:00:00 GMT", 0),
        ("Fri, 04 Mar 2095 09:10:00 GMT", 86400),
        ("Tue, 99 Mar 2025 09:10:00 GMT", 0),
        ("Tue, 04 Mar 99999 09:10:00 GMT", 0),
    ],
)
def test_retry_after_is_read_in_every_form_and_bounded(header: str | None, seconds: int) -> None:
    assert asked_wait(header, now=NOW) == timedelta(seconds=seconds)


@given(st.text())
def test_no_retry_after_breaks_the_reading(header: str) -> None:
    assert timedelta(0) <= asked_wait(header, now=NOW) <= DAY


def test_the_larger_of_schedule_and_retry_after_is_waited_for() -> None:
    assert next_attempt(1, failed_at=NOW, chance=0.5, retry_after="60") == NOW + timedelta(seconds=60)
    assert next_attempt(2, failed_at=NOW, chance=0.5, retry_after="60") == NOW + timedelta(seconds=300)


@pytest.mark.parametrize(("header", "seconds"), [("60", 60), ("300", 300), ("301", 300), ("86400", 300), (None, 10)])
def test_an_emergencys_open_offer_is_tried_every_five_minutes_whatever_was_asked(
    header: str | None, seconds: int
) -> None:
    found = next_attempt(2, failed_at=NOW, chance=0.5, emergency=True, open_offer=True, retry_after=header)

    assert found == NOW + timedelta(seconds=seconds)


def test_other_news_of_an_emergency_waits_as_long_as_was_asked() -> None:
    assert next_attempt(2, failed_at=NOW, chance=0.5, emergency=True, retry_after="3600") == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(429, retry_after="60"), 60),
        (Answer(503, retry_after="60"), 60),
        (Answer(503, retry_after="Tue, 04 Mar 2025 09:02:00 GMT"), 120),
        (Answer(429, retry_after="86400"), 300),
        (Answer(429, retry_after="9" * 400), 300),
        (Answer(429, retry_after="Tue, 04 Mar 2025 08:00:00 GMT"), None),
        (Answer(429, retry_after="0"), None),
        (Answer(429, retry_after="-5"), None),
        (Answer(429, retry_after="soon"), None),
        (Answer(429), None),
        (Answer(500, retry_after="60"), None),  # it speaks of this post
        (Answer(502, retry_after="60"), None),
        (Answer(504, retry_after="60"), None),
        (Answer(200, retry_after="60"), None),
        (Answer(301, retry_after="60"), None),
        (Answer(failed=Phase.TIMEOUT), None),
    ],
)
def test_a_busy_server_is_left_alone_as_long_as_it_asks_and_five_minutes_at_most(
    answer: Answer, seconds: int | None
) -> None:
    assert pause_of(answer, now=NOW) == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_an_answer_to_an_emergency_leaves_a_turn_to_others_before_its_next_attempt() -> None:
    assert pause_of(Answer(503, retry_after="600"), now=NOW, emergency=True) == NOW + timedelta(minutes=1)


@given(status=st.integers(0, 999), header=st.text() | st.from_regex(r"[0-9]{1,400}", fullmatch=True))
def test_no_answer_leaves_a_server_alone_for_longer_than_five_minutes(status: int, header: str) -> None:
    until = pause_of(Answer(status, retry_after=header), now=NOW)

    assert until is None or NOW < until <= NOW + timedelta(minutes=5)


def test_retry_after_adds_no_attempt() -> None:
    assert next_attempt(10, failed_at=NOW, chance=0.5, retry_after="60") is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200), Verdict.DELIVERED),
        (Answer(204), Verdict.DELIVERED),
        (Answer(299), Verdict.DELIVERED),
        (Answer(101), Verdict.RETRY),
        (Answer(301), Verdict.RETRY),
        (Answer(307), Verdict.RETRY),
        (Answer(400), Verdict.RETRY),
        (Answer(404), Verdict.RETRY),
        (Answer(410), Verdict.GONE),
        (Answer(429), Verdict.RETRY),
        (Answer(500), Verdict.RETRY),
        (Answer(failed=Phase.TIMEOUT), Verdict.RETRY),
    ],
)
def test_only_2xx_is_success_and_only_410_wants_no_more(answer: Answer, expected: Verdict) -> None:
    assert verdict(answer) is expected


def test_an_outcome_names_the_phase_that_failed() -> None:
    outcomes = [Answer(204).outcome, Answer(500).outcome, Answer(failed=Phase.DNS).outcome]

    assert outcomes == ["delivered", "status", "dns"]


def test_an_attempt_beyond_the_schedule_is_not_made() -> None:
    assert not exhausted(10)
    assert exhausted(11)
    assert not exhausted(13, emergency=True)
    assert exhausted(14, emergency=True)
    assert not exhausted(1000, emergency=True, open_offer=True)


def test_an_endpoint_fails_after_five_minutes_and_is_hopeless_after_120_hours() -> None:
    assert not is_failing(None, now=NOW)
    assert not is_failing(NOW - timedelta(minutes=4, seconds=59), now=NOW)
    assert is_failing(NOW - timedelta(minutes=5), now=NOW)
    assert not is_hopeless(None, now=NOW)
    assert not is_hopeless(NOW - timedelta(hours=119), now=NOW)
    assert is_hopeless(NOW - timedelta(hours=120), now=NOW)
