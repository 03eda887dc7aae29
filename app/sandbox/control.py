"""The control API: what an integrator does to the sandbox that nobody can do to the real thing."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from app.api.application import API_VERSION
from app.api.validation import Answer, Body, fault
from app.domain.caller import Role
from app.domain.durations import LONGEST, clock_time
from app.domain.errors import Fault, InvalidInput, NotFound
from app.domain.events import EventType
from app.sandbox import clock, frame, posts, samples, webhooks
from app.sandbox.behaviour import Behaviour
from app.sandbox.players import Player, Refused
from app.sandbox.posts import Sent
from app.sandbox.world import EVERY_ROLE, World
from app.storage import api_keys
from app.workflows.resend_delivery import resend_delivery as send_again

LONGEST_WAIT = 600.0
USUAL_WAIT = 25.0

router = APIRouter()


async def world_of(request: Request) -> World:
    """Give the world that is controlled, once it has begun: before, its parts come and go."""
    world: World = request.app.state.world
    await world.begun.wait()
    return world


TheWorld = Annotated[World, Depends(world_of)]


def create_control(world: World) -> FastAPI:
    """Compose the control API, and the servers of the agencies that are played beside it."""
    api = frame.build((router, webhooks.router), version=API_VERSION)
    api.state.world = world
    return api


class KeyView(Answer):
    """A key that works in this sandbox and nowhere else."""

    role: str
    agency: str
    secret: str = Field(examples=["lintas_sandbox_sender_..."])


class SandboxView(Answer):
    """What this sandbox is, and where."""

    sandbox: bool = True
    api: str = Field(description="Where the API is that you write your client for.")
    now: datetime = Field(description="By the sandbox's clock.")
    keys: list[KeyView] = Field(description="One for a sending agency, a receiving one and a coordinator.")


@router.get("/sandbox", tags=["sandbox"])
async def read_sandbox(world: TheWorld) -> SandboxView:
    """Say where the API is, what time it is, and which keys are yours."""
    keys = [KeyView(role=key.role, agency=key.agency, secret=key.secret) for key in await world.printed_keys()]
    return SandboxView(api=world.service.settings.reached_at, now=world.now, keys=keys)


@router.post("/sandbox/reset", tags=["sandbox"])
async def reset_sandbox(world: TheWorld) -> SandboxView:
    """Make everything as it was at first: the same keys, no referral, no endpoint of yours, the clock at real time."""
    await world.reset()
    return await read_sandbox(world)


class NewKey(Body):
    """For whom a key is wanted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"agency": "dinsos-kukar", "roles": ["receiver"]}]})

    agency: str = Field(max_length=100)
    roles: tuple[Role, ...] = Field(EVERY_ROLE, min_length=1, max_length=len(Role))


@router.post("/sandbox/keys", status_code=201, tags=["sandbox"])
async def issue_key(body: NewKey, world: TheWorld) -> KeyView:
    """Get a key of any agency, with any roles."""
    issued = await world.issue_key(body.agency, list(body.roles))
    return KeyView(role=",".join(sorted(issued.roles)), agency=issued.agency_code, secret=issued.secret)


class ClockView(Answer):
    """What time it is in the sandbox."""

    now: datetime
    ahead_seconds: float = Field(description="How far it was moved ahead of real time.")


class PassedView(ClockView):
    """What time it is after time was let pass."""

    reached: bool = Field(description="False where `within_seconds` was over first: ask again to go on.")


