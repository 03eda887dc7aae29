"""Agreements and baselines: drafted, checked, tried on what was decided, and published as numbered versions."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body as InBody
from fastapi import Path, Request, Response

from app.api import examples
from app.api.agreement_views import (
    AgreementView,
    CheckView,
    PublicationView,
    SimulationBody,
    SimulationView,
    VersionView,
    agreement_views,
    draft_view,
    findings_of,
    published_view,
)
from app.api.checked_route import Ahead, CheckedRoute, PublishingRoute
from app.api.dependencies import CurrentCaller, Operator
from app.api.desk import Desk
from app.api.etags import IfMatch, MaybeIfMatch, etag
from app.api.pages import Page, PageAsked
from app.api.proposal_views import PROPOSED, proposed
from app.api.route import v1_router
from app.domain.caller import Role
from app.domain.document import sha256
from app.domain.errors import Fault, InvalidInput, NotFound
from app.domain.proposals import Proposal
from app.domain.routing import Effect, effects
from app.domain.simulation import Simulation
from app.reference.cases import Case, CasesInvalid, parse_cases
from app.storage import documents
from app.storage.past_decisions import Period, Place
from app.workflows.ask_to_publish import ask_to_publish
from app.workflows.check_document import check_document
from app.workflows.desk import Desk as AtDesk
from app.workflows.draft_document import document_of, draft_document
from app.workflows.simulate_document import simulate_cases, simulate_period
from app.workflows.withdraw_draft import withdraw_draft

router = v1_router("agreements")
checking = v1_router("agreements", route_class=CheckedRoute)
publishing = v1_router("agreements", route_class=PublishingRoute)

Id = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Version = Annotated[int, Path(ge=1, le=1_000_000)]
Written = Annotated[
    dict[str, Any],
    InBody(description="The document, as docs/agreements.md describes its format.", examples=[examples.DRAFT]),
]


@router.get("/agreements")
async def list_agreements(caller: CurrentCaller, desk: Desk, paging: PageAsked) -> Page[AgreementView]:
    """List the agreements and baselines with their versions; operators see drafts too."""
    after = paging.after(str)
    with_drafts = caller.may(Role.OPERATOR)
    ids = await documents.ids_after(desk.tx, after and after[0], paging.look_ahead, with_drafts=with_drafts)
    drafts = await documents.drafts_of(desk.tx, ids) if with_drafts else []
    shown = agreement_views(ids, await documents.versions_of(desk.tx, ids), drafts, _effects(desk), desk.now)
    return paging.page(shown, lambda one: one, lambda one: (one.id,))


@router.get("/agreements/{id}/versions/{version}")
async def read_agreement_version(
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    caller: CurrentCaller,
    desk: Desk,
    response: Response,
) -> VersionView:
    """Read a version as it is written; of a draft, which operators alone see, the ETag is that of its revision."""
    kept = await documents.published(desk.tx, id, version)
    if kept is not None:
        return published_view(kept, _effects(desk).get((id, version)), desk.now)
    draft = await documents.draft(desk.tx, id, version) if caller.may(Role.OPERATOR) else None
    if draft is None:
        raise NotFound("version")
    response.headers["ETag"] = etag(draft.revision)
    return draft_view(draft)


@router.put("/agreements/{id}/versions/{version}")
async def put_agreement_draft(
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    body: Written,
    caller: Operator,
    desk: Desk,
    if_match: MaybeIfMatch,
    response: Response,
) -> VersionView:
    """Draft a version, or change a draft (with If-Match). It binds nobody until it is published."""
    draft = await draft_document(desk, caller, id, version, body, if_match)
    response.headers["ETag"] = etag(draft.revision)
    return draft_view(draft)


@router.delete("/agreements/{id}/versions/{version}", status_code=204)
async def delete_agreement_draft(
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    caller: Operator,
    desk: Desk,
    if_match: IfMatch,
) -> None:
    """Withdraw a draft (with If-Match). What is published is never taken away."""
    await withdraw_draft(desk, caller, id, version, if_match)


@checking.post("/agreements/{id}/versions/{version}/check")
async def check_agreement_version(id: Id, version: Version, caller: Operator, desk: Desk, ahead: Ahead) -> CheckView:  # noqa: A002
    """Say what would refuse a version and what its parties should know, each with a referral that shows it."""
    if ahead is None:
        ahead = await check_document(desk.reference, await document_of(desk, id, version), desk.now)
    return CheckView.of(ahead, sha256(ahead.document))


@router.post("/agreements/{id}/versions/{version}/simulate")
async def simulate_agreement_version(
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    body: SimulationBody,
    caller: Operator,
    desk: Desk,
) -> SimulationView:
    """Say which requests would go elsewhere under a version: those of a period, part by part, or cases.

    The version counts as if it had been in force when each request was received. Nothing is kept. For a whole
    archive, `lintas agreements simulate` is the better tool.
    """
    document = await document_of(desk, id, version)
    simulation = Simulation(document, desk.reference.rules, desk.reference.documents)
    following = None
    if body.cases is not None:
        simulate_cases(simulation, _cases(body.cases, desk))
    else:
        period, after = Period(body.from_, body.to), _place(body.after)
        following = await simulate_period(desk.tx, simulation, period, after=after, limit=body.limit)
    return SimulationView.of(document, simulation.tally, following and f"{following[0].isoformat()}_{following[1]}")


@publishing.post("/agreements/{id}/versions/{version}/publish", response_model=PublicationView, responses=PROPOSED)
async def publish_agreement_version(
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    caller: Operator,
    desk: Desk,
    if_match: MaybeIfMatch,
    ahead: Ahead,
    request: Request,
) -> PublicationView | Response:
    """Publish a draft: from its own dates on, every referral is decided by it, and it never changes again.

    With If-Match, only the revision that you have seen. A successor closes its predecessor where it begins. It may take
    a second person (202): then it is published once another operator has confirmed the proposal.
    """
    state = request.app.state
    law = await ask_to_publish(
        desk,
        caller,
        id,
        version,
        terms=desk.terms.second_person,
        expected=if_match,
        clock=state.clock,
        ahead=ahead,
        check=state.check,
    )
    if isinstance(law, Proposal):
        return proposed(law)
    published = effects([*desk.reference.documents, law.checked.document])
    effect = next((one for one in published if (one.document.id, one.document.version) == (id, version)), None)
    shown = published_view(law.kept, effect, law.moment)
    return PublicationView(**dict(shown), findings=findings_of(law.checked))


def _effects(desk: AtDesk) -> dict[tuple[str, int], Effect]:
    return {(one.document.id, one.document.version): one for one in effects(desk.reference.documents)}


def _cases(written: list[Any], desk: AtDesk) -> list[Case]:
    try:
        return parse_cases(written, desk.reference.vocabulary)
    except CasesInvalid as invalid:
        faults = (Fault(f"/cases{one.pointer}", one.code, one.message) for one in invalid.faults[:100])
        raise InvalidInput(tuple(faults)) from None


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    decided_at, _, id_ = cursor.partition("_")
    try:
        return datetime.fromisoformat(decided_at).astimezone(UTC), UUID(id_)
    except (ValueError, OverflowError):
        raise InvalidInput((Fault("/after", "malformed_cursor", "no cursor of this list"),)) from None
