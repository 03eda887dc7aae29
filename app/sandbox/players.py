"""The agencies that the sandbox plays: each takes webhooks at an address of its own, and answers over the API."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.events import EventType
from app.sandbox.behaviour import Behaviour, PlayedBy, ToOffers, ToWebhooks
from app.sandbox.records import plans, players
from app.storage.endpoints import ACTIVE

AGAIN_AFTER = timedelta(seconds=5)
"""When something is done again that the service could not do."""
PASSING = frozenset({"idempotency_in_flight", "rate_limited", "service_unavailable", "internal_error"})
READY_WITHIN = 30.0
TAKES = [EventType.HANDOFF_OFFERED.value]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Player:
    """An agency, who answers for it and how."""

    agency: str
    key: str
    behaviour: Behaviour
    posts: int


class Refused(Exception):
    """The service did not do what a player asked for."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Players:
    """Plays agencies: what their servers answer, and what their people do."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], clock: Callable[[], datetime], *, api: str, at: str
    ) -> None:
        """Take the world's database and clock, where its API is, and where posts to its agencies come in."""
        self._sessions = sessions
        self._clock = clock
        self.at = f"{at}/agencies/"
        """How the addresses of their servers begin."""
        self._client = httpx.AsyncClient(base_url=f"{api}/v1", timeout=30, trust_env=False)
        self._acting = asyncio.Lock()

    def url(self, agency: str) -> str:
        """Give the address of an agency's server."""
        return f"{self.at}{agency}/webhook"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # --- who plays what ---

    async def all(self) -> list[Player]:
        """List every agency, in the order of their codes."""
        async with self._sessions.begin() as tx:
            found = await tx.execute(select(players).order_by(players.c.agency_code))
            return [_player(row) for row in found]

    async def get(self, agency: str) -> Player | None:
        """Give one agency."""
        async with self._sessions.begin() as tx:
            row = (await tx.execute(select(players).where(players.c.agency_code == agency))).one_or_none()
            return None if row is None else _player(row)

    async def behave(self, agency: str, behaviour: Behaviour) -> Player | None:
        """Have an agency behave so from now on; None where there is none of that code."""
        async with self._sessions.begin() as tx:
            changed = await tx.execute(
                update(players)
                .where(players.c.agency_code == agency)
                .values(behaviour=behaviour.model_dump(mode="json"), posts=0)
                .returning(players)
            )
            row = changed.one_or_none()
        if row is None:
            return None
        player = _player(row)
        if player.behaviour.played_by is PlayedBy.SANDBOX and player.behaviour.webhooks is not ToWebhooks.TAKE:
            await self._equip(player, wait=False)
        else:
            await self.equip([player])
        return player

    async def equip(self, some: Iterable[Player]) -> None:
        """Have an endpoint where the sandbox plays, none where it does not, and see that they are proven."""
        async with asyncio.timeout(READY_WITHIN), asyncio.TaskGroup() as tasks:
            few = asyncio.Semaphore(4)
            for player in some:
                tasks.create_task(self._equip_in_turn(few, player))

    async def _equip_in_turn(self, few: asyncio.Semaphore, player: Player) -> None:
        async with few:
            await self._equip(player)

    async def _equip(self, player: Player, *, wait: bool = True) -> None:
        endpoint = await self._endpoint_of(player)
        if player.behaviour.played_by is PlayedBy.YOU:
            if endpoint is not None and endpoint["state"] != "disabled":
                await self._call(player, "POST", f"/endpoints/{endpoint['id']}/disable")
            return
        wanted = {"url": self.url(player.agency), "event_types": TAKES}
        if endpoint is None:
            await self._call(player, "POST", "/endpoints", wanted)
        elif endpoint["url"] != wanted["url"]:
            await self._call(player, "PUT", f"/endpoints/{endpoint['id']}", wanted, {"If-Match": "*"})
        elif endpoint["state"] in {"disabled", "paused"}:
            await self._call(player, "POST", f"/endpoints/{endpoint['id']}/enable")
        while wait and (endpoint is None or endpoint["state"] != ACTIVE):
            await asyncio.sleep(0.05)
            endpoint = await self._endpoint_of(player)

    async def _endpoint_of(self, player: Player) -> dict[str, Any] | None:
        listed = await self._call(player, "GET", "/endpoints")
        end = f"/agencies/{player.agency}/webhook"
        found: list[dict[str, Any]] = [one for one in listed["items"] if one["url"].endswith(end)]
        return found[0] if found else None

    # --- what comes in ---

    async def take(self, agency: str, news: dict[str, Any]) -> ToWebhooks | None:
        """Take one post and say how it is to be answered; None where nobody plays that agency."""
        async with self._sessions.begin() as tx:
            counted = await tx.execute(
                update(players)
                .where(players.c.agency_code == agency)
                .values(posts=players.c.posts + 1)
                .returning(players)
            )
            row = counted.one_or_none()
            if row is None:
                return None
            player = _player(row)
            answer = player.behaviour.towards(player.posts)
            if answer in {ToWebhooks.TAKE, ToWebhooks.TIME_OUT}:
                await self._plan(tx, player, news)
        return answer

    async def _plan(self, tx: AsyncSession, player: Player, news: dict[str, Any]) -> None:
        behaviour, data = player.behaviour, news.get("data", {})
        if news.get("type") == EventType.ENDPOINT_VERIFICATION:
            # Done at once, whatever the agency does with offers.
            await _add(tx, UUID(data["endpoint_id"]), player, f"verify {data['challenge']}", self._clock())
        elif news.get("type") == EventType.HANDOFF_OFFERED.value and behaviour.offers is not ToOffers.SILENT:
            due_at = self._clock() + behaviour.answers_after
            await _add(tx, UUID(data["handoff_id"]), player, behaviour.offers.value, due_at)

    # --- what they do ---

    async def act(self) -> None:
        """Do all that is due now, each once."""
        async with self._acting:
            while some := await self._due():
                async with asyncio.TaskGroup() as tasks:
                    for plan in some:
                        tasks.create_task(self._carry_out(*plan))

    async def next_due(self, tx: AsyncSession) -> datetime | None:
        """Say when something is to be done next."""
        found: datetime | None = await tx.scalar(select(func.min(plans.c.due_at)).where(plans.c.outcome.is_(None)))
        return found

    async def _due(self) -> list[tuple[UUID, Player, str]]:
        async with self._sessions.begin() as tx:
            found = await tx.execute(
                select(plans.c.subject_id, plans.c.action, plans.c.behaviour.label("planned"), players)
                .join(players, players.c.agency_code == plans.c.agency_code)
                .where(plans.c.outcome.is_(None), plans.c.due_at <= self._clock())
                .order_by(plans.c.due_at, plans.c.subject_id)
                .limit(8)
            )
            return [
                (row.subject_id, Player(row.agency_code, row.key, Behaviour(**row.planned), row.posts), row.action)
                for row in found
            ]

    async def _carry_out(self, subject: UUID, player: Player, action: str) -> None:
        verb, _, word = action.partition(" ")
        try:
            if verb == "verify":
                await self._call(player, "POST", f"/endpoints/{subject}/verify", {"challenge": word})
                outcome = "done"
            else:
                outcome = await self._answer(player, f"/handoffs/{subject}", verb)
        except Refused as refused:
            if refused.code in PASSING:
                await self._put_off(subject, player, action)
                return
            outcome = refused.code
        except httpx.HTTPError as error:
            log.warning("sandbox_agency_waits", agency=player.agency, error=type(error).__name__)
            await self._put_off(subject, player, action)
            return
        async with self._sessions.begin() as tx:
            await tx.execute(update(plans).where(*_is(subject, player, action)).values(outcome=outcome))
            minutes = player.behaviour.completes_after_minutes
            if (verb, outcome) == (ToOffers.ACCEPT.value, "done") and minutes is not None:
                await _add(tx, subject, player, "complete", self._clock() + timedelta(minutes=minutes))

    async def _answer(self, player: Player, path: str, verb: str) -> str:
        handoff = await self._call(player, "GET", path)
        # The sender and coordinators are told of an offer too.
        if handoff["agency"] != player.agency:
            return "not_its_own"
        actions = handoff["available_actions"]
        if verb == "complete":
            if "start" in actions:
                await self._call(player, "POST", f"{path}/start", {})
            await self._call(player, "POST", f"{path}/complete", {"outcome": "service_given"})
        elif verb not in actions:
            return "no_longer_open"
        elif verb == "decline":
            await self._call(player, "POST", f"{path}/decline", {"reason": player.behaviour.decline_reason.value})
        else:
            await self._call(player, "POST", f"{path}/accept", {})
        return "done"

    async def _put_off(self, subject: UUID, player: Player, action: str) -> None:
        async with self._sessions.begin() as tx:
            later = self._clock() + AGAIN_AFTER
            await tx.execute(update(plans).where(*_is(subject, player, action)).values(due_at=later))

    async def call(self, agency: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask the API as an agency; Refused where it does not do it, or there is no such agency."""
        player = await self.get(agency)
        if player is None:
            raise Refused(404, "not_found")
        return await self._call(player, method, path, body)

    async def _call(
        self, player: Player, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        said = {"Authorization": f"Bearer {player.key}", **(headers or {})}
        answer = await self._client.request(method, path, json=body, headers=said)
        if not answer.is_success:
            raise Refused(answer.status_code, answer.json().get("code", "unknown"))
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found


@asynccontextmanager
async def playing(
    sessions: async_sessionmaker[AsyncSession], clock: Callable[[], datetime], *, api: str, at: str
) -> AsyncIterator[Players]:
    """Have players, until left."""
    found = Players(sessions, clock, api=api, at=at)
    try:
        yield found
    finally:
        await found.aclose()


async def _add(tx: AsyncSession, subject: UUID, player: Player, action: str, due_at: datetime) -> None:
    line = insert(plans).values(
        subject_id=subject,
        agency_code=player.agency,
        action=action,
        behaviour=player.behaviour.model_dump(mode="json"),
        due_at=due_at,
    )
    await tx.execute(line.on_conflict_do_nothing())


def _is(subject: UUID, player: Player, action: str) -> tuple[Any, ...]:
    return plans.c.subject_id == subject, plans.c.agency_code == player.agency, plans.c.action == action


def _player(row: Any) -> Player:
    return Player(row.agency_code, row.key, Behaviour(**row.behaviour), row.posts)
