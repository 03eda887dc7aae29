"""Routes whose document is checked before their transaction begins: a large one takes seconds, and holds nothing."""

import re
from typing import Annotated

from fastapi import Depends, Request

from app.api.route import LintasRoute
from app.domain.errors import DocumentInvalid, NotFound
from app.domain.reading import IDENTIFIER
from app.workflows.check_document import Checked, check_document
from app.workflows.draft_document import document_in

_VERSION = re.compile(r"[0-9]{1,7}\Z", re.ASCII)


class CheckedRoute(LintasRoute):
    """A route that wants to know what a check finds of the version in its address."""

    async def beforehand(self, request: Request) -> None:
        """Check the version, if there is one that can be read."""
        request.state.checked = await _checked(request)


class PublishingRoute(CheckedRoute):
    """A route that publishes what was checked: nobody else changes the registry meanwhile, and intake goes on."""

    keeps_registry = True


async def checked_ahead(request: Request) -> Checked | None:
    """Give what was found before the transaction began; None where there was nothing to check."""
    found: Checked | None = request.state.checked
    return found


Ahead = Annotated[Checked | None, Depends(checked_ahead)]


async def _checked(request: Request) -> Checked | None:
    id_, version = request.path_params["id"], request.path_params["version"]
    if not IDENTIFIER.fullmatch(id_) or not _VERSION.match(version):
        return None
    state = request.app.state
    async with state.sessions.begin() as tx:
        reference = await state.reference.current(tx)
        try:
            document = await document_in(tx, reference, id_, int(version))
        except (NotFound, DocumentInvalid):
            # Told where the route looks for itself.
            return None
    return await check_document(reference, document, state.clock(), state.check)
