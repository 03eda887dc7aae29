"""The contract at /openapi.json: the bytes of the file that was released, and no work at a request."""

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from app.api import openapi
from app.api.known_bytes import Encodings, unless_known

HERE = Path(__file__).parent
SHIPPED = HERE / "description" / "openapi.json"
"""Where an installed package has the contract; in a checkout it is read where it is written."""
WRITTEN = HERE.parents[1] / "openapi" / "openapi.json"

router = APIRouter(include_in_schema=False)


class Contract:
    """The contract of an API, as it was prepared, or else as it is worked out when it is first asked for."""

    def __init__(self, api: FastAPI, prepared: bytes | None) -> None:
        self._api = api
        self._prepared = prepared
        self._lock = Lock()

    @cached_property
    def document(self) -> dict[str, Any]:
        """Give it as a document; to work it out takes a second or two, so not within an event loop."""
        with self._lock:
            if self._prepared is None:
                return openapi.document(self._api)
            found: dict[str, Any] = orjson.loads(self._prepared)
            return found

    @cached_property
    def written(self) -> bytes:
        """Give its bytes."""
        return self._prepared if self._prepared is not None else as_file(self.document)


def as_file(document: dict[str, Any]) -> bytes:
    """Write the document as its file has it."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def prepared() -> bytes | None:
    """Give the file that ships with this service; None where there is none. A check keeps it as the code says."""
    return next((path.read_bytes() for path in (SHIPPED, WRITTEN) if path.is_file()), None)


# Not async: where nothing is prepared, the work is done beside the event loop.
@router.get("/openapi.json")
def read_contract(request: Request, encodings: Encodings = "") -> Response:
    """Give the contract."""
    contract: Contract = request.app.state.contract
    headers = {"Cache-Control": "public, no-cache", "Vary": "Accept-Encoding"}
    return unless_known(request, contract.written, "application/json", headers, encodings)