class LetPass(Body):
    """How much time is to pass: so much of it, or until a moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"by": "PT4H"}]})

    by: str | None = Field(None, description="PTnHnM or PnD, a year at most.", examples=["PT30M", "P3D"])
    to: AwareDatetime | None = Field(None, description="A moment that is still to come.")
    within_seconds: float = Field(
        USUAL_WAIT, gt=0, le=LONGEST_WAIT, description="How long you wait for it, in real time."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.by is None) == (self.to is None):
            raise fault("contradiction", at=("by",))
        if self.by is not None and clock_time(self.by) is None:
            raise fault("duration_required", at=("by",))
        return self

    def until(self, now: datetime) -> datetime:
        """Say until when; the clock goes forward alone."""
        moment = now + (clock_time(self.by or "") or timedelta(0)) if self.to is None else self.to
        if moment < now:
            raise InvalidInput((Fault("/to", "in_past", "the clock goes forward alone"),))
        if moment > now + LONGEST:
            raise InvalidInput((Fault("/to", "out_of_range", "a year at once at most"),))
        return moment


@router.get("/sandbox/clock", tags=["clock"])
async def read_clock(world: TheWorld) -> ClockView:
    """Say what time it is. The clock goes on by itself as every clock does."""
    return ClockView(**await _time(world))


@router.post("/sandbox/clock/advance", tags=["clock"])
async def advance_clock(body: LetPass, world: TheWorld) -> PassedView:
    """Let time pass, forward alone. All that falls due meanwhile is done at its own time: reminders, expiry, retries.

    It answers when everything has been done, posts to you included.
    """
    passed = await world.pass_to(body.until(world.now), within=body.within_seconds)
    return PassedView(reached=passed.reached, **await _time(world))


async def _time(world: World) -> dict[str, Any]:
    async with world.service.sessions.begin() as tx:
        moved = await clock.ahead(tx)
    return {"now": world.now, "ahead_seconds": moved.total_seconds()}


class AgencyView(Answer):
    """An agency, and how it behaves."""

    agency: str
    behaviour: Behaviour
    posts: int = Field(description="How many webhooks came to it since its behaviour was set.")

    @classmethod
    def of(cls, player: Player) -> "AgencyView":
        """Show an agency."""
        return cls(agency=player.agency, behaviour=player.behaviour, posts=player.posts)


class Agencies(Answer):
    """Every agency of the sandbox."""

    items: list[AgencyView]


@router.get("/sandbox/agencies", tags=["agencies"])
async def list_agencies(world: TheWorld) -> Agencies:
    """List the agencies, who answers for each and how."""
    return Agencies(items=[AgencyView.of(player) for player in await world.players.all()])


@router.put("/sandbox/agencies/{agency}/behaviour", tags=["agencies"])
async def set_behaviour(agency: str, body: Behaviour, world: TheWorld) -> AgencyView:
    """Have an agency behave so, from the next webhook on; what it was going to do with earlier offers it still does."""
    player = await world.players.behave(agency, body)
    if player is None:
        raise NotFound("agency")
    return AgencyView.of(player)


class PostView(Answer):
    """One post, as it went out and as it was answered."""

    sent_at: datetime = Field(description="By the sandbox's clock; the signature carries real time.")
    url: str
    headers: dict[str, str] = Field(description="With `webhook-id`, `webhook-timestamp` and `webhook-signature`.")
    body: str = Field(description="To the byte, as it was signed.")
    outcome: str = Field(examples=["delivered", "status", "answer"])
    status: int | None
    detail: str | None
    milliseconds: int
    answer: str = Field(description="The start of what came back.")

    @classmethod
    def of(cls, post: Mapping[str, Any]) -> "PostView":
        """Show a post."""
        return cls(**{name: post[name] for name in cls.model_fields})


class SentView(Answer):
    """One webhook and every post of it."""

    delivery_id: UUID
    webhook_id: UUID
    agency: str
    endpoint_id: UUID
    url: str
    type: str
    state: str = Field(examples=["due", "delivered", "held", "superseded", "failed"])
    next_post_at: datetime | None = Field(description="By the sandbox's clock.")
    posts: list[PostView]

    @classmethod
    def of(cls, sent: Sent) -> "SentView":
        """Show a webhook."""
        return cls(
            delivery_id=sent.delivery_id,
            webhook_id=sent.webhook_id,
            agency=sent.agency,
            endpoint_id=sent.endpoint_id,
            url=sent.url,
            type=sent.type,
            state=sent.state,
            next_post_at=sent.due_at,
            posts=[PostView.of(post) for post in sent.posts],
        )


class SentList(Answer):
    """What was sent, the newest first."""

    items: list[SentView]


@router.get("/sandbox/sent", tags=["webhooks"])
async def list_sent(
    world: TheWorld, agency: str | None = None, limit: Annotated[int, Field(ge=1, le=500)] = 50
) -> SentList:
    """List what was sent or is to be sent to your endpoints, newest first; of an `agency`, to its played one too."""
    async with world.service.sessions.begin() as tx:
        found = await posts.listed(tx, players_at=world.players.at, agency=agency, limit=limit)
    return SentList(items=[SentView.of(one) for one in found])


@router.post("/sandbox/sent/{delivery_id}/resend", status_code=202, tags=["webhooks"])
async def resend(delivery_id: UUID, world: TheWorld) -> SentView:
    """Send one webhook again, under the same `webhook-id`."""
    sent = await _sent(world, delivery_id)
    player = await _player(world, sent.agency)
    async with world.service.sessions.begin() as tx:
        caller = await api_keys.caller_of(tx, player.key)
        if caller is None:
            raise NotFound("delivery")
        await send_again(tx, caller, delivery_id)
    return SentView.of(await _sent(world, delivery_id))


async def _sent(world: World, delivery_id: UUID) -> posts.Sent:
    async with world.service.sessions.begin() as tx:
        found = await posts.listed(tx, players_at="", delivery_id=delivery_id)
    if not found:
        raise NotFound("delivery")
    return found[0]


class Wanted(Body):
    """Which news an agency is to be told."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"agency": "uptd-ppa-ppu", "type": "handoff.offered"}]})

    agency: str = Field(max_length=100)
    type: EventType
    handoff_id: UUID | None = Field(
        None, description="A handoff that the agency may see, for news of handoffs that its `url` leads to."
    )


