import asyncio
import gc
import ssl
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.delivery.post import open_post
from app.domain.retry import Answer, Detail, Phase
from tests.delivery.posting import answer_of, resolving
from tests.delivery.receivers import (
    a_bad_receiver,
    a_receiver,
    say_nothing,
)
from tests.delivery.world import LOOPBACK, SHORT


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ssl.SSLContext]:
    """Servers with a good certificate for receiver.example, a wrong and an expired one, and a client that trusts."""
    place = Path(tmp_path_factory.mktemp("tls"))
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    stranger = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now().astimezone()  # noqa: TID251 - certificates are judged by real time

    def certificate(
        name: str,
        names: list[x509.GeneralName],
        ends: datetime,
        *,
        ca: bool = False,
        begins: datetime = now - timedelta(days=10),
        signed_by: ec.EllipticCurvePrivateKey = authority,
    ) -> Path:
        made = (
            x509.CertificateBuilder()
            .subject_name(issuer if ca else x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key((authority if ca else key).public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names or [x509.DNSName("ca")]), critical=False)
            .sign(signed_by, hashes.SHA256())
        )
        path = place / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + (b"" if ca else private))
        return path

    def server(path: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def outdated(path: Path) -> ssl.SSLContext:
        context = server(path)
        context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    right = [x509.DNSName("receiver.example"), x509.IPAddress(IPv4Address("127.0.0.9"))]
    later = now + timedelta(days=1)
    return {
        "client": ssl.create_default_context(cafile=str(certificate("ca", [], later, ca=True))),
        "good": server(certificate("good", list(right), later)),
        "wrong": server(certificate("wrong", [x509.DNSName("other.example")], later)),
        "expired": server(certificate("expired", list(right), now - timedelta(days=1))),
        "early": server(certificate("early", list(right), now + timedelta(days=9), begins=now + timedelta(days=2))),
        "forged": server(certificate("forged", list(right), later, signed_by=stranger)),
        "old": outdated(certificate("old", list(right), later)),
    }


async def test_the_hosts_name_is_kept_for_tls(tls: dict[str, ssl.SSLContext]) -> None:
    async with a_receiver(tls=tls["good"]) as receiver:
        url = receiver.url.replace("127.0.0.1", "receiver.example")

        answer = await answer_of(url, look_up=resolving("127.0.0.1"), tls=tls["client"])
        dotted = await answer_of(
            url.replace(".example", ".example."), look_up=resolving("127.0.0.1"), tls=tls["client"]
        )

    assert answer == Answer(204)
    assert dotted == Answer(204)


@pytest.mark.parametrize(
    ("which", "detail"),
    [
        ("wrong", Detail.WRONG_NAME),
        ("expired", Detail.CERTIFICATE_EXPIRED),
        ("early", Detail.CERTIFICATE_NOT_YET_VALID),
        ("forged", Detail.CERTIFICATE_INVALID),
        ("old", Detail.HANDSHAKE),
    ],
)
async def test_a_certificate_that_is_not_right_is_refused_and_it_is_said_why(
    tls: dict[str, ssl.SSLContext], which: str, detail: Detail
) -> None:
    async with a_receiver(tls=tls[which]) as receiver:
        url = receiver.url.replace("127.0.0.1", "receiver.example")

        answer = await answer_of(url, look_up=resolving("127.0.0.1"), tls=tls["client"])

    assert answer == Answer(failed=Phase.TLS, detail=detail)
    assert not receiver.received


async def test_a_certificate_for_another_address_has_the_wrong_name(tls: dict[str, ssl.SSLContext]) -> None:
    async with a_receiver(tls=tls["good"]) as receiver:
        answer = await answer_of(receiver.url, tls=tls["client"])

    assert answer == Answer(failed=Phase.TLS, detail=Detail.WRONG_NAME)


async def test_a_server_that_hangs_up_in_the_handshake_fails_at_tls(tls: dict[str, ssl.SSLContext]) -> None:
    async def hang_up_early(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async with a_bad_receiver(hang_up_early) as receiver:
        answer = await answer_of(receiver.url.replace("http:", "https:"), tls=tls["client"])

    assert answer == Answer(failed=Phase.TLS, detail=Detail.HANDSHAKE)


async def test_a_certificate_of_an_unknown_authority_is_refused(tls: dict[str, ssl.SSLContext]) -> None:
    async with a_receiver(tls=tls["good"]) as receiver:
        url = receiver.url.replace("127.0.0.1", "receiver.example")

        answer = await answer_of(url, look_up=resolving("127.0.0.1"))

    assert answer == Answer(failed=Phase.TLS, detail=Detail.UNKNOWN_ISSUER)


async def test_a_server_that_speaks_no_tls_fails_at_tls() -> None:
    async with a_receiver() as receiver:
        url = receiver.url.replace("http:", "https:")

        assert await answer_of(url) == Answer(failed=Phase.TLS, detail=Detail.NOT_TLS)


async def test_a_handshake_that_never_comes_ends_with_the_time_to_connect() -> None:
    async with a_bad_receiver(say_nothing) as receiver:
        answer = await answer_of(receiver.url.replace("http:", "https:"))

    assert answer == Answer(failed=Phase.CONNECT, detail=Detail.TIMEOUT)


async def test_one_tls_context_serves_every_post(tls: dict[str, ssl.SSLContext]) -> None:
    def contexts() -> list[ssl.SSLContext]:
        return [one for one in gc.get_objects() if isinstance(one, ssl.SSLContext)]

    async with a_receiver(tls=tls["good"]) as one, a_receiver(tls=tls["good"]) as other:
        before = contexts()
        async with open_post(LOOPBACK, deadlines=SHORT, tls=tls["client"], look_up=resolving("127.0.0.1")) as post:
            for _ in range(10):
                for receiver in (one, other):
                    url = receiver.url.replace("127.0.0.1", "receiver.example")
                    assert await post(url, b"{}", {}) == Answer(204)
            after = contexts()

    assert tls["client"] in before
    assert [one for one in after if one not in before] == []
