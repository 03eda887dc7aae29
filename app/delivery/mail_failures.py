"""What the refusals of a mail server mean. Of what it says nothing is kept but the code.

Sources: RFC 5321 (4.2), RFC 3463 and RFC 5248 (enhanced status codes).
"""

import re
import ssl

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from app.delivery import failures
from app.delivery.connections import ConnectFailed
from app.delivery.resolver import NameUnresolved
from app.domain.retry import Answer, Detail, Phase

FAILURES = (SMTPException, ConnectFailed, TimeoutError, OSError)
"""All that a mail server, its network or its name can raise."""

NOT_NOW, FOR_GOOD, NO_CODE = 400, 500, 600
_ENHANCED = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])", re.ASCII)
_NO_MAILBOX = frozenset({(1, 1), (1, 6), (1, 10), (2, 1)})
"""Bad destination mailbox, moved without a new address, no mail taken by the domain, mailbox disabled."""
_FULL = frozenset({(2, 2)})


def answer_of(error: Exception) -> Answer:
    """Say what came of a mail that raised one of FAILURES."""
    if isinstance(error, NameUnresolved | ConnectFailed):
        return failures.answer_of(error)
    if isinstance(error, SMTPConnectResponseError):
        return _said(error, Detail.MAIL_REFUSED)
    if isinstance(error, SMTPAuthenticationError):
        return _said(error, Detail.LOGIN_REFUSED)
    if isinstance(error, SMTPResponseException):
        return _refused(error)
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(cause, ssl.SSLError):
        return Answer(failed=Phase.TLS, detail=failures.of_tls(cause))
    if isinstance(error, SMTPConnectError):
        timed_out = isinstance(error, TimeoutError)
        return Answer(failed=Phase.CONNECT, detail=Detail.TIMEOUT if timed_out else failures.of_connecting(cause))
    if isinstance(error, TimeoutError):
        return Answer(failed=Phase.TIMEOUT)
    if isinstance(error, OSError):
        return Answer(failed=Phase.ANSWER, detail=Detail.CLOSED)
    # What is left is a server without what we need of it: STARTTLS before anything is said, or a way to log in.
    if "STARTTLS" in str(error):
        return Answer(failed=Phase.TLS, detail=Detail.TLS_NOT_OFFERED)
    return Answer(failed=Phase.ANSWER, detail=Detail.LOGIN_REFUSED)


def _refused(error: SMTPResponseException) -> Answer:
    if isinstance(error, SMTPSenderRefused):
        return _said(error, Detail.SENDER_REFUSED)
    enhanced = _enhanced(error)
    if enhanced in _FULL:
        return _said(error, Detail.MAILBOX_FULL)
    if not isinstance(error, SMTPRecipientRefused):
        return _said(error, Detail.MAIL_REFUSED)
    gone = error.code >= FOR_GOOD and enhanced in _NO_MAILBOX
    return _said(error, Detail.RECIPIENT_UNKNOWN if gone else Detail.RECIPIENT_REFUSED)


def _said(error: SMTPResponseException, detail: Detail) -> Answer:
    if not NOT_NOW <= error.code < NO_CODE:
        # Neither a yes where one was waited for, nor a no; what cannot be read has the code -1.
        return Answer(failed=Phase.ANSWER, detail=Detail.NOT_SMTP)
    return Answer(status=error.code, detail=detail)


def _enhanced(error: SMTPResponseException) -> tuple[int, int] | None:
    """Give subject and detail of an enhanced status code; None where there is none, or of another class."""
    found = _ENHANCED.match(error.message.strip())
    if found is None or int(found[1]) != error.code // 100:
        return None
    return int(found[2]), int(found[3])
