"""What an exception of a post means: the phase that failed, and what exactly failed in it."""

import errno
import ssl
from collections.abc import Mapping

from app.delivery.connections import ConnectFailed, TlsFailed, TurnedAway
from app.delivery.exchange import AnswerBroken, AnswerNotHttp
from app.delivery.resolver import AddressRefused, NameUnresolved
from app.domain.retry import Answer, Detail, Phase

_PHASES: tuple[tuple[type[Exception], Phase], ...] = (
    (AddressRefused, Phase.ADDRESS),
    (NameUnresolved, Phase.DNS),
    (TlsFailed, Phase.TLS),
    (ConnectFailed, Phase.CONNECT),
    (TimeoutError, Phase.TIMEOUT),
    (AnswerBroken, Phase.ANSWER),
    (OSError, Phase.ANSWER),
)
"""In this order: some of these are kinds of others."""
FAILURES = tuple(kind for kind, _ in _PHASES)
"""All that a receiver, its network or its names can raise."""

_CERTIFICATES: Mapping[int, Detail] = {
    2: Detail.UNKNOWN_ISSUER,  # no issuer of an authority found
    9: Detail.CERTIFICATE_NOT_YET_VALID,
    10: Detail.CERTIFICATE_EXPIRED,
    18: Detail.UNKNOWN_ISSUER,  # signed by itself
    19: Detail.UNKNOWN_ISSUER,  # signed by itself, further up
    20: Detail.UNKNOWN_ISSUER,  # no issuer found
    21: Detail.UNKNOWN_ISSUER,  # nothing but the certificate itself
    23: Detail.CERTIFICATE_REVOKED,
    62: Detail.WRONG_NAME,
    64: Detail.WRONG_NAME,  # an address
}
"""OpenSSL's X509_V_ERR_ numbers (x509_vfy.h), which do not change."""
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
_CLIENT_REFUSED = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    }
)
"""The alerts by which a server says that it does not take the client for who it must be."""
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL})


def answer_of(error: Exception) -> Answer:
    """Say what came of a post that raised one of FAILURES."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError) and cause.reason in _CLIENT_REFUSED:
        # From TLS 1.3 on a server refuses the client after the handshake, when its answer is waited for.
        return Answer(failed=Phase.TLS, detail=Detail.CERTIFICATE_ASKED_FOR)
    phase = next(phase for kind, phase in _PHASES if isinstance(error, kind))
    return Answer(failed=phase, detail=_detail(error, phase))


def _detail(error: Exception, phase: Phase) -> Detail | None:
    if phase is Phase.TLS:
        return of_tls(error.__cause__)
    if phase is Phase.ADDRESS:
        return Detail.ADDRESS_NOT_ALLOWED
    if phase is Phase.DNS:
        return Detail.NAME_UNRESOLVED
    if phase is Phase.CONNECT:
        return of_connecting(error.__cause__)
    if isinstance(error, TurnedAway):
        return Detail.CLOSED_AFTER_HANDSHAKE
    if phase is Phase.ANSWER:
        return Detail.NOT_HTTP if isinstance(error, AnswerNotHttp) else Detail.CLOSED
    return None


def of_tls(cause: BaseException | None) -> Detail:
    """Say what exactly failed in TLS."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(cause.verify_code, Detail.CERTIFICATE_INVALID)
    reason = cause.reason if isinstance(cause, ssl.SSLError) else None
    return Detail.NOT_TLS if reason in _NOT_TLS else Detail.HANDSHAKE


def of_connecting(cause: BaseException | None) -> Detail | None:
    """Say what exactly failed before there was a connection; None is not known."""
    if isinstance(cause, TimeoutError):
        return Detail.TIMEOUT
    if isinstance(cause, ConnectionRefusedError):
        return Detail.REFUSED
    return Detail.UNREACHABLE if isinstance(cause, OSError) and cause.errno in _UNREACHABLE else None
