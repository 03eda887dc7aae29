"""Proposals: changes that wait for a second person, and what that one says."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from app.api.checked_route import Ahead, CheckedRoute
from app.api.dependencies import CurrentCaller
from app.api.desk import Desk
from app.api.pages import Page, PageAsked
from app.api.proposal_views import ProposalView
from app.api.route import v1_router
from app.domain.caller import Role
from app.domain.proposals import ProposalKind, ProposalState
from app.storage import proposals
from app.workflows import decide_proposal


class ConfirmingRoute(CheckedRoute):
    """A route that may publish what was proposed: then its document is checked ahead, and the registry held still."""

    async def beforehand(self, request: Request) -> None:
        """Look what is proposed, and check it if it is a document."""
        request.state.checked = None
        try:
            proposal_id = UUID(request.path_params["proposal_id"])
        except ValueError:
            return
        async with request.app.state.sessions.begin() as tx:
            found = await proposals.get(tx, proposal_id)
        operates = request.state.caller.may(Role.OPERATOR)
        if found is None or found.kind is not ProposalKind.PUBLISH or not operates:
            return
        request.state.keeps_registry = True
        if found.state is ProposalState.PENDING:
            request.state.checked = await self.checked(request, found.what["document"], found.what["version"])


router = v1_router("proposals")
confirming = v1_router("proposals", route_class=ConfirmingRoute)


@router.get("/proposals")
async def list_proposals(
    caller: CurrentCaller,
    desk: Desk,
    paging: PageAsked,
    state: Annotated[ProposalState | None, Query(description="Only those of this state.")] = None,
) -> Page[ProposalView]:
    """List your agency's proposals, oldest first; an operator sees all, and alone those to publish."""
    after = paging.after(UUID)
    whose = None if caller.may(Role.OPERATOR) else caller.agency_code
    found = await proposals.listed(
        desk.tx, agency_code=whose, state=state, after=after and after[0], limit=paging.look_ahead
    )
    return paging.page(found, ProposalView.of, lambda one: (one.id,))


@router.get("/proposals/{proposal_id}")
async def read_proposal(proposal_id: UUID, caller: CurrentCaller, desk: Desk) -> ProposalView:
    """Read one proposal, and what became of it."""
    return ProposalView.of(await decide_proposal.visible_proposal(desk, caller, proposal_id))


@confirming.post("/proposals/{proposal_id}/confirm")
async def confirm_proposal(
    proposal_id: UUID, caller: CurrentCaller, desk: Desk, ahead: Ahead, request: Request
) -> ProposalView:
    """Confirm what another person proposed: it is carried out now.

    Another is another key, also after a rotation, and another person where what you call with names one. Of an
    endpoint another key of its agency may, or an operator; of a document another operator. What cannot be done as
    things are is refused as the change itself would be, and the proposal goes on waiting.
    """
    state = request.app.state
    done = await decide_proposal.confirm_proposal(
        desk, caller, proposal_id, clock=state.clock, ahead=ahead, check=state.check
    )
    return ProposalView.of(done)


@router.post("/proposals/{proposal_id}/refuse")
async def refuse_proposal(proposal_id: UUID, caller: CurrentCaller, desk: Desk) -> ProposalView:
    """Refuse what another person proposed, for good."""
    return ProposalView.of(await decide_proposal.refuse_proposal(desk, caller, proposal_id))


@router.post("/proposals/{proposal_id}/withdraw")
async def withdraw_proposal(proposal_id: UUID, caller: CurrentCaller, desk: Desk) -> ProposalView:
    """Take back what you proposed."""
    return ProposalView.of(await decide_proposal.withdraw_proposal(desk, caller, proposal_id))
