"""What an answer to a webhook or a mail means, and when the next attempt is made. Source: the design, "Delivery"."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

ORDINARY = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)  # 24 hours
)
"""The wait before each attempt, counted from the end of the one before it."""
EMERGENCY = tuple(timedelta(seconds=seconds) for seconds in (0, 2, 10, 30, 60))
EMERGENCY_OFFER = timedelta(minutes=5)
"""The wait before every later attempt of an emergency's offer, for as long as it is open."""
_EMERGENCY_NEWS = EMERGENCY + ORDINARY[2:]
"""News of an emergency that is no offer has no end of its own: it is hurried at first and then as any other."""

JITTER = 0.2
LONGEST_WAIT = timedelta(hours=24)
DISABLED_AFTER = timedelta(hours=120)
"""Nothing but failure for so long disables an endpoint."""
FAILING_AFTER = timedelta(minutes=5)
"""Nothing but failure for so long makes an endpoint no working way to be told (routing.md: undelivered after 5 min)."""

ASKED_OF_EMERGENCY = timedelta(minutes=5)
"""How long an emergency's open offer waits at most because an answer asked for it: as long as between two attempts."""
BUSY = frozenset({429, 503})
"""Answers that speak of the whole server and not of what was posted (RFC 6585, 4; RFC 9110, 15.6.4)."""
LONGEST_PAUSE = timedelta(minutes=5)
"""How long a server that says so is left alone, all its news: one absurd header must not silence an agency."""
PAUSE_BY_EMERGENCY = timedelta(minutes=1)
"""And how long because of an answer to an emergency, which comes again after five: others have a turn in between."""

SUCCESS = range(200, 300)
GONE = 410


class Phase(StrEnum):
    """How far an attempt came before it failed; these are the outcomes of attempts, beside `delivered`."""

    DNS = "dns"
    ADDRESS = "address"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    ANSWER = "answer"
    """The connection ended, or something that is not HTTP came, before there was a status."""
    STATUS = "status"
    INTERNAL = "internal"
    """It failed on our side, before anything was posted: no fault of the endpoint."""


class Detail(StrEnum):
    """What exactly failed in a phase; the list is open."""

    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_INVALID = "certificate_invalid"
    CERTIFICATE_ASKED_FOR = "certificate_asked_for"
    """The receiver wants a client certificate, and had none that it takes."""
    CLIENT_CERTIFICATE_EXPIRED = "client_certificate_expired"
    """The endpoint's own client certificate is not valid any more, and nothing was posted."""
    OWN_TLS_UNUSABLE = "own_tls_unusable"
    """What the endpoint has of its own for TLS is nothing that OpenSSL can use, and nothing was posted."""
    WRONG_NAME = "wrong_name"
    """The certificate is for another host."""
    UNKNOWN_ISSUER = "unknown_issuer"
    HANDSHAKE = "handshake"
    """No version or cipher in common, or the connection ended before there was one."""
    NOT_TLS = "not_tls"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    NAME_UNRESOLVED = "name_unresolved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    """Nothing answered in the time to connect, TLS included."""
    CLOSED = "closed"
    """The connection ended before there was a status."""
    CLOSED_AFTER_HANDSHAKE = "closed_after_handshake"
    """A new connection ended without a word right after TLS 1.3: so do servers that want another client certificate."""
    NOT_HTTP = "not_http"

    RECIPIENT_UNKNOWN = "recipient_unknown"
    """The mail server says expressly that there is no such mailbox, or that it takes nothing any more."""
    RECIPIENT_REFUSED = "recipient_refused"
    """The mail server did not take this recipient, for another reason or none that it gave."""
    MAILBOX_FULL = "mailbox_full"
    SENDER_REFUSED = "sender_refused"
    LOGIN_REFUSED = "login_refused"
    """The mail server did not take the operator's name and password, or has no way to log in."""
    MAIL_REFUSED = "mail_refused"
    """The mail server did not take this mail, or nothing at all from us."""
    TLS_NOT_OFFERED = "tls_not_offered"
    """The mail server has no STARTTLS, and nothing goes out without TLS."""
    NOT_SMTP = "not_smtp"
    MAIL_SERVER_BUSY = "mail_server_busy"
    """All our connections to the mail server were taken, and nothing was sent."""
    NO_MAIL_SERVER = "no_mail_server"
    """The operator has set none any more, and nothing was sent."""


