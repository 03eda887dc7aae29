"""Recoveries: sending an endpoint what it missed, in the background, with progress."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import Field
from pydantic_core import PydanticCustomError

from app.api import examples
from app.api.dependencies import CurrentCaller, Transaction
from app.api.desk import Desk
from app.api.examples import shows
from app.api.intake_types import EventTypes
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer, Flag, JudgedBody, Moment, fault
from app.domain.errors import NotFound
from app.storage import endpoints, recoverable, recoveries
from app.workflows import recover_endpoint as recovering

router = v1_router("recoveries")


class RecoveryOrder(JudgedBody):
    """What to send again: all that failed, or everything that ended, delivered or not, since a time."""

    model_config = shows(examples.RECOVER, examples.RECOVER_NOW)

    failed: Flag = Field(False, description="Only what failed; without it `since` is needed.")
    since: Moment | None = Field(None, description="Only news that was told from this time on.")
    until: Moment | None = Field(None, description="Only news that was told up to this time; absent is now.")
    event_types: EventTypes | None = Field(None, description="Only news of these types, each once; absent is all.")
    dry_run: Flag = Field(False, description="Count what would be sent, and change nothing.")

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
        """Find what does not hang together."""
        if said.get("failed", False) is False and said.get("since") is None:
            yield fault("failed_or_since", at=("failed",))

    def wanted(self) -> recoveries.Wanted:
        """Give what is asked for."""
        what = recoveries.FAILED if self.failed else recoveries.ALL
        return recoveries.Wanted(what, self.since, self.until, self.event_types)


class RecoveryCount(Answer):
    """What a recovery would send."""

    count: int
    superseded: int = Field(description="Offers that are no longer open: they would not be sent.")
    by_type: dict[str, int]
    oldest: datetime | None
    newest: datetime | None
    complete: bool = Field(description="false: there is more than was counted.")

    @classmethod
    def of(cls, count: recoverable.Count) -> "RecoveryCount":
        """Show a count."""
        return cls(
            count=count.sendable,
            superseded=count.superseded,
            by_type=dict(count.by_type),
            oldest=count.oldest,
            newest=count.newest,
            complete=count.complete,
        )


class RecoveryView(Answer):
    """A recovery and how far it has come."""

    id: UUID
    endpoint_id: UUID
    what: str = Field(description="failed; all; or held: what enabling the endpoint sends.")
    since: datetime | None
    until: datetime
    event_types: list[str] | None
    state: str = Field(description="running, finished or cancelled. It waits while its endpoint is not active.")
    counted: int = Field(description="What there was to send when it was begun.")
    counted_all: bool = Field(description="false: there was more than was counted.")
    done: int = Field(description="What it put into the queue; deliveries of the endpoint show what became of it.")
    superseded: int = Field(description="What it did not send, as the offer is no longer open.")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, recovery: recoveries.Recovery) -> "RecoveryView":
        """Show a recovery."""
        return cls(
            id=recovery.id,
            endpoint_id=recovery.endpoint_id,
            what=recovery.what,
            since=recovery.since,
            until=recovery.until,
            event_types=None if recovery.event_types is None else list(recovery.event_types),
            state=recovery.state,
            counted=recovery.counted,
            counted_all=recovery.counted_all,
            done=recovery.queued,
            superseded=recovery.superseded,
            created_at=recovery.created_at,
            finished_at=recovery.finished_at,
        )


@router.post(
    "/endpoints/{endpoint_id}/recover",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": RecoveryView, "description": "It is under way."},
        200: {"model": RecoveryCount, "description": "A dry run: what would be sent."},
    },
)
async def recover_endpoint(
    endpoint_id: UUID, body: RecoveryOrder, caller: CurrentCaller, desk: Desk, response: Response
) -> RecoveryView | RecoveryCount:
    """Send what an endpoint missed again, in the background and under the same `webhook-id`s; with `dry_run` count it.

    While the same is being recovered that recovery is the answer; another one of the endpoint is refused until then.
    """
    if body.dry_run:
        counted = await recovering.count_recovery(desk.tx, caller, endpoint_id, body.wanted())
        response.status_code = 200
        return RecoveryCount.of(counted)
    begun = await recovering.begin_recovery(desk.tx, caller, endpoint_id, body.wanted())
    response.headers["Location"] = f"/v1/recoveries/{begun.id}"
    return RecoveryView.of(begun)


@router.get("/endpoints/{endpoint_id}/recoveries")
async def list_endpoint_recoveries(
    endpoint_id: UUID, caller: CurrentCaller, tx: Transaction, paging: PageAsked
) -> Page[RecoveryView]:
    """List an endpoint's recoveries, newest first."""
    if await endpoints.get(tx, endpoint_id, agency_code=caller.agency_code) is None:
        raise NotFound("endpoint")
    after = paging.after(UUID)
    found = await recoveries.listed(
        tx, endpoint_id, agency_code=caller.agency_code, before=after and after[0], limit=paging.look_ahead
    )
    return paging.page(found, RecoveryView.of, lambda recovery: (recovery.id,))


@router.get("/recoveries/{recovery_id}")
async def read_recovery(recovery_id: UUID, caller: CurrentCaller, tx: Transaction) -> RecoveryView:
    """Read a recovery: how much it has put into the queue, of how much."""
    found = await recoveries.get(tx, recovery_id, agency_code=caller.agency_code)
    if found is None:
        raise NotFound("recovery")
    return RecoveryView.of(found)


@router.post("/recoveries/{recovery_id}/cancel")
async def cancel_recovery(recovery_id: UUID, caller: CurrentCaller, desk: Desk) -> RecoveryView:
    """Queue no more of a recovery; what is in the queue already goes out. One that has ended stays as it is."""
    return RecoveryView.of(await recovering.cancel_recovery(desk.tx, caller, recovery_id))
