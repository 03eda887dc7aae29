"""Routes whose document is checked before their transaction begins: a large one takes seconds, and holds nothing."""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.route import LintasRoute
from app.domain.document import Document
from app.domain.errors import DocumentInvalid, NotFound
from app.domain.reading import IDENTIFIER
from app.storage.reference import Reference
from app.workflows.check_document import Checked, check_document
from app.workflows.draft_document import document_in, draft_in

_VERSION = re.compile(r"[0-9]{1,7}\Z", re.ASCII)


class CheckedRoute(LintasRoute):
    """A route that wants to know what a check finds of the version in its address."""

    read: Callable[[AsyncSession, Reference, str, int], Coroutine[Any, Any, Document | None]] = staticmethod(
        document_in
    )

    async def beforehand(self, request: Request) -> None:
        """Check the version, if there is one that can be read."""
        id_, version = request.path_params["id"], request.path_params["version"]
        is_one = IDENTIFIER.fullmatch(id_) and _VERSION.match(version)
        request.state.checked = await self.checked(request, id_, int(version)) if is_one else None

    async def checked(self, request: Request, id_: str, version: int) -> Checked | None:
        """Check a version; None where there is none that can be read."""
        state = request.app.state
        async with state.sessions.begin() as tx:
            reference = await state.reference.current(tx)
            try:
                document = await self.read(tx, reference, id_, version)
            except (NotFound, DocumentInvalid):
                # Told where the route looks for itself.
                return None
        return None if document is None else await check_document(reference, document, state.clock(), state.check)


class PublishingRoute(CheckedRoute):
    """A route that publishes what was checked: nobody else changes the registry meanwhile, and intake goes on."""

    keeps_registry = True
    read = staticmethod(draft_in)


async def checked_ahead(request: Request) -> Checked | None:
    """Give what was found before the transaction began; None where there was nothing to check."""
    found: Checked | None = request.state.checked
    return found


Ahead = Annotated[Checked | None, Depends(checked_ahead)]
