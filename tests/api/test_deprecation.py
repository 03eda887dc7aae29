"""A route that is declared deprecated says so by itself, everywhere."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from app.api.dependencies import Sender
from app.api.deprecation import Deprecation, deprecated
from app.api.openapi import document
from app.api.route import v1_router
from app.domain.caller import Role
from tests.conftest import ClientFactory, KeyFactory

SINCE, SUNSET = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, 17, tzinfo=UTC)
TOLD = {
    "Deprecation": "@1767225600",
    "Sunset": "Thu, 31 Dec 2026 17:00:00 GMT",
    "Link": '</docs/api-stability>; rel="deprecation"',
}
router = v1_router("notes")


@router.get("/old-notes")
@deprecated(Deprecation(since=SINCE, sunset=SUNSET, read="/docs/api-stability"))
async def list_old_notes(_: Sender) -> dict[str, bool]:
    """List notes as before."""
    return {"old": True}


@router.get("/notes")
async def list_notes(_: Sender) -> dict[str, bool]:
    """List notes."""
    return {"old": False}


async def test_a_deprecated_route_says_so_in_every_answer_and_the_log_who_uses_it(
    a_client: ClientFactory, a_key: KeyFactory
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    with capture_logs() as logs:
        good = await client.get("/v1/old-notes")
        refused = await client.get("/v1/old-notes?no=1")
        other = await client.get("/v1/notes")

    assert (good.status_code, refused.status_code, other.status_code) == (200, 400, 200)
    for answer in (good, refused):
        assert {name: answer.headers[name] for name in TOLD} == TOLD
    assert not TOLD.keys() & {name.title() for name in other.headers}
    used = [line for line in logs if line["event"] == "deprecated_operation_used"]
    assert [(line["route"], line["agency"]) for line in used] == [("/v1/old-notes", "dp3a-kukar")] * 2
    assert all(line["key_id"] for line in used)


async def test_who_is_not_known_is_told_too(a_client: ClientFactory) -> None:
    client = await a_client(router)

    answer = await client.get("/v1/old-notes")

    assert answer.status_code == 401
    assert {name: answer.headers[name] for name in TOLD} == TOLD


def test_the_description_marks_it_and_describes_the_headers() -> None:
    app = FastAPI(version="1")
    app.include_router(router)

    described = document(app)

    old, new = (described["paths"][path]["get"] for path in ("/v1/old-notes", "/v1/notes"))
    assert old["deprecated"] is True
    assert "deprecated" not in new
    assert old["responses"]["200"]["headers"].keys() >= TOLD.keys()
    assert not TOLD.keys() & new["responses"]["200"]["headers"].keys()
    assert described["components"]["headers"].keys() >= TOLD.keys()


def test_nothing_ends_before_it_was_deprecated() -> None:
    with pytest.raises(ValueError, match="ends after"):
        Deprecation(since=SUNSET, sunset=SINCE)
