"""Secrets change without a gap: old and new sign side by side until the old one's end."""

import asyncio
import base64
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from app.domain.errors import InvalidInput, NotFound, TooManySecrets
from app.domain.webhook import Scheme
from app.storage import equipment
from app.storage.tables import endpoint_secrets
from app.workflows import equip_endpoint
from tests.delivery.receivers import Received, a_receiver
from tests.delivery.world import AGENCY, OTHER, World, until

URL = "http://127.0.0.1:9009/hook"


async def rotate(
    world: World,
    endpoint_id: UUID,
    *,
    scheme: Scheme | None = None,
    old_valid_for: timedelta = timedelta(hours=24),
    agency: str = AGENCY,
) -> str:
    async with world.sessions.begin() as tx:
        _, verified_by = await equip_endpoint.rotate_secret(
            tx,
            world.caller(agency),
            endpoint_id,
            key_ring=world.key_ring,
            now=world.clock(),
            scheme=scheme,
            old_valid_for=old_valid_for,
        )
    return verified_by


async def signing(world: World, endpoint_id: UUID) -> list[str]:
    async with world.sessions.begin() as tx:
        return (await equipment.opened(tx, world.key_ring, endpoint_id)).signing(world.clock())


def verifies(verified_by: str, webhook: Received) -> bool:
    """Verify as a receiver does: by its secret, or by the public key alone."""
    if verified_by.startswith("whsec_"):
        try:
            Webhook(verified_by).verify(webhook.body, webhook.headers)
        except WebhookVerificationError:
            return False
        return True
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(verified_by.removeprefix("whpk_")))
    content = f"{webhook.id}.{webhook.headers['webhook-timestamp']}.".encode() + webhook.body
    for one in webhook.headers["webhook-signature"].split():
        version, _, signature = one.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(signature), content)
            except InvalidSignature:
                continue
            return True
    return False


def versions(webhook: Received) -> list[str]:
    return [one.partition(",")[0] for one in webhook.headers["webhook-signature"].split()]


async def test_old_and_new_both_sign_until_the_old_ones_end_by_real_time(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, old = await world.endpoint(receiver.url)
        async with world.delivering():
            await world.tell()
            await until(lambda: len(receiver.received) == 1)
            # The worker runs on, and has the old secret open.
            new = await rotate(world, endpoint_id)
            await world.tell()
            await until(lambda: len(receiver.received) == 2)
            await world.execute(
                "UPDATE endpoint_secrets SET ends_at = now() - interval '1 second' WHERE ends_at > now()"
            )
            await world.execute("UPDATE endpoints SET version = version + 1")
            await world.tell()
            await until(lambda: len(receiver.received) == 3)

    before, between, after = receiver.received
    assert [verifies(secret, before) for secret in (old, new)] == [True, False]
    assert [verifies(secret, between) for secret in (old, new)] == [True, True]
    assert [verifies(secret, after) for secret in (old, new)] == [False, True]


async def test_a_worker_that_has_the_secrets_open_ends_the_old_one_by_the_clock(world: World) -> None:
    endpoint_id, old = await world.endpoint(URL)
    new = await rotate(world, endpoint_id, old_valid_for=timedelta(hours=1))
    async with world.sessions.begin() as tx:
        carried = await equipment.opened(tx, world.key_ring, endpoint_id)

    assert carried.signing(world.clock()) == [new, old]
    assert carried.signing(world.clock() + timedelta(minutes=59)) == [new, old]
    assert carried.signing(world.clock() + timedelta(minutes=61)) == [new]


async def test_rotating_twice_keeps_the_order_and_no_end_is_put_off(world: World) -> None:
    endpoint_id, first = await world.endpoint(URL)
    second = await rotate(world, endpoint_id, old_valid_for=timedelta(hours=1))
    third = await rotate(world, endpoint_id, old_valid_for=timedelta(days=7))

    assert await signing(world, endpoint_id) == [third, second, first]
    with pytest.raises(TooManySecrets):
        await rotate(world, endpoint_id)
    assert await signing(world, endpoint_id) == [third, second, first], "a refusal changes nothing"
    world.clock.ahead = timedelta(hours=2)
    assert await signing(world, endpoint_id) == [third, second]


async def test_a_rotation_can_end_all_older_secrets_at_once(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    for _ in range(2):
        await rotate(world, endpoint_id)

    new = await rotate(world, endpoint_id, old_valid_for=timedelta(0))

    assert await signing(world, endpoint_id) == [new]
    assert len(await world.rows(endpoint_secrets)) == 1, "what has ended is not kept"


@pytest.mark.parametrize("length", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
async def test_an_old_secret_lives_for_seven_days_at_most(world: World, length: timedelta) -> None:
    endpoint_id, secret = await world.endpoint(URL)

    with pytest.raises(InvalidInput) as raised:
        await rotate(world, endpoint_id, old_valid_for=length)

    assert [fault.pointer for fault in raised.value.faults] == ["/old_valid_for"]
    assert await signing(world, endpoint_id) == [secret]


async def test_who_rotates_at_the_same_time_gets_a_secret_that_signs_or_a_refusal(world: World) -> None:
    endpoint_id, first = await world.endpoint(URL)

    made = await asyncio.gather(*(rotate(world, endpoint_id) for _ in range(6)), return_exceptions=True)

    given = [one for one in made if isinstance(one, str)]
    refused = [one for one in made if isinstance(one, TooManySecrets)]
    assert (len(given), len(refused)) == (2, 4)
    assert set(await signing(world, endpoint_id)) == {first, *given}
    assert len([row for row in await world.rows(endpoint_secrets) if row.ends_at is None]) == 1


async def test_both_schemes_sign_side_by_side_while_one_follows_the_other(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, secret = await world.endpoint(receiver.url)
        public_key = await rotate(world, endpoint_id, scheme=Scheme.ED25519)
        await world.tell()
        async with world.delivering():
            await until(lambda: len(receiver.received) == 1)

    (webhook,) = receiver.received
    assert public_key.startswith("whpk_")
    assert versions(webhook) == ["v1a", "v1"]
    assert verifies(public_key, webhook)
    assert verifies(secret, webhook)


async def test_an_ed25519_key_never_leaves_the_service_and_is_its_endpoints_own(world: World) -> None:
    async with a_receiver() as receiver:
        _, one = await world.endpoint(receiver.url, scheme=Scheme.ED25519)
        _, other = await world.endpoint(URL, agency=OTHER, scheme=Scheme.ED25519)
        await world.tell()
        async with world.delivering():
            await until(lambda: len(receiver.received) == 1)

    (webhook,) = receiver.received
    assert versions(webhook) == ["v1a"]
    assert (verifies(one, webhook), verifies(other, webhook)) == (True, False)
    assert [row.public_key for row in await world.rows(endpoint_secrets)] == [one, other]
    assert not any(b"whsk_" in row.sealed for row in await world.rows(endpoint_secrets))


async def test_a_scheme_stays_unless_another_is_asked_for(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, scheme=Scheme.ED25519)

    assert (await rotate(world, endpoint_id)).startswith("whpk_")
    assert (await rotate(world, endpoint_id, scheme=Scheme.HMAC_SHA256)).startswith("whsec_")
    assert (await rotate(world, endpoint_id, old_valid_for=timedelta(0))).startswith("whsec_")


async def test_nobody_rotates_anothers_secret(world: World) -> None:
    endpoint_id, secret = await world.endpoint(URL)

    with pytest.raises(NotFound):
        await rotate(world, endpoint_id, agency=OTHER)

    assert await signing(world, endpoint_id) == [secret]
