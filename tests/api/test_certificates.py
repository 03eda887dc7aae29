"""A client certificate counts when a believed proxy says so, for the agency it is registered for, and never else."""

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from starlette.types import Message, Receive, Scope, Send

from app.api.proxies import CertificateHeader, Proxies, certificates_said
from app.domain.caller import Role
from app.domain.client_certificate import (
    CertificateUnreadable,
    HeaderForm,
    KnownBy,
    Presented,
    read_header,
    read_pem,
)
from app.storage import api_keys, client_certificates
from app.storage.client_certificates import AlreadyRegistered
from app.workflows.register_certificate import register_certificate, revoke_certificate
from tests.api.issuers import an_issuer, tokens_of
from tests.api.notes import Sessions, router
from tests.conftest import ClientFactory, KeyFactory
from tests.delivery.certificates import Authority

NOW = datetime.now(UTC)  # noqa: TID251 - certificates are judged by real time
AUTHORITY = Authority()
PEM = AUTHORITY.issue("kukar").certificate
CERTIFICATE = x509.load_pem_x509_certificate(PEM.encode())
DER = CERTIFICATE.public_bytes(serialization.Encoding.DER)
FINGERPRINT = CERTIFICATE.fingerprint(hashes.SHA256()).hex()
IN_BASE64 = base64.b64encode(DER).decode()
PROXY, STRANGER = "10.1.2.3", "10.2.2.3"
HEADER = "X-Client-Cert"


def header_of(form: HeaderForm = HeaderForm.CERTIFICATE) -> CertificateHeader:
    return CertificateHeader(HEADER, form, (ip_network("10.1.0.0/16"),))


async def register(sessions: Sessions, presented: Presented | None = None, **more: Any) -> Any:
    presented = presented or Presented(KnownBy.FINGERPRINT, FINGERPRINT)
    async with sessions.begin() as tx:
        return await register_certificate(
            tx, agency_code="dp3a-kukar", presented=presented, roles=[Role.SENDER], **more
        )


@pytest.fixture
async def through(a_client: ClientFactory, a_key: KeyFactory) -> Any:
    """A function that makes a client at an address, of a service that believes its proxies."""
    await a_key("dp3a-kukar", Role.SENDER)
    await a_key("dp3ap2kb-ppu", Role.SENDER)

    async def make(address: str = PROXY, form: HeaderForm = HeaderForm.CERTIFICATE, **more: Any) -> httpx.AsyncClient:
        return await a_client(router, address=address, certificates=header_of(form), real_clock=lambda: NOW, **more)

    return make


@pytest.mark.parametrize(
    "written",
    [f":{IN_BASE64}:", quote(PEM), quote(PEM, safe=""), quote(IN_BASE64, safe=""), f"{quote(IN_BASE64, safe='')},MIIB"],
    ids=["rfc9440", "escaped-pem", "all-escaped", "without-its-lines", "first-of-a-chain"],
)
async def test_a_registered_certificate_acts_for_its_agency(through: Any, sessions: Sessions, written: str) -> None:
    await register(sessions)
    client = await through()

    answer = await client.post("/v1/notes", json={"text": "hello"}, headers={HEADER: written, "Idempotency-Key": "a"})

    assert answer.status_code == 201, answer.text
    assert answer.json()["by"] == "dp3a-kukar"


@pytest.mark.parametrize(
    ("form", "known_by", "value", "written"),
    [
        (HeaderForm.FINGERPRINT, KnownBy.FINGERPRINT, FINGERPRINT, FINGERPRINT.upper()),
        (
            HeaderForm.FINGERPRINT,
            KnownBy.FINGERPRINT,
            FINGERPRINT,
            ":".join(FINGERPRINT[i : i + 2] for i in range(0, 64, 2)),
        ),
        (HeaderForm.SUBJECT, KnownBy.SUBJECT, "CN=kukar,O=DP3A", "CN=kukar,O=DP3A"),
    ],
    ids=["fingerprint", "with-colons", "subject"],
)
async def test_a_proxy_may_say_the_fingerprint_or_the_subject(
    through: Any, sessions: Sessions, form: HeaderForm, known_by: KnownBy, value: str, written: str
) -> None:
    await register(sessions, Presented(known_by, value))
    client = await through(form=form)

    assert (await client.get("/v1/notes", headers={HEADER: written})).status_code == 200
    for other in (written[:-1], f"{written}0", "", "\x01"):
        assert (await client.get("/v1/notes", headers={HEADER: other})).status_code == 401


async def test_the_header_counts_from_a_believed_proxy_alone(through: Any, sessions: Sessions) -> None:
    await register(sessions)
    written = {HEADER: quote(PEM)}

    assert (await (await through(PROXY)).get("/v1/notes", headers=written)).status_code == 200
    for address in (STRANGER, "127.0.0.1", "::1", "::ffff:10.9.0.1", "not-an-address"):
        refused = await (await through(address)).get("/v1/notes", headers=written)
        assert refused.status_code == 401, address
    # Saying that one comes from the proxy is not coming from it.
    forwarded = {**written, "X-Forwarded-For": PROXY}
    stranger = await through(STRANGER, forwarding=(ip_network("10.2.0.0/16"),))
    assert (await stranger.get("/v1/notes", headers=forwarded)).status_code == 401
    behind = await through(PROXY, forwarding=(ip_network("10.1.0.0/16"),))
    assert (await behind.get("/v1/notes", headers={**written, "X-Forwarded-For": STRANGER})).status_code == 200