class Told(Answer):
    """News that was told on demand."""

    webhook_ids: list[UUID] = Field(description="The news; one for each endpoint where each is told its own.")
    delivery_ids: list[UUID] = Field(description="What goes out of it: none where no endpoint wants this type.")


class EventTypes(Answer):
    """Every type of news there is."""

    items: list[EventType]


@router.get("/sandbox/event-types", tags=["webhooks"])
async def list_event_types() -> EventTypes:
    """List every type of news that a receiver may meet."""
    return EventTypes(items=list(EventType))


@router.post("/sandbox/events", status_code=202, tags=["webhooks"])
async def tell(body: Wanted, world: TheWorld) -> Told:
    """Send an agency's endpoints news of any type, made up but for the handoff that you name; nothing else changes.

    What is made up names nothing: its `url` answers 404. A ping is a real one, and so is a
    challenge, which goes to endpoints that are not proven yet.
    """
    await _player(world, body.agency)
    if action := samples.ASKED_OF_THE_API.get(body.type):
        return await _ask_the_api(world, body, action)
    handoff = None
    if body.handoff_id is not None:
        try:
            handoff = await world.players.call(body.agency, "GET", f"/handoffs/{body.handoff_id}")
        except Refused:
            raise NotFound("handoff") from None
    async with world.service.sessions.begin() as tx:
        webhook_id, deliveries = await samples.send(
            tx,
            body.type,
            body.agency,
            now=world.now,
            public_url=world.service.settings.reached_at,
            handoff=handoff,
        )
    return Told(webhook_ids=[webhook_id], delivery_ids=deliveries)


async def _ask_the_api(world: World, wanted: Wanted, action: str) -> Told:
    async with world.service.sessions.begin() as tx:
        endpoints = await samples.endpoints_of(tx, wanted.agency)
    asked = []
    for endpoint_id in endpoints:
        # One that is proven gets no challenge, one that was given up no ping.
        with suppress(Refused):
            await world.players.call(wanted.agency, "POST", f"/endpoints/{endpoint_id}/{action}")
            asked.append(endpoint_id)
    async with world.service.sessions.begin() as tx:
        made = [await samples.latest(tx, endpoint_id, wanted.type) for endpoint_id in asked]
    return Told(webhook_ids=[event_id for event_id, _ in made], delivery_ids=[delivery_id for _, delivery_id in made])


async def _player(world: World, agency: str) -> Player:
    player = await world.players.get(agency)
    if player is None:
        raise NotFound("agency")
    return player
