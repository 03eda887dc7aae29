from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.domain.certificates import Certificate, TlsGiven, read_tls
from tests.delivery.certificates import Authority, pem_of

NOW = datetime.now(UTC)  # noqa: TID251 - certificates are judged by real time
AUTHORITY = Authority()
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
GOOD = AUTHORITY.issue("lintas", usage=ExtendedKeyUsageOID.CLIENT_AUTH)


def codes(given: TlsGiven) -> list[tuple[str, str]]:
    identity, faults = read_tls(given, now=NOW)
    assert identity.is_empty or not faults
    return [(fault.pointer, fault.code) for fault in faults]


def test_a_certificate_with_its_key_and_own_authorities_are_read() -> None:
    chain = f"Bag Attributes\n{GOOD.certificate}\n{AUTHORITY.pem}"

    identity, faults = read_tls(TlsGiven(chain, GOOD.key, AUTHORITY.pem), now=NOW)

    assert not faults
    assert identity.client_certificate is not None
    assert identity.client_certificate.subject == "CN=lintas"
    assert len(identity.client_certificate.fingerprint) == 64
    assert [one.subject for one in identity.authorities] == ["CN=tests"]
    assert Certificate.of_json(identity.client_certificate.as_json()) == identity.client_certificate
    assert identity.chain_pem is not None
    assert "Bag" not in identity.chain_pem
    assert "PRIVATE" not in repr(identity)


def test_nothing_asked_for_is_nothing() -> None:
    assert codes(TlsGiven()) == []
    assert read_tls(TlsGiven(), now=NOW)[0].is_empty


def encrypted() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"kanari"),
        )
        .decode()
    )


