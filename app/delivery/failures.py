"""What an exception of a post means: the phase that failed, and what exactly failed in it."""

import errno
import ssl
from collections.abc import Mapping

import aiohttp

from app.delivery.bounded import AnswerTooLarge
from app.delivery.resolver import AddressRefused, NameUnresolved
from app.domain.retry import Answer, Detail, Phase

_PHASES: tuple[tuple[type[Exception], Phase], ...] = (
    (AddressRefused, Phase.ADDRESS),
    (aiohttp.InvalidURL, Phase.ADDRESS),
    (aiohttp.ClientConnectorDNSError, Phase.DNS),
    (NameUnresolved, Phase.DNS),
    (aiohttp.ClientSSLError, Phase.TLS),
    (ssl.SSLError, Phase.TLS),
    (aiohttp.ConnectionTimeoutError, Phase.CONNECT),
    (aiohttp.ClientConnectorError, Phase.CONNECT),
    (TimeoutError, Phase.TIMEOUT),
    (aiohttp.ClientError, Phase.ANSWER),
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
_NOT_HTTP = (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, AnswerTooLarge)
"""Something else came, or more than is read: too long a line, too many headers, no end."""
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL})


def answer_of(error: Exception) -> Answer:
    """Say what came of a post that raised one of FAILURES."""
    if _refuses_client(error):
        return Answer(failed=Phase.TLS, detail=Detail.CERTIFICATE_ASKED_FOR)
    phase = next(phase for kind, phase in _PHASES if isinstance(error, kind))
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionResetError):
        # There was a connection to reset: the handshake had begun.
        phase = Phase.TLS
    return Answer(failed=phase, detail=_detail(error, phase))


def _refuses_client(error: Exception) -> bool:
    # From TLS 1.3 on a server refuses the client after the handshake, when its answer is waited for.
    # The errors of aiohttp are kinds of SSLError that have no reason of their own.
    causes = (error, error.__cause__, error.__context__, getattr(error, "os_error", None))
    return any(
        isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None) in _CLIENT_REFUSED for cause in causes
    )


def _detail(error: Exception, phase: Phase) -> Detail | None:
    if phase is Phase.TLS:
        return _of_tls(error)
    if phase is Phase.ADDRESS:
        return Detail.ADDRESS_NOT_ALLOWED
    if phase is Phase.DNS:
        return Detail.NAME_UNRESOLVED
    if phase is Phase.CONNECT:
        return _of_connecting(error)
    if phase is Phase.ANSWER:
        return Detail.NOT_HTTP if isinstance(error, _NOT_HTTP) else Detail.CLOSED
    return None


def _of_tls(error: Exception) -> Detail:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found: BaseException = error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        found = error.os_error
    else:
        found = error
    if isinstance(found, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(found.verify_code, Detail.CERTIFICATE_INVALID)
    reason = found.reason if isinstance(found, ssl.SSLError) else None
    return Detail.NOT_TLS if reason in _NOT_TLS else Detail.HANDSHAKE


def _of_connecting(error: Exception) -> Detail | None:
    if isinstance(error, TimeoutError):
        return Detail.TIMEOUT
    found = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(found, ConnectionRefusedError):
        return Detail.REFUSED
    return Detail.UNREACHABLE if isinstance(found, OSError) and found.errno in _UNREACHABLE else None