async def test_the_header_reaches_nothing_behind_whoever_sent_it() -> None:
    seen: list[tuple[list[bytes], tuple[bytes, ...]]] = []

    async def behind(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(([name for name, _ in scope["headers"]], certificates_said(scope)))

    async def nothing() -> Message:
        raise AssertionError

    async def nowhere(_: Message) -> None:
        raise AssertionError

    for address in (PROXY, STRANGER):
        scope = {"type": "http", "client": (address, 1), "headers": [(b"x-client-cert", b"a"), (b"accept", b"*/*")]}
        await Proxies(behind, certificates=header_of())(scope, nothing, nowhere)

    assert seen == [([b"accept"], (b"a",)), ([b"accept"], ())]


async def test_without_the_setting_the_header_is_nothing(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    await register(sessions)
    client = await a_client(router, address=PROXY)

    assert (await client.get("/v1/notes", headers={HEADER: quote(PEM)})).status_code == 401


async def test_a_proxy_that_adds_to_what_it_was_sent_is_not_believed(through: Any, sessions: Sessions) -> None:
    await register(sessions)
    client = await through()

    twice = [(HEADER, quote(PEM)), (HEADER.lower(), quote(PEM))]

    assert (await client.get("/v1/notes", headers=twice)).status_code == 401


async def test_an_authorization_counts_alone_where_there_is_one(
    through: Any, a_key: KeyFactory, sessions: Sessions
) -> None:
    await register(sessions)
    other = await a_key("dp3ap2kb-ppu", Role.SENDER)
    client = await through()

    def both(authorization: str) -> dict[str, str]:
        return {HEADER: quote(PEM), "Authorization": authorization, "Idempotency-Key": "a"}

    written = await client.post("/v1/notes", json={"text": "hello"}, headers=both(f"Bearer {other}"))
    assert written.json()["by"] == "dp3ap2kb-ppu"
    for wrong in ("Bearer lintas_wrong", "Basic abc", "Bearer", ""):
        assert (await client.get("/v1/notes", headers=both(wrong))).status_code == 401


async def test_a_certificate_ends_when_it_is_revoked_or_its_time_is_over(through: Any, sessions: Sessions) -> None:
    first = await register(sessions)
    client = await through()
    written = {HEADER: quote(PEM)}
    assert (await client.get("/v1/notes", headers=written)).status_code == 200

    async with sessions.begin() as tx:
        await revoke_certificate(tx, first)
    assert (await client.get("/v1/notes", headers=written)).status_code == 401

    # Revoked, it may be registered once more.
    await register(sessions, expires_at=NOW - timedelta(days=1))
    assert (await client.get("/v1/notes", headers=written)).status_code == 401
    with pytest.raises(AlreadyRegistered):
        await register(sessions)


async def test_a_certificate_may_be_narrowed_to_scopes_and_is_held_to_its_roles(
    through: Any, sessions: Sessions
) -> None:
    await register(sessions, scopes=["notes:read"])
    client = await through()
    headers = {HEADER: quote(PEM), "Idempotency-Key": "a"}

    assert (await client.get("/v1/notes", headers=headers)).status_code == 200
    assert (await client.post("/v1/notes", json={"text": "a"}, headers=headers)).json()["scope"] == "notes:create"
    assert (await client.post("/v1/notes/read", headers=headers)).json()["code"] == "role_required"


async def test_an_operator_is_one_by_a_certificate_too(a_key: KeyFactory, sessions: Sessions) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    async with sessions.begin() as tx:
        assert await api_keys.operators(tx) == set()
        certificate = await register_certificate(
            tx, agency_code="dp3a-kukar", presented=Presented(KnownBy.SUBJECT, "CN=a"), roles=[Role.OPERATOR]
        )
        assert await api_keys.operators(tx) == {"dp3a-kukar"}
        await client_certificates.revoke(tx, certificate)
        assert await api_keys.operators(tx) == set()


async def test_a_token_that_is_bound_to_a_certificate_counts_with_that_one_alone(through: Any) -> None:
    thumbprint = base64.urlsafe_b64encode(bytes.fromhex(FINGERPRINT)).rstrip(b"=").decode()
    async with an_issuer() as issuer:
        bound = issuer.token(NOW, cnf={"x5t#S256": thumbprint})
        client = await through(tokens=tokens_of(issuer))
        stranger = await through(STRANGER, tokens=tokens_of(issuer))
        headers = {"Authorization": f"Bearer {bound}"}
        other = AUTHORITY.issue("other").certificate

        assert (await client.get("/v1/notes", headers={**headers, HEADER: quote(PEM)})).status_code == 200
        for refused in (
            await client.get("/v1/notes", headers=headers),
            await client.get("/v1/notes", headers={**headers, HEADER: quote(other)}),
            await stranger.get("/v1/notes", headers={**headers, HEADER: quote(PEM)}),
        ):
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].endswith('error_description="certificate"')


def test_what_is_no_certificate_or_not_valid_now_is_not_read() -> None:
    late = AUTHORITY.issue("late", ends_in=timedelta(days=-1)).certificate
    early = AUTHORITY.issue("early", begins_in=timedelta(days=1)).certificate
    bad = (
        "",
        ":",
        "::",
        ":%%%:",
        "abc",
        quote("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        "a" * 20_000,
    )

    for written in (*bad, quote(late), quote(early), ":" + IN_BASE64[:-8] + ":"):
        with pytest.raises(CertificateUnreadable):
            read_header(written, HeaderForm.CERTIFICATE, now=NOW)
    assert read_header(quote(PEM), HeaderForm.CERTIFICATE, now=NOW).value == FINGERPRINT
    assert read_pem(f"Bag Attributes\n{PEM}{late}")[0] == FINGERPRINT
    with pytest.raises(CertificateUnreadable):
        read_header(quote_plus("CN=a") + "\x00", HeaderForm.SUBJECT, now=NOW)
