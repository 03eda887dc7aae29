"""Client certificates and authorities of an endpoint's own, on receivers that ask for them."""

import asyncio
import ssl
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.delivery import preparing
from app.delivery.preparing import Prepared, Preparer
from app.delivery.tls import context_of
from app.domain.certificates import TlsGiven, TlsIdentity, read_tls
from app.domain.own_headers import OwnHeader
from app.domain.retry import Answer, Detail, Phase
from app.storage import equipment
from app.storage.claims import Claimed, claim_due
from app.storage.tables import endpoint_equipment
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import Wanted
from tests.delivery.certificates import Authority
from tests.delivery.posting import answer_of
from tests.delivery.receivers import Behaviour, a_doorkeeper, a_receiver
from tests.delivery.world import World, has_attempts, until

URL = "http://127.0.0.1:9009/hook"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """The authority of the receivers here."""
    return Authority()


def given_by(authority: Authority, name: str, *, ends_in: timedelta = timedelta(days=30)) -> TlsGiven:
    issued = authority.issue(name, usage=ExtendedKeyUsageOID.CLIENT_AUTH, ends_in=ends_in)
    return TlsGiven(issued.certificate, issued.key, authority.pem)


def noting(names: list[str]) -> Behaviour:
    """Note which client each request came from."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        certificate = request.transport.get_extra_info("peercert")
        names.append(dict(pair for part in certificate["subject"] for pair in part)["commonName"])
        return web.Response(status=204)

    return answer


def identity_of(given: TlsGiven, world: World) -> TlsIdentity:
    identity, faults = read_tls(given, now=world.clock())
    assert not faults
    return identity


async def a_claim(world: World) -> Claimed:
    await world.tell()
    async with world.sessions.begin() as tx:
        (claimed,) = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=1)
    await world.execute("UPDATE deliveries SET state = 'delivered'")
    return claimed


async def test_a_receiver_that_demands_a_client_certificate_is_shown_the_endpoints(
    world: World, authority: Authority
) -> None:
    seen: list[str] = []
    async with a_receiver(noting(seen), tls=authority.server(asks_for_client=True)) as receiver:
        await world.endpoint(receiver.url, carried=Carried(tls=given_by(authority, "lintas-client")))
        await world.tell(times=3)
        async with world.delivering():
            await until(lambda: len(receiver.received) == 3)

    assert seen == ["lintas-client"] * 3
    (kept,) = await world.rows_of(endpoint_equipment)
    assert kept.client_certificate["subject"] == "CN=lintas-client"
    assert b"PRIVATE KEY" not in kept.tls


async def test_who_shows_no_client_certificate_is_told_that_it_is_refused_for_that(
    world: World, authority: Authority
) -> None:
    async with a_doorkeeper(authority.server(asks_for_client=True)) as receiver:
        await world.endpoint(receiver.url, carried=Carried(tls=TlsGiven(ca=authority.pem)))
        await world.tell()
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert await world.attempts() == [(1, "tls", None)]
    assert await world.details() == [Detail.CERTIFICATE_ASKED_FOR]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (ssl.TLSVersion.TLSv1_3, ("answer", Detail.CLOSED_AFTER_HANDSHAKE)),
        (ssl.TLSVersion.TLSv1_2, ("tls", Detail.HANDSHAKE)),
    ],
)
async def test_a_server_that_refuses_by_closing_is_said_to_have_closed_right_after_tls(
    world: World, authority: Authority, version: ssl.TLSVersion, said: tuple[str, Detail]
) -> None:
    context = authority.server(asks_for_client=True)
    context.maximum_version = version
    async with a_receiver(tls=context) as receiver:
        await world.endpoint(receiver.url, carried=Carried(tls=TlsGiven(ca=authority.pem)))
        await world.tell()
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert await world.attempts() == [(1, said[0], None)]
    assert await world.details() == [said[1]]


async def test_a_client_certificate_of_another_authority_is_refused(world: World, authority: Authority) -> None:
    stranger = Authority("strangers").issue("stranger", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    tls = TlsGiven(stranger.certificate, stranger.key, authority.pem)
    async with a_doorkeeper(authority.server(asks_for_client=True)) as receiver:
        await world.endpoint(receiver.url, carried=Carried(tls=tls))
        await world.tell()
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert await world.attempts() == [(1, "tls", None)]
    assert await world.details() == [Detail.CERTIFICATE_ASKED_FOR]


async def test_connections_are_never_shared_between_identities(world: World, authority: Authority) -> None:
    seen: list[str] = []
    async with a_receiver(noting(seen), tls=authority.server(asks_for_client=True)) as receiver:
        for name in ("first", "second"):
            tls = Carried((OwnHeader("X-Name", name),), given_by(authority, name))
            await world.endpoint(receiver.url, max_in_flight=1, carried=tls)
        async with world.delivering():
            for made in range(1, 6):
                await world.tell()
                await until(lambda made=made: len(receiver.received) == 2 * made)  # type: ignore[misc]

    assert seen == [webhook.headers["x-name"] for webhook in receiver.received]
    assert sorted(seen) == ["first"] * 5 + ["second"] * 5


async def test_with_an_own_ca_no_other_is_trusted_and_it_is_trusted_for_its_endpoint_alone(
    world: World, authority: Authority
) -> None:
    others = Authority("others")
    mine, theirs = (context_of(identity_of(TlsGiven(ca=one.pem), world)) for one in (authority, others))
    async with a_receiver(tls=authority.server()) as receiver:
        with_own = await answer_of(receiver.url, tls=mine)
        with_anothers = await answer_of(receiver.url, tls=theirs)
        with_none = await answer_of(receiver.url)

    assert mine.cert_store_stats()["x509"] == 1, "the public authorities count no more"
    assert (with_own, with_anothers, with_none) == (
        Answer(204),
        Answer(failed=Phase.TLS, detail=Detail.UNKNOWN_ISSUER),
        Answer(failed=Phase.TLS, detail=Detail.UNKNOWN_ISSUER),
    )


async def test_an_expired_client_certificate_is_said_plainly_and_nothing_is_posted(
    world: World, authority: Authority
) -> None:
    async with a_receiver(tls=authority.server(asks_for_client=True)) as receiver:
        tls = given_by(authority, "ends soon", ends_in=timedelta(days=1))
        await world.endpoint(receiver.url, carried=Carried(tls=tls))
        await world.tell()
        world.clock.ahead = timedelta(days=1, minutes=1)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert await world.attempts() == [(1, "tls", None)]
    assert await world.details() == [Detail.CLIENT_CERTIFICATE_EXPIRED]
    assert not receiver.received
    assert (await world.the_endpoint()).failing_since is not None


async def test_an_identity_that_cannot_be_used_counts_against_the_endpoint_and_is_said(
    world: World, authority: Authority
) -> None:
    one, other = (given_by(authority, name) for name in ("one", "other"))
    endpoint_id, _ = await world.endpoint(URL, carried=Carried(tls=one))
    async with world.sessions.begin() as tx:
        await equipment.put_tls(
            tx, world.key_ring, endpoint_id, replace(identity_of(one, world), key_pem=identity_of(other, world).key_pem)
        )
    await world.tell()
    async with world.delivering():
        await until(lambda: has_attempts(world, 1))

    assert await world.attempts() == [(1, "tls", None)]
    assert await world.details() == [Detail.OWN_TLS_UNUSABLE]
    assert (await world.the_endpoint()).failing_since is not None


async def test_an_identity_is_read_once_for_each_version_however_many_posts_need_it(
    world: World, authority: Authority
) -> None:
    endpoint_id, _ = await world.endpoint(URL, carried=Carried(tls=given_by(authority, "one")))
    preparer = Preparer(world.sessions, world.key_ring)
    claimed = await a_claim(world)

    made = await asyncio.gather(*(preparer.prepare(claimed, now=world.clock()) for _ in range(20)))
    await world.change(endpoint_id, Wanted(URL, None, 2))
    later = await preparer.prepare(await a_claim(world), now=world.clock())

    contexts = {id(one.tls) for one in made if isinstance(one, Prepared)}
    assert len(contexts) == 1
    assert isinstance(made[0], Prepared)
    assert isinstance(made[0].tls, ssl.SSLContext)
    assert isinstance(later, Prepared)
    assert id(later.tls) not in contexts


async def test_no_more_identities_are_kept_than_there_is_room_for(
    world: World, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "MOST_CONTEXTS", 2)
    monkeypatch.setattr(preparing, "MOST_KEPT", 2)
    preparer = Preparer(world.sessions, world.key_ring)
    claims = []
    for number in range(4):
        await world.endpoint(
            URL, agency=f"agency-{number}", carried=Carried(tls=given_by(authority, f"client {number}"))
        )
        await world.tell(agency=f"agency-{number}")
    async with world.sessions.begin() as tx:
        claims = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=10)

    for claimed in (*claims, *claims):
        assert isinstance(await preparer.prepare(claimed, now=world.clock()), Prepared)

    assert (len(preparer._kept), len(preparer._contexts)) == (2, 2)