DELIVERED = "delivered"
NOBODY_THERE = frozenset({Detail.RECIPIENT_UNKNOWN})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt: a status, or the phase that failed; `retry_after` is the header as it came.

    `start` is the beginning of the body, kept where the operator asked for it: it may hold anything, and is not shown.
    """

    status: int | None = None
    failed: Phase | None = None
    retry_after: str | None = None
    detail: Detail | None = None
    start: bytes = field(default=b"", repr=False)

    @property
    def outcome(self) -> str:
        """Name the outcome as it is recorded: `delivered`, or the phase that failed."""
        if self.failed is not None:
            return self.failed.value
        return DELIVERED if self.status in SUCCESS else Phase.STATUS.value


class Verdict(StrEnum):
    """What an answer means for the delivery."""

    DELIVERED = "delivered"
    GONE = "gone"
    RETRY = "retry"


def verdict(answer: Answer) -> Verdict:
    """Judge an answer: 2xx is success, 410 wants no more news, and all else, a redirect too, is tried again.

    A mail server that says expressly that there is no such mailbox says what 410 does. One that refuses it for good
    without saying so may only refuse us, and would end every address at once: it is tried again.
    """
    if answer.failed is None and answer.status in SUCCESS:
        return Verdict.DELIVERED
    gone = answer.status == GONE and answer.detail is None
    return Verdict.GONE if answer.failed is None and (gone or answer.detail in NOBODY_THERE) else Verdict.RETRY


def next_attempt(
    attempts: int,
    *,
    failed_at: datetime,
    chance: float,
    emergency: bool = False,
    open_offer: bool = False,
    retry_after: str | None = None,
) -> datetime | None:
    """Say when to try again after this many attempts; None when that was the last one.

    `chance` is a random number from 0 to 1 for the jitter of 20 %; `retry_after` is the header as it came. An
    emergency's offer is tried for as long as it is open, and whatever the header says at least every five minutes; all
    else for the length of its schedule.
    """
    delays = (_EMERGENCY_NEWS if not open_offer else EMERGENCY) if emergency else ORDINARY
    if attempts < len(delays):
        delay = delays[attempts]
    elif emergency and open_offer:
        delay = EMERGENCY_OFFER
    else:
        return None
    asked = asked_wait(retry_after, now=failed_at)
    if emergency and open_offer:
        asked = min(asked, ASKED_OF_EMERGENCY)
    wait = max(delay * (1 - JITTER + 2 * JITTER * chance), asked)
    return failed_at + min(wait, LONGEST_WAIT)


def exhausted(attempts: int, *, emergency: bool = False, open_offer: bool = False) -> bool:
    """Say whether this attempt is one more than the schedule has: the worker died in each, so it is not made."""
    if emergency and open_offer:
        return False
    return attempts > len(_EMERGENCY_NEWS if emergency else ORDINARY)


def asked_wait(retry_after: str | None, *, now: datetime) -> timedelta:
    """Read a Retry-After header, seconds or an HTTP date, as 0 to 24 hours; what is past or unreadable is 0.

    Source: RFC 9110, section 10.2.3.
    """
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        # A number of more digits than a year of seconds is as good as the bound, and costs nothing to read.
        return LONGEST_WAIT if len(text.lstrip("0")) > 8 else min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        asked = (moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)) - now
    except (TypeError, ValueError, OverflowError, IndexError):
        return timedelta(0)
    return min(max(asked, timedelta(0)), LONGEST_WAIT)


def pause_of(answer: Answer, *, now: datetime, emergency: bool = False) -> datetime | None:
    """Say until when a busy server asked to be left alone, five minutes at most; None where it did not."""
    if answer.failed is not None or answer.status not in BUSY:
        return None
    asked = min(asked_wait(answer.retry_after, now=now), PAUSE_BY_EMERGENCY if emergency else LONGEST_PAUSE)
    return now + asked if asked else None


def is_failing(failing_since: datetime | None, *, now: datetime) -> bool:
    """Say whether an endpoint has done nothing but fail for so long that its agency should know: 5 minutes."""
    return failing_since is not None and now - failing_since >= FAILING_AFTER


def is_hopeless(failing_since: datetime | None, *, now: datetime) -> bool:
    """Say whether an endpoint has done nothing but fail for so long that it is disabled: 120 hours."""
    return failing_since is not None and now - failing_since >= DISABLED_AFTER
