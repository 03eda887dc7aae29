"""An authority of the tests' own, and what it issues."""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    """Issues certificates for 127.0.0.1, and for clients."""

    def __init__(self, name: str = "tests") -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._now = datetime.now().astimezone()  # noqa: TID251 - certificates are judged by real time
        self.pem = self._certificate(self._name, self._key, self._now + timedelta(days=900), ca=True)

    def issue(
        self,
        name: str,
        *,
        ends_in: timedelta = timedelta(days=30),
        begins_in: timedelta = timedelta(days=-10),
        usage: x509.ObjectIdentifier | None = None,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(subject, key, self._now + ends_in, begins=self._now + begins_in, usage=usage)
        return Issued(made, pem_of(key))

    def server(self, *, asks_for_client: bool = False) -> ssl.SSLContext:
        """A server's context for 127.0.0.1, which may take none but this authority's clients."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issued = self.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)
        with TemporaryDirectory() as place:
            path = Path(place, "server.pem")
            path.write_text(issued.certificate + issued.key)
            context.load_cert_chain(path)
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.pem)
        return context

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        ends: datetime,
        *,
        begins: datetime | None = None,
        ca: bool = False,
        usage: x509.ObjectIdentifier | None = None,
    ) -> str:
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins or self._now - timedelta(days=400))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        )
        if usage is not None:
            made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Write a private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
