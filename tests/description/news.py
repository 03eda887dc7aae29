"""News of every type, made by what it tells of, and posted by the real dispatcher to receivers that keep it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from app.api import examples
from app.api.description import webhooks
from app.domain.caller import Role
from app.domain.events import EventType
from app.storage import api_keys, ways
from app.workflows.notice_failing import notice_failing
from app.workflows.notice_unreached import notice_unreached
from app.workflows.watch_keys import watch_keys
from tests.delivery.receivers import Received, Receiver, a_receiver, answering
from tests.delivery.world import RealClock, World
from tests.description.journeys import a_case, coordinating, keeping_keys, keeping_rights
from tests.description.journeys import answering as answer_handoffs
from tests.description.walking import Walk
from tests.workflows.conftest import KALTIM, KUKAR, NATIONAL, PPU, RECEIVER, Service

AGENCIES = (PPU, KUKAR, RECEIVER, KALTIM, NATIONAL)
WITHIN = 60.0
"""Seconds after which what has not come is not coming."""


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    return webhooks.schemas()


def schema_of(type_: str) -> dict[str, Any]:
    """Give the schema of a type's body as the description has it."""
    name = type_.replace(".", "_").title().replace("_", "") + "Webhook"
    return {**_schemas()[name], "components": {"schemas": _schemas()}}


@dataclass(frozen=True, slots=True)
class Posted:
    """What receivers were posted."""

    receivers: Mapping[str, Receiver]

    def all(self) -> list[Received]:
        """Give all of it, in the order in which it was told."""
        return sorted((one for receiver in self.receivers.values() for one in receiver.received), key=lambda it: it.id)

    def first(self, type_: str) -> Received | None:
        """Give the first of a type."""
        return next((one for one in self.all() if json.loads(one.body)["type"] == type_), None)

    async def wait_for(self, *types: EventType) -> None:
        """Wait until something of each of these types has come."""
        await until(lambda: not self.missing(types), "news")

    def missing(self, types: Iterable[EventType] = EventType) -> set[EventType]:
        """Say which types have not come yet."""
        return {*types} - {EventType(json.loads(one.body)["type"]) for one in self.all()}


async def until(holds: Callable[[], Any], what: object) -> Any:
    """Wait for a condition, and give what it holds."""
    deadline = monotonic() + WITHIN
    while not (found := holds()):
        assert monotonic() < deadline, f"in vain for {what}"
        await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[Posted]:
    """Have each agency's news posted to a receiver of its own while the block runs."""
    world = World(service.sessions, service.key_ring, RealClock())
    async with AsyncExitStack() as stack:
        posted = Posted({agency: await stack.enter_async_context(a_receiver()) for agency in AGENCIES})
        await stack.enter_async_context(world.delivering())
        for agency, receiver in posted.receivers.items():
            await prove(service, agency, receiver)
        yield posted


async def prove(service: Service, agency: str, receiver: Receiver) -> str:
    """Register an endpoint, and give back the challenge that is posted to it; give its id."""
    made = await service.call(agency, "POST", "/endpoints", json={"url": receiver.url})
    assert made.status_code == 201, made.text
    endpoint_id = str(made.json()["id"])
    first = await until(lambda: receiver.received and receiver.received[0], "the challenge")
    challenge = json.loads(first.body)["data"]["challenge"]
    proven = await service.call(agency, "POST", f"/endpoints/{endpoint_id}/verify", json={"challenge": challenge})
    assert proven.status_code == 200, proven.text
    return endpoint_id


async def tell_everything(service: Service, posted: Posted) -> None:
    """Do, or let happen, what news of each type is told of."""
    walk = Walk(service)
    for journey in (answer_handoffs, coordinating, keeping_rights, keeping_keys, cancelling, proposing):
        await journey(walk)
    await keeping_endpoints(service, posted)
    await losing_the_last_way(service)
    await letting_keys_expire(service)
    await letting_time_pass(walk, posted)


