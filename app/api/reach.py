"""By which ways agencies are told, for whoever has to tell them where none works."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from app.api.dependencies import RequireRole, Transaction
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer
from app.domain.caller import Caller, Role
from app.domain.secret_places import without_secret_places
from app.storage import ways

router = v1_router("agencies")

CoordinatorOrOperator = Annotated[Caller, Depends(RequireRole(Role.COORDINATOR, Role.OPERATOR))]


class AgencyReach(Answer):
    """An agency that can be offered something, and whether it would hear of it."""

    agency: str
    name: str
    region: str
    services: list[str]
    reached_by: list[str] = Field(
        description="The ways that work now; empty is none: tell it yourself of what it is offered.",
        examples=[["webhook", "mail", "console"]],
    )
    lost_at: datetime | None = Field(description="Since when none works, where one did before.")

    @classmethod
    def of(cls, reached: ways.Reached) -> "AgencyReach":
        """Show it."""
        shown = without_secret_places(reached.body)
        return cls(
            agency=shown["code"],
            name=shown["name"],
            region=shown["region"],
            services=sorted(shown["services"]),
            reached_by=list(reached.ways),
            lost_at=None if reached.ways else reached.lost_at,
        )


@router.get("/reach")
async def list_reach(
    caller: CoordinatorOrOperator,
    tx: Transaction,
    paging: PageAsked,
    reached: Annotated[bool | None, Query(description="`false`: those alone that no working way leads to.")] = None,
) -> Page[AgencyReach]:
    """List by which ways the agencies at home where you coordinate are told, by code; an operator sees all.

    A way works if an offer would go out by it now: a webhook or a mail address that is proven, takes offers and does
    not fail; or the console, if somebody of the agency has signed in lately. Look here before something is offered to
    one that has none: it is not passed over for that, and you are told with the offer.
    """
    after = paging.after(str)
    found = await ways.listed(
        tx,
        coordinated_by=None if caller.may(Role.OPERATOR) else caller.agency_code,
        reached=reached,
        after=after and after[0],
        limit=paging.look_ahead,
    )
    return paging.page(found, AgencyReach.of, lambda one: (one.body["code"],))
