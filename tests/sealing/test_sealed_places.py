"""What is sealed opens where it was sealed, and nowhere else."""

import base64
import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, select, update
from uuid_utils.compat import uuid7

from app.storage import delivery_history, equipment, personal_data
from app.storage.key_sources import EnvironmentKeys, FileKeys, KeySource
from app.storage.ring_keys import HeldKeys, KeyRingInvalid, RingKeys
from app.storage.sealed_places import SEALED_PLACES, SealedPlace
from app.storage.sealing import KeyRing, SealBroken, sealed_under
from app.storage.tables import endpoint_secrets, metadata, sealed_fields
from tests.sealing.filled import fill, opened
from tests.workflows.conftest import Service, service

__all__ = ["service"]

NOT_BY_THE_RING = {
    "sealed_fields.sealed",  # by the referral's data key
    "api_keys.hash",
    "identity_hashes.hash",
    "console_links.hash",
    "console_sessions.hash",
    "console_sign_ins.hash",
    "idempotency_records.key_hash",
    "idempotency_records.request_hash",
    "referrals.sender_reference_hash",
    "ring_keys.check_value",
    "audit_segments.root",
    "audit_segments.head",
    "audit_segments.signature",
    "audit_drops.signature",
}
"""Bytes that the ring does not seal."""


class Moved:
    """A row as it would be if another's bytes lay in it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._mapping = values

    def __getattr__(self, name: str) -> Any:
        return self._mapping[name]


def test_every_column_of_bytes_is_rotated_or_known_not_to_be_sealed_by_the_ring() -> None:
    bytes_ = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }

    assert bytes_ == {place.name for place in SEALED_PLACES} | NOT_BY_THE_RING
    assert not {place.name for place in SEALED_PLACES} & NOT_BY_THE_RING


async def test_whatever_is_sealed_opens_in_its_own_row_and_column_alone(service: Service) -> None:
    await fill(service)
    everything: list[tuple[SealedPlace, dict[str, Any]]] = []
    async with service.sessions() as session:
        for place in SEALED_PLACES:
            wanted = select(place.table).where(place.key_id.is_not(None))
            rows = [dict(row._mapping) for row in await session.execute(wanted)]
            assert len(rows) >= 2, f"nothing to try {place.name} with"
            everything += [(place, row) for row in rows]

    opens = 0
    for (place, row), (other, donor) in product(everything, everything):
        given = Moved(row | {place.column: donor[other.column]})
        if place is other and row is donor:
            place.rewrap(service.key_ring, given)  # type: ignore[arg-type]
            opens += 1
            continue
        with pytest.raises(SealBroken):
            place.rewrap(service.key_ring, given)  # type: ignore[arg-type]

    assert opens == len(everything)


async def test_a_personal_field_opens_for_its_own_referral_and_name_alone(service: Service) -> None:
    await fill(service)
    async with service.sessions() as session:
        rows = (await session.execute(select(sealed_fields))).all()
        found = await opened(service.sessions, service.key_ring)
    first, second = {row.referral_id for row in rows}
    assert found["referral", first]["narrative"] != found["referral", second]["narrative"]

    for kept, donor in product(rows, rows):
        if kept is donor:
            continue
        async with service.sessions() as session:
            place = (sealed_fields.c.referral_id == kept.referral_id) & (sealed_fields.c.field == kept.field)
            await session.execute(update(sealed_fields).where(place).values(sealed=donor.sealed))
            with pytest.raises(SealBroken):
                await personal_data.unseal(session, service.key_ring, kept.referral_id, [kept.field])
            await session.rollback()


async def test_two_secrets_of_one_endpoint_cannot_be_exchanged(service: Service) -> None:
    await fill(service)
    async with service.sessions.begin() as session:
        wanted = select(endpoint_secrets).order_by(endpoint_secrets.c.endpoint_id, endpoint_secrets.c.id).limit(2)
        one, other = (await session.execute(wanted)).all()
        for into, of in ((one, other), (other, one)):
            change = update(endpoint_secrets).where(endpoint_secrets.c.id == into.id)
            await session.execute(change.values(sealed=of.sealed))

    async with service.sessions() as session:
        with pytest.raises(SealBroken):
            await equipment.opened(session, service.key_ring, one.endpoint_id)


def test_what_versions_before_sealed_for_less_still_opens(key_ring: KeyRing) -> None:
    delivery_id = uuid7()
    secret, before = equipment.of_secret(delivery_id, uuid7())
    assert before is not None

    answer = key_ring.seal(delivery_history.ANSWER, str(delivery_id), b"said")

    assert delivery_history.open_answer(key_ring, delivery_id, 3, answer) == "said"
    old = key_ring.seal(equipment.SECRET, before, b"whsec_x")
    assert key_ring.open(equipment.SECRET, secret, old, formerly=before) == b"whsec_x"


@pytest.mark.parametrize("sealed", [b"", b"\x00", b"\x05abc", b"\xff", b"\x03abc", b"\x06test-1", b"\x06test-1\x01xx"])
def test_bytes_that_are_no_seal_do_not_open_and_break_nothing_else(key_ring: KeyRing, sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        key_ring.open("purpose", "subject", sealed)


def test_a_sealed_value_says_which_key_it_was_sealed_under_and_no_more(key_ring: KeyRing) -> None:
    sealed = key_ring.seal("purpose", "subject", b"Siti Aminah")

    assert sealed_under(sealed) == "test-1"
    assert b"Siti" not in sealed
    assert "Siti" not in repr(key_ring)
    assert repr(key_ring) == "KeyRing()"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"active": "none"}, "not among its keys"),
        ({"keys": {"a": base64.b64encode(bytes(31)).decode()}, "active": "a"}, "32 bytes"),
        ({"keys": {"": base64.b64encode(bytes(32)).decode()}, "active": ""}, "1 to 64 letters"),
        ({"keys": {"a b": base64.b64encode(bytes(32)).decode()}, "active": "a b"}, "1 to 64 letters"),
        ({"keys": {"a": "no base64!"}, "active": "a"}, "not JSON"),
        ({"hash_key": None}, "not JSON"),
    ],
)
def test_a_ring_that_cannot_be_used_says_why_and_shows_no_key(
    tmp_path: Path, changes: Mapping[str, Any], words: str
) -> None:
    KeyRing.generate("a").write(tmp_path / "ring.json")
    body = json.loads((tmp_path / "ring.json").read_text()) | changes

    with pytest.raises(KeyRingInvalid, match=words) as refused:
        KeyRing.parse(json.dumps(body))

    assert body["hash_key"] is None or body["hash_key"] not in str(refused.value)


class Kms:
    """A key management service: it alone has the key that a ring's file is wrapped by, and is slow to answer."""

    def __init__(self) -> None:
        self._ring = KeyRing.generate("master")
        self.asked = 0

    def keep(self, ring: str) -> bytes:
        return self._ring.seal("ring", "lintas", ring.encode())

    async def unwrap(self, wrapped: bytes) -> str:
        self.asked += 1
        return self._ring.open("ring", "lintas", wrapped).decode()