def weak() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that it is weak is the point
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def issued(*, ca: bool | None, signs: bool | None, by_itself: bool = False) -> str:
    """A certificate that does or does not say that it may issue others; None is without a word of it."""
    key, above = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "below")])
    issuer = name if by_itself else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "above")])
    made = (
        x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    if ca is not None:
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if signs is not None:
        usage = dict.fromkeys(KEY_USAGES, False) | {"key_cert_sign": signs}
        made = made.add_extension(x509.KeyUsage(**usage), critical=True)
    return made.sign(key if by_itself else above, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


SIGNED_WITH_SHA1 = """\
-----BEGIN CERTIFICATE-----
MIIBGjCBwQIUNAoEFTNc7mfm6VK8YPAGUo0eFpIwCQYHKoZIzj0EATAQMQ4wDAYD
VQQDDAVhYm92ZTAgFw0yNjExMjUwODA3MDhaGA8yMTI2MTEwMTA4MDcwOFowDzEN
MAsGA1UEAwwEc2hhMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHGusX6xdg4h
LtWAQKZPfKKsz9EOf3QobEOxwETyLGo8lo0QaiOfblwLP502eNBPvIUBYqXwwvJo
JCA9mRDmq1kwCQYHKoZIzj0EAQNJADBGAiEAmgJmhyQAhbcE+Rkq8FhMWsTRGJtD
Rrq429r8uPyuZ+kCIQC5XgJR80HY5/b2I6kD9DT24VNbqzxbOeS6lH0R+szdkQ==
-----END CERTIFICATE-----
"""
"""Made by `openssl x509 -req -sha1`: the library that makes the others makes none of these any more."""


def of_a_small_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that it is weak is the point
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "small")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


SMALL = of_a_small_key()
EXPIRED = AUTHORITY.issue("old", ends_in=timedelta(days=-1))
TO_COME = AUTHORITY.issue("new", begins_in=timedelta(days=1))
SERVER = AUTHORITY.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)
BROKEN = GOOD.certificate.replace(GOOD.certificate[100:140], "A" * 40)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (TlsGiven(GOOD.certificate), [("/tls/client_key", "required")]),
        (TlsGiven(client_key=GOOD.key), [("/tls/client_certificate", "required")]),
        (TlsGiven(GOOD.certificate, EXPIRED.key), [("/tls/client_key", "key_does_not_match")]),
        (TlsGiven(EXPIRED.certificate, EXPIRED.key), [("/tls/client_certificate", "certificate_expired")]),
        (TlsGiven(TO_COME.certificate, TO_COME.key), [("/tls/client_certificate", "certificate_not_yet_valid")]),
        (TlsGiven(SERVER.certificate, SERVER.key), [("/tls/client_certificate", "certificate_not_for_clients")]),
        (TlsGiven("kanari", GOOD.key), [("/tls/client_certificate", "certificate_unreadable")]),
        (TlsGiven(BROKEN, GOOD.key), [("/tls/client_certificate", "certificate_unreadable")]),
        (TlsGiven(GOOD.certificate * 6, GOOD.key), [("/tls/client_certificate", "certificate_unreadable")]),
        (TlsGiven(GOOD.certificate + " " * 20_000, GOOD.key), [("/tls/client_certificate", "pem_too_long")]),
        (TlsGiven(GOOD.certificate, "kanari"), [("/tls/client_key", "key_unreadable")]),
        (TlsGiven(GOOD.certificate, encrypted()), [("/tls/client_key", "key_unreadable")]),
        (TlsGiven(GOOD.certificate, weak()), [("/tls/client_key", "key_too_weak")]),
        (TlsGiven(GOOD.certificate, GOOD.certificate), [("/tls/client_key", "key_unreadable")]),
        (TlsGiven(ca="kanari"), [("/tls/ca", "certificate_unreadable")]),
        (TlsGiven(ca=AUTHORITY.pem * 21), [("/tls/ca", "certificate_unreadable")]),
        (
            TlsGiven(ca=EXPIRED.certificate),
            [("/tls/ca", "certificate_expired"), ("/tls/ca", "certificate_no_authority")],
        ),
        (TlsGiven(GOOD.certificate + SMALL, GOOD.key), [("/tls/client_certificate", "certificate_too_weak")]),
        (
            TlsGiven(GOOD.certificate + SIGNED_WITH_SHA1, GOOD.key),
            [("/tls/client_certificate", "certificate_too_weak")],
        ),
        (TlsGiven(ca=AUTHORITY.pem + SMALL), [("/tls/ca", "certificate_too_weak")]),
        (
            TlsGiven(ca=SIGNED_WITH_SHA1),
            [("/tls/ca", "certificate_too_weak"), ("/tls/ca", "certificate_no_authority")],
        ),
        (TlsGiven(ca=SERVER.certificate), [("/tls/ca", "certificate_no_authority")]),
        (TlsGiven(ca=AUTHORITY.pem + GOOD.certificate), [("/tls/ca", "certificate_no_authority")]),
        (TlsGiven(ca=issued(ca=True, signs=False)), [("/tls/ca", "certificate_no_authority")]),
        (TlsGiven(ca=issued(ca=None, signs=None)), [("/tls/ca", "certificate_no_authority")]),
        (
            TlsGiven("kanari", None, "kanari"),
            [
                ("/tls/client_certificate", "certificate_unreadable"),
                ("/tls/ca", "certificate_unreadable"),
                ("/tls/client_key", "required"),
            ],
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_never_repeated(
    given: TlsGiven, expected: list[tuple[str, str]]
) -> None:
    assert codes(given) == expected
    assert "kanari" not in str(read_tls(given, now=NOW)[1])


@pytest.mark.parametrize(
    "pem",
    [
        issued(ca=True, signs=True),
        issued(ca=True, signs=None),
        issued(ca=None, signs=None, by_itself=True),
        issued(ca=False, signs=False, by_itself=True),
    ],
    ids=["an intermediate one", "one that says no more", "an old root", "a server's that signed itself"],
)
def test_authorities_and_servers_that_signed_themselves_can_be_trusted(pem: str) -> None:
    assert codes(TlsGiven(ca=pem)) == []


def test_a_key_of_a_curve_that_tls_does_not_speak_is_too_weak() -> None:
    odd = pem_of(ec.generate_private_key(ec.SECP256K1()))

    assert codes(TlsGiven(GOOD.certificate, odd)) == [("/tls/client_key", "key_too_weak")]
