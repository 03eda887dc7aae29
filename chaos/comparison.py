"""The receivers' own records, the senders' and agencies' journals, and the database: compared id by id."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.events import EventType
from app.domain.webhook import body_of
from app.storage.deliveries import DELIVERED, FAILED, SUPERSEDED
from app.storage.tables import endpoints, events, every_delivery, handoffs, referrals

TAKEN = frozenset({"taken", "slow"})
OFFERS = frozenset({EventType.HANDOFF_OFFERED.value, EventType.HANDOFF_REMINDER.value})
AFTER = {
    "accept": frozenset({"accepted", "in_progress", "completed"}),
    "decline": frozenset({"declined"}),
    "start": frozenset({"in_progress", "completed"}),
    "complete": frozenset({"completed"}),
}
"""The states in which a handoff may be found after an action was answered 2xx."""


@dataclass(frozen=True, slots=True)
class Written:
    """What everybody outside Lintas wrote down."""

    records: Sequence[Mapping[str, Any]]
    journal: Sequence[Mapping[str, Any]]
    acts: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, records: Sequence[Path], journal: Path, acts: Sequence[Path]) -> "Written":
        """Read the files."""
        return cls(
            [line for file in records for line in _lines(file)],
            list(_lines(journal)),
            [line for file in acts for line in _lines(file)],
        )

    def without_one(self) -> "Written":
        """Lose one webhook, in every attempt, as if its receiver had never had it."""
        lost = next(line["id"] for line in self.records if line["does"] in TAKEN)
        return Written([line for line in self.records if line["id"] != lost], self.journal, self.acts)


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a run."""

    referrals: int
    events: int
    deliveries: int
    delivered: int
    superseded: int
    failed: int
    received: int
    """Webhooks by id and endpoint that receivers took, by their own records: as many as were delivered."""
    overtaken: int
    """Offers that a receiver took without being able to say so, and that were closed before they were sent again."""
    posts: int
    """All posts that receivers recorded, those they did not answer included."""
    twice: int
    """Webhooks that were taken more than once, which is allowed."""


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        for line in file.read_text("utf-8").splitlines():
            yield json.loads(line)


