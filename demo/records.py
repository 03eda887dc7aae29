"""The receivers' own records against the database, id by id."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import select

from app.domain.events import EventType
from app.service import Service
from app.storage.deliveries import SUPERSEDED
from app.storage.tables import endpoints, events, every_delivery
from demo.receivers import Receivers, Verified

News: TypeAlias = tuple[str, Mapping[str, Any]]
"""The type and the data of an event."""


async def of_records(service: Service, receivers: Receivers) -> tuple[int, list[str]]:
    """Count the webhooks that the receivers verified, and say how their records differ from the events told to them."""
    told = await _told(service)
    count, differences = 0, []
    for agency in receivers.agencies:
        verified = receivers.verified(agency)
        count += len(verified)
        differences += [f"{agency}: {what}" for what in _compared(told.get(agency, {}), verified)]
    return count, differences


async def _told(service: Service) -> dict[str, dict[str, News]]:
    """Give the events of every agency with an endpoint; news of an offer that was no longer open is not sent."""
    superseded = select(every_delivery.c.event_id).where(every_delivery.c.state == SUPERSEDED)
    wanted = select(events.c.id, events.c.agency_code, events.c.type, events.c.data).where(
        events.c.agency_code.in_(select(endpoints.c.agency_code)),
        events.c.id.not_in(superseded),
        # A challenge holds more at the receiver than here, which is what it proves by.
        events.c.type != EventType.ENDPOINT_VERIFICATION.value,
    )
    told: dict[str, dict[str, News]] = {}
    async with service.sessions.begin() as tx:
        for row in await tx.execute(wanted):
            told.setdefault(row.agency_code, {})[str(row.id)] = (row.type, row.data)
    return told


def _compared(told: Mapping[str, News], verified: Sequence[Verified]) -> Iterator[str]:
    recorded: dict[str, News] = {one.id: (one.type, one.data) for one in verified}
    for id_, (type_, _) in told.items():
        if id_ not in recorded:
            yield f"the event {id_} ({type_}) is missing in the receiver's record"
        elif recorded[id_] != told[id_]:
            yield f"the event {id_} ({type_}) did not arrive as the database has it"
    for id_, (type_, _) in recorded.items():
        if id_ not in told:
            yield f"the receiver recorded {id_} ({type_}), which was not told to it"
    for id_, times in Counter(one.id for one in verified).items():
        if times > 1:
            yield f"the receiver recorded {id_} {times} times"