async def cancelling(walk: Walk) -> None:
    """A sender takes a case back."""
    await walk(PPU, "cancel_referral", referral_id=(await a_case(walk))[0])


async def proposing(walk: Walk) -> None:
    """An operator proposes to make a draft law, and thinks better of it."""
    draft: dict[str, Any] = {"id": examples.DRAFT["id"], "version": 1}
    await walk(NATIONAL, "put_agreement_draft", **draft)
    made = await walk(NATIONAL, "publish_agreement_version", status=202, **draft)
    await walk(NATIONAL, "withdraw_proposal", proposal_id=made["id"])


async def keeping_endpoints(service: Service, posted: Posted) -> None:
    """An agency has an endpoint that is pinged and moves, and another that fails for minutes and is gone."""
    async with a_receiver() as old, a_receiver(answering(204, 410)) as new:
        endpoint_id = await prove(service, KUKAR, old)
        await service.call(KUKAR, "POST", f"/endpoints/{endpoint_id}/ping")
        await until(lambda: len(old.received) > 1, "the ping")
        moved = await service.call(
            KUKAR, "PUT", f"/endpoints/{endpoint_id}", json={"url": new.url}, headers={"If-Match": "*"}
        )
        assert moved.status_code == 200, moved.text
        await until(lambda: any(b"endpoint.changed" in one.body for one in old.received), "the change")
        posted.receivers[KUKAR].received.extend(old.received[1:])
        endpoint_id = await prove(service, KUKAR, new)
        async with service.sessions.begin() as tx:
            await tx.execute(
                text("UPDATE endpoints SET failing_since = now() - interval '6 minutes' WHERE id = :id"),
                {"id": endpoint_id},
            )
        await notice_failing(service.sessions, now=RealClock()())
        await posted.wait_for(EventType.ENDPOINT_FAILING)
        await service.call(KUKAR, "POST", f"/endpoints/{endpoint_id}/ping")
        await posted.wait_for(EventType.ENDPOINT_DISABLED)


async def losing_the_last_way(service: Service) -> None:
    """Somebody of an agency signed in to the console, and nobody does any more."""
    told = 0
    for reaches_for in (timedelta(days=7), timedelta(0)):
        async with service.sessions.begin() as tx:
            await ways.seen_in_console(tx, "uptd-ppa-kukar", reaches_for=reaches_for)
        told += await notice_unreached(service.sessions, now=RealClock()(), public_url=service.terms.public_url)
    assert told == 1


async def letting_keys_expire(service: Service) -> None:
    """A key comes near its end."""
    roles = frozenset({Role.SENDER})
    async with service.sessions.begin() as tx:
        await api_keys.add(
            tx,
            secret=api_keys.new_secret(roles),
            agency_code=PPU,
            roles=roles,
            label="",
            expires_at=RealClock()() + timedelta(days=3),
        )
        await tx.execute(
            text("UPDATE api_keys SET created_at = now() - interval '90 days' WHERE expires_at IS NOT NULL")
        )
    assert await watch_keys(service.sessions, now=RealClock()())


async def letting_time_pass(walk: Walk, posted: Posted) -> None:
    """Nobody answers, acknowledges or confirms, and consents run out."""
    service = walk.service
    until_then = {"basis": "victim", "given_at": "2025-03-03T09:00:00+08:00", "expires_at": "2025-03-20T09:00:00+08:00"}
    unasked = {"urgency": "emergency", "consent": {"basis": "none"}, "services": [{"type": "health_service"}]}
    await a_case(walk, consent=until_then, sender_reference=str(uuid4()))
    _, handoff_id, receiver, _ = await a_case(walk, **unasked)
    await walk(receiver, "accept_handoff", handoff_id=handoff_id)
    for _ in range(40):
        await service.after(timedelta(hours=12))
        if not posted.missing():
            return
        await asyncio.sleep(0.05)
    assert not posted.missing()