class Comparison:
    """Everything that both sides have, and how it differs."""

    def __init__(self, written: Written, rows: Mapping[str, Sequence[Row[Any]]], poisoned: frozenset[str]) -> None:
        self._written = written
        self._events = rows["events"]
        self._endpoints = rows["endpoints"]
        self._deliveries = {(row.event_id, row.endpoint_id): row for row in rows["deliveries"]}
        self._referrals = rows["referrals"]
        self._handoffs = {str(row.id): row for row in rows["handoffs"]}
        self._poisoned = poisoned
        self._by_path: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for line in written.records:
            self._by_path[line["path"]][line["id"]].append(line)

    @classmethod
    async def of(cls, engine: AsyncEngine, written: Written, poisoned: frozenset[str]) -> "Comparison":
        """Read the database's side; `poisoned` are the ids of the events that nobody can be told of.

        Challenges are no news, and no receiver keeps them.
        """
        challenges = select(events.c.id).where(events.c.type == EventType.ENDPOINT_VERIFICATION.value)
        wanted = {table.name: select(table) for table in (endpoints, referrals, handoffs)} | {
            "events": select(events).where(events.c.id.not_in(challenges)),
            "deliveries": select(every_delivery).where(every_delivery.c.event_id.not_in(challenges)),
        }
        async with engine.begin() as connection:
            rows = {name: (await connection.execute(one)).all() for name, one in wanted.items()}
        return cls(written, rows, poisoned)

    def counted(self) -> Counted:
        """Count both sides."""
        states = [row.state for row in self._deliveries.values()]
        paths = {endpoint.id: urlsplit(endpoint.url).path for endpoint in self._endpoints}
        overtaken = sum(
            row.state == SUPERSEDED and _was_taken(self._by_path[paths[row.endpoint_id]].get(str(row.event_id), ()))
            for row in self._deliveries.values()
        )
        taken = [
            sum(line["does"] in TAKEN for line in lines) for ids in self._by_path.values() for lines in ids.values()
        ]
        return Counted(
            referrals=len(self._referrals),
            events=len(self._events),
            deliveries=len(states),
            delivered=states.count(DELIVERED),
            superseded=states.count(SUPERSEDED),
            failed=states.count(FAILED),
            received=sum(times > 0 for times in taken) - overtaken,
            overtaken=overtaken,
            posts=len(self._written.records),
            twice=sum(times > 1 for times in taken),
        )

    def differences(self) -> Iterator[str]:
        """Name everything that differs, by its id."""
        yield from self._of_referrals()
        yield from self._of_events()
        yield from self._of_records()
        yield from self._of_acts()

    def _of_referrals(self) -> Iterator[str]:
        kept = {str(row.id) for row in self._referrals}
        answered = [line["id"] for line in self._written.journal if line["status"] == 201]
        for line in self._written.journal:
            if line["status"] != 201:
                yield f"the referral {line['reference']} was answered with {line['status']}"
            elif line["id"] not in kept:
                yield f"the referral {line['id']} was answered 201 and is not in the database"
        for id_ in sorted(kept - set(answered)):
            yield f"the referral {id_} is in the database and was answered to nobody"
        if len(answered) != len(set(answered)):
            yield "two referrals were answered with the same id"

    def _of_events(self) -> Iterator[str]:
        """Every event, for every endpoint of its agency, has a delivery, and its receiver has it."""
        for endpoint in self._endpoints:
            recorded = self._by_path.get(urlsplit(endpoint.url).path, {})
            for event in self._events:
                if not _is_for(event, endpoint):
                    continue
                row = self._deliveries.get((event.id, endpoint.id))
                taken = _was_taken(recorded.get(str(event.id), ()))
                if found := self._of_delivery(event, row, taken=taken):
                    yield f"the event {event.id} ({event.type}) for {endpoint.agency_code} {found}"

    def _of_delivery(self, event: Row[Any], row: Row[Any] | None, *, taken: bool) -> str | None:
        if row is None:
            return "has no delivery"
        if row.claim is not None:
            return f"is still leased, until {row.due_at}"
        if str(event.id) in self._poisoned:
            return None if row.state == FAILED else f"is poison, and is {row.state} after {row.attempts} attempts"
        if row.state == SUPERSEDED and event.type in OFFERS:
            return None
        if row.state != DELIVERED:
            return f"is left {row.state} after {row.attempts} attempts, due at {row.due_at}"
        return None if taken else "was delivered, says the database, and is missing in the receiver's record"

    def _of_records(self) -> Iterator[str]:
        """Every record is of an event that was to be told there, with its bytes, in every attempt."""
        bodies = {str(event.id): body_of(event.type, event.occurred_at, event.data).decode() for event in self._events}
        told = {
            (urlsplit(endpoint.url).path, str(event_id))
            for endpoint in self._endpoints
            for event_id, endpoint_id in self._deliveries
            if endpoint_id == endpoint.id
        }
        for path, ids in self._by_path.items():
            for id_, lines in ids.items():
                if (path, id_) not in told:
                    yield f"{path} recorded {id_}, which was not told to it"
                    continue
                for line in lines:
                    if line["does"].startswith("refused"):
                        yield f"{path} could not verify {id_}: {line['does']}"
                    elif not line["does"].startswith("killed") and line["body"] != bodies[id_]:
                        yield f"{path} received {id_} with other bytes than the event has"

    def _of_acts(self) -> Iterator[str]:
        for act in self._written.acts:
            expected = AFTER.get(act["action"])
            handoff = self._handoffs.get(act["path"].rpartition("/")[2])
            if expected is None:
                continue
            if handoff is None:
                yield f"{act['action']} of {act['path']} was answered 2xx, and there is no such handoff"
            elif handoff.state not in expected:
                yield f"{act['action']} of {act['path']} was answered 2xx, and the handoff is {handoff.state}"


def _was_taken(lines: Sequence[Mapping[str, Any]]) -> bool:
    return any(line["does"] in TAKEN for line in lines)


def _is_for(event: Row[Any], endpoint: Row[Any]) -> bool:
    if event.agency_code != endpoint.agency_code:
        return False
    named: bool = event.data.get("endpoint_id") == str(endpoint.id)
    if event.type == EventType.ENDPOINT_PING:
        return named
    return not (event.type in {EventType.ENDPOINT_FAILING, EventType.ENDPOINT_DISABLED} and named)
