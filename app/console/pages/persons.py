"""Who has signed in, and from how many places: an operator ends sessions, or shuts a person out."""

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import Operator
from app.api.desk import Desk
from app.api.pages import PageAsked
from app.console.console import console_of
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.errors import NotFound
from app.storage import console_sessions, token_subjects
from app.workflows.register_certificate import revoke_subject
from app.workflows.sign_in import sign_out_person

router = console_router()


@router.get("/persons")
async def show_persons(request: Request, caller: Operator, desk: Desk, paging: PageAsked) -> Response:
    """Show who ever signed in or called with a token, with their sessions, agency by agency and page by page."""
    found = await token_subjects.by_agency(desk.tx, after=paging.after(str, UUID), limit=paging.look_ahead)
    shown, console = found[: paging.limit], console_of(request)
    open_now = await console_sessions.of_persons(
        desk.tx, [one.id for one in shown], now=console.real_clock(), terms=console.sessions
    )
    following = paging.following(found, lambda one: (one.agency_code, one.id))
    return page(request, "persons.html", persons=shown, sessions=open_now, own=caller.key_id, next=following)


@router.post("/persons/{person_id}/sign-out")
async def sign_out(person_id: UUID, caller: Operator, desk: Desk) -> Response:
    """End all sessions of a person, who may sign in again."""
    await sign_out_person(desk.tx, caller, person_id, request_id=desk.request_id)
    return after_post("/console/persons", done="person_signed_out")


@router.get("/persons/{person_id}/revoke")
async def ask_before_revoking(request: Request, person_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Ask before a person is shut out."""
    found = await token_subjects.find(desk.tx, person_id)
    if found is None or found.revoked_at is not None:
        raise NotFound("token_subject")
    return page(request, "person_revoke.html", one=found)


@router.post("/persons/{person_id}/revoke")
async def revoke(person_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Shut a person out: no session and no token of theirs counts any more."""
    await revoke_subject(desk.tx, person_id, by=caller)
    await sign_out_person(desk.tx, caller, person_id, request_id=desk.request_id)
    return after_post("/console/persons", done="person_revoked")
