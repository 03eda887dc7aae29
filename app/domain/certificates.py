"""What an agency gives for TLS: a client certificate with its key, and authorities of its own; read and judged.

Sources: RFC 5280 for certificates, RFC 7468 for their text form (PEM).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, PublicKeyAlgorithmOID, SignatureAlgorithmOID

from app.domain.errors import Fault

LONGEST_CHAIN, MOST_IN_CHAIN = 20_000, 5
LONGEST_KEY = 10_000
LONGEST_AUTHORITIES, MOST_AUTHORITIES = 60_000, 20
SMALLEST_RSA = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_SMALLEST_CURVE = 224
_WEAK_SIGNATURES = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_MD5,
        SignatureAlgorithmOID.RSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.DSA_WITH_SHA1,
    }
)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_LONGEST_SUBJECT = 300


@dataclass(frozen=True, slots=True)
class Certificate:
    """What may be shown of a certificate."""

    subject: str
    fingerprint: str
    """SHA-256 over the DER form, in hexadecimal."""
    not_after: datetime

    def as_json(self) -> dict[str, str]:
        """Give it as JSON has it."""
        return {"subject": self.subject, "fingerprint": self.fingerprint, "not_after": self.not_after.isoformat()}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> "Certificate":
        """Read what `as_json` gave."""
        return cls(kept["subject"], kept["fingerprint"], datetime.fromisoformat(kept["not_after"]))


@dataclass(frozen=True, slots=True)
class TlsGiven:
    """What an agency gives, as PEM text; None is what it does not ask for."""

    client_certificate: str | None = None
    """The certificate, and after it those that lead to its authority."""
    client_key: str | None = field(default=None, repr=False)
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """What was read: PEM text in one form, and what may be shown of it."""

    chain_pem: str | None = None
    key_pem: str | None = field(default=None, repr=False)
    ca_pem: str | None = None
    client_certificate: Certificate | None = None
    authorities: tuple[Certificate, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return self.chain_pem is None and self.ca_pem is None


def read_tls(given: TlsGiven, *, now: datetime) -> tuple[TlsIdentity, tuple[Fault, ...]]:
    """Read and judge what an agency gives; `now` is real time. The faults name fields and repeat nothing."""
    faults: list[Fault] = []
    chain = _certificates(given.client_certificate, "client_certificate", LONGEST_CHAIN, MOST_IN_CHAIN, faults)
    authorities = _certificates(given.ca, "ca", LONGEST_AUTHORITIES, MOST_AUTHORITIES, faults)
    key = _key(given, faults)
    faults += [] if not chain else _faults_of_client(chain[0], key, now)
    for field_, given_there in (("client_certificate", chain), ("ca", authorities)):
        if any(map(_is_too_weak, given_there)):
            faults.append(_fault("certificate_too_weak", field_, "one of these has a weak key or a weak signature"))
    if any(one.not_valid_after_utc <= now for one in authorities):
        faults.append(_fault("certificate_expired", "ca", "a certificate of the authorities is not valid any more"))
    if not all(map(_is_authority, authorities)):
        faults.append(_fault("certificate_no_authority", "ca", "one of these is no authority: it vouches for nothing"))
    if faults:
        return TlsIdentity(), tuple(faults)
    return (
        TlsIdentity(
            chain_pem=_pem(chain),
            key_pem=None if key is None or not chain else _pem_of_key(key),
            ca_pem=_pem(authorities),
            client_certificate=_shown(chain[0]) if chain else None,
            authorities=tuple(map(_shown, authorities)),
        ),
        (),
    )


def _certificates(
    pem: str | None, field_: str, longest: int, most: int, faults: list[Fault]
) -> Sequence[x509.Certificate]:
    if pem is None:
        return ()
    if len(pem) > longest:
        faults.append(_fault("pem_too_long", field_, f"this has at most {longest} characters"))
        return ()
    found = _CERTIFICATE.findall(pem)
    if not found or len(found) > most:
        faults.append(_fault("certificate_unreadable", field_, f"1 to {most} certificates in PEM are expected"))
        return ()
    try:
        read = [x509.load_pem_x509_certificate(one.encode()) for one in found]
        for one in read:
            # These are read only when they are asked for.
            _ = one.not_valid_after_utc, one.public_key(), one.subject.rfc4514_string(), one.extensions
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType, x509.DuplicateExtension):
        faults.append(_fault("certificate_unreadable", field_, f"1 to {most} certificates in PEM are expected"))
        return ()
    return read


def _key(given: TlsGiven, faults: list[Fault]) -> Any:
    if (given.client_certificate is None) != (given.client_key is None):
        missing = "client_certificate" if given.client_certificate is None else "client_key"
        faults.append(_fault("required", missing, "a client certificate and its key come together"))
        return None
    if given.client_key is None:
        return None
    if len(given.client_key) > LONGEST_KEY:
        faults.append(_fault("pem_too_long", "client_key", f"this has at most {LONGEST_KEY} characters"))
        return None
    try:
        key = serialization.load_pem_private_key(given.client_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        faults.append(_fault("key_unreadable", "client_key", "one private key in PEM, not encrypted, is expected"))
        return None
    strong = (
        (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SMALLEST_RSA)
        or (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES))
        or isinstance(key, ed25519.Ed25519PrivateKey)
    )
    if not strong:
        faults.append(
            _fault("key_too_weak", "client_key", f"RSA from {SMALLEST_RSA} bits on, a NIST curve, or Ed25519")
        )
        return None
    return key


def _faults_of_client(certificate: x509.Certificate, key: Any, now: datetime) -> Iterator[Fault]:
    if key is not None and _der(certificate.public_key()) != _der(key.public_key()):
        yield _fault("key_does_not_match", "client_key", "this is not the key of the first certificate")
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        yield _fault("key_too_weak", "client_key", "a key for RSA-PSS alone is none that can be used here")
    if certificate.not_valid_after_utc <= now:
        yield _fault("certificate_expired", "client_certificate", "the certificate is not valid any more")
    if certificate.not_valid_before_utc > now:
        yield _fault("certificate_not_yet_valid", "client_certificate", "the certificate is not valid yet")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage):
        yield _fault("certificate_not_for_clients", "client_certificate", "the certificate is not for clients")


def _is_too_weak(certificate: x509.Certificate) -> bool:
    """Say whether OpenSSL refuses it at the level that is usual (2: as strong as 112 bits)."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < SMALLEST_RSA:
        return True
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _SMALLEST_CURVE:
        return True
    # Of what signed itself nobody looks at the signature.
    return not _is_self_issued(certificate) and certificate.signature_algorithm_oid in _WEAK_SIGNATURES


def _is_self_issued(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject


def _is_authority(certificate: x509.Certificate) -> bool:
    """Say whether anything can be trusted by it: it is an authority's, or a server's that signed it itself."""
    return _is_self_issued(certificate) or _may_issue(certificate.extensions)


def _may_issue(extensions: x509.Extensions) -> bool:
    """Say whether RFC 5280, 4.2.1.9 and 4.2.1.3, lets the certificate issue others."""
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == ExtensionOID.KEY_USAGE


def _der(key: Any) -> bytes:
    found: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found


def _pem(certificates: Sequence[x509.Certificate]) -> str | None:
    written = "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)
    return written or None


def _pem_of_key(key: Any) -> str:
    written: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return written.decode()


def _shown(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=certificate.subject.rfc4514_string()[:_LONGEST_SUBJECT],
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
    )


def _fault(code: str, field_: str, message: str) -> Fault:
    return Fault(f"/tls/{field_}", code, message)
