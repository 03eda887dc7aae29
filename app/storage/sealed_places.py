"""Every place that is sealed by the key ring itself: what rotating goes through, and what is counted by key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Table, func

from app.storage import delivery_history, equipment, idempotency
from app.storage import proposals as waiting_proposals
from app.storage.sealing import KeyRing
from app.storage.tables import (
    attempts,
    data_keys,
    endpoint_equipment,
    endpoint_secrets,
    former_addresses,
    idempotency_records,
    proposals,
)

Rewrap: TypeAlias = Callable[[KeyRing, Row[Any]], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """A column that the ring seals."""

    table: Table
    column: str
    key_id: ColumnElement[str]
    """The id of the key that a row is sealed under; null where nothing is sealed in it."""
    rewrap: Rewrap
    """Give the columns of a row anew, sealed under the active key; SealBroken where they do not open."""

    @property
    def name(self) -> str:
        """Name the place."""
        return f"{self.table.name}.{self.column}"


def key_id_in(sealed: ColumnElement[bytes]) -> ColumnElement[str]:
    """Give the id of the key that a value was sealed under, as `sealing.sealed_under` does: no bytes make it fail."""
    there = func.nullif(sealed, b"")
    return func.encode(func.substr(there, 2, func.get_byte(there, 0)), "escape")


def _place(table: Table, column: str, purpose: str, subject: Callable[[Any], equipment.Subject]) -> SealedPlace:
    def rewrap(ring: KeyRing, row: Row[Any]) -> Mapping[str, object]:
        now, before = subject(row)
        plain = ring.open(purpose, now, row._mapping[column], formerly=before)
        return {column: ring.seal(purpose, now, plain)}

    return SealedPlace(table, column, key_id_in(table.c[column]), rewrap)


def _rewrapped_data_key(ring: KeyRing, row: Row[Any]) -> Mapping[str, object]:
    key = ring.rewrap(row.referral_id, row.ring_key_id, row.wrapped)
    return {"ring_key_id": key.ring_key_id, "wrapped": key.wrapped}


SEALED_PLACES: tuple[SealedPlace, ...] = (
    SealedPlace(data_keys, "wrapped", data_keys.c.ring_key_id, _rewrapped_data_key),
    _place(endpoint_secrets, "sealed", equipment.SECRET, lambda row: equipment.of_secret(row.endpoint_id, row.id)),
    _place(endpoint_equipment, "headers", equipment.HEADERS, lambda row: (str(row.endpoint_id), None)),
    _place(endpoint_equipment, "tls", equipment.TLS, lambda row: (str(row.endpoint_id), None)),
    _place(
        former_addresses,
        "sealed",
        equipment.FORMER,
        lambda row: (equipment.of_former(row.endpoint_id, row.event_id), None),
    ),
    _place(
        idempotency_records,
        "answer",
        idempotency.PURPOSE,
        lambda row: (idempotency.subject_of(row.agency_code, row.key_hash), None),
    ),
    _place(
        attempts,
        "answer",
        delivery_history.ANSWER,
        lambda row: delivery_history.of_answer(row.delivery_id, row.number),
    ),
    _place(proposals, "sealed", waiting_proposals.SEALED, lambda row: (str(row.id), None)),
)
"""All of them. What lies under a referral's data key is not here: rewrapping the data key is enough."""