class KmsKeys:
    """What stands between such a service and Lintas, and all that has to be written for it."""

    def __init__(self, kms: Kms, wrapped: bytes) -> None:
        self._kms, self._wrapped = kms, wrapped

    async def fetch(self) -> RingKeys:
        return HeldKeys.parse(await self._kms.unwrap(self._wrapped))


async def test_keys_come_from_a_file_the_environment_or_a_service_that_keeps_them(
    key_ring: KeyRing, tmp_path: Path
) -> None:
    key_ring.write(tmp_path / "ring.json")
    text = (tmp_path / "ring.json").read_text()
    kms = Kms()
    sources: list[KeySource] = [FileKeys(tmp_path / "ring.json"), EnvironmentKeys(text), KmsKeys(kms, kms.keep(text))]
    sealed, key = key_ring.seal("purpose", "subject", b"plain"), key_ring.new_data_key(UUID(int=1))

    for source in sources:
        ring = KeyRing(await source.fetch())
        assert ring.open("purpose", "subject", sealed) == b"plain"
        assert ring.unwrap(UUID(int=1), key.ring_key_id, key.wrapped) == key
        assert ring.hash("purpose", b"x") == key_ring.hash("purpose", b"x")
        assert ring.signing_key("audit").public_key() == key_ring.signing_key("audit").public_key()
        assert ring.check_value("test-1") == key_ring.check_value("test-1")

    assert kms.asked == 1
    with pytest.raises(KeyRingInvalid, match="cannot be read"):
        await FileKeys(tmp_path / "nothing.json").fetch()
