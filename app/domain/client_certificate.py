"""What a proxy says of the client certificate it has verified, in one of the forms in which proxies say it.

Sources: RFC 9440 (Client-Cert), RFC 5280 (certificates), RFC 8705 (tokens that are bound to a certificate).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes

LONGEST = 16 * 1024
LONGEST_SUBJECT = 500
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


class KnownBy(StrEnum):
    """By what a certificate is known."""

    FINGERPRINT = "fingerprint"
    """SHA-256 over its DER form, in hexadecimal."""
    SUBJECT = "subject"
    """Its subject, as the proxy writes it. It is worth as much as the authorities that the proxy accepts."""


class HeaderForm(StrEnum):
    """What the proxy's header holds."""

    CERTIFICATE = "certificate"
    """The certificate: as RFC 9440 has it, or as PEM with escapes, or as that without its first and last line."""
    FINGERPRINT = "fingerprint"
    SUBJECT = "subject"


class CertificateUnreadable(Exception):
    """The header does not hold what it should, or holds a certificate that is not valid now."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate that somebody has shown to hold the key of."""

    known_by: KnownBy
    value: str

    @property
    def thumbprint(self) -> str | None:
        """What a token that is bound to it names it by; None where the proxy says its subject alone."""
        if self.known_by is not KnownBy.FINGERPRINT:
            return None
        return base64.urlsafe_b64encode(bytes.fromhex(self.value)).rstrip(b"=").decode()


def read_header(value: str, form: HeaderForm, *, now: datetime) -> Presented:
    """Read what a proxy says, else CertificateUnreadable; `now` is real time."""
    if len(value) > LONGEST:
        raise CertificateUnreadable
    if form is HeaderForm.FINGERPRINT:
        return Presented(KnownBy.FINGERPRINT, read_fingerprint(value))
    if form is HeaderForm.SUBJECT:
        return Presented(KnownBy.SUBJECT, read_subject(value))
    certificate = _certificate(value)
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise CertificateUnreadable
    return Presented(KnownBy.FINGERPRINT, certificate.fingerprint(hashes.SHA256()).hex())


def read_fingerprint(text: str) -> str:
    """Read a SHA-256 fingerprint, with colons or without, in small letters or large, else CertificateUnreadable."""
    plain = text.strip().replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(plain):
        raise CertificateUnreadable
    return plain


def read_subject(text: str) -> str:
    """Read a subject, else CertificateUnreadable."""
    plain = text.strip()
    if not 0 < len(plain) <= LONGEST_SUBJECT or not plain.isprintable():
        raise CertificateUnreadable
    return plain


def read_pem(text: str) -> tuple[str, datetime]:
    """Give the fingerprint of the first certificate in PEM and when it ends, else CertificateUnreadable."""
    found = _PEM.search(text)
    if found is None:
        raise CertificateUnreadable
    certificate = _of_base64(found[1])
    return certificate.fingerprint(hashes.SHA256()).hex(), certificate.not_valid_after_utc


def _certificate(value: str) -> x509.Certificate:
    if value.startswith(":") and value.endswith(":"):
        return _of_base64(value[1:-1])
    plain = unquote(value)
    found = _PEM.search(plain)
    return _of_base64(found[1] if found else plain.partition(",")[0])


def _of_base64(text: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        # Read only when they are asked for.
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (binascii.Error, ValueError, TypeError):
        raise CertificateUnreadable from None
    return certificate
