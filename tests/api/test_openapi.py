"""The contract: complete, said once, and readable without anything from elsewhere."""

import re
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api.application import build
from app.domain.clock import SettableClock
from app.main import ROUTERS
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from tests.api.notes import router as notes
from tests.api.test_pages import router as pages
from tests.conftest import ClientFactory, NoReference


@pytest.fixture
def document(key_ring: KeyRing, clock: SettableClock) -> dict[str, Any]:
    api = build(
        (*ROUTERS, notes, pages),
        sessions=async_sessionmaker[AsyncSession](),
        key_ring=key_ring,
        reference=NoReference(),
        clock=clock,
        terms=Terms(),
    )
    return api.openapi()


def test_every_operation_says_who_may_and_what_may_go_wrong(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    seen: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert re.fullmatch(r"[a-z_]+", operation["operationId"])
            assert operation["description"], operation["operationId"]
            assert operation["tags"]
            seen.append(operation["operationId"])
            if not path.startswith("/v1/"):
                continue
            assert operation["security"] == [{"key": []}]
            assert operation["responses"]["4XX"] == {"$ref": "#/components/responses/Refused"}
            assert "422" not in operation["responses"]
            headers = [one["name"] for one in operation.get("parameters", []) if one["in"] == "header"]
            assert headers.count("Idempotency-Key") == (method == "post")
    assert len(seen) == len(set(seen)), "an operationId is the name of one function"


def test_a_route_says_its_role_and_whether_it_insists_on_an_idempotency_key(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/notes"]["post"]

    assert operation["x-roles"] == ["sender"]
    assert "Needs the role sender." in operation["description"]
    (parameter,) = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
    assert parameter["required"] is True
    optional = document["paths"]["/v1/notes/refuse"]["post"]["parameters"]
    assert [one["required"] for one in optional] == [False]


def test_what_is_referred_to_is_there(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", str(document))):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
    assert "HTTPValidationError" not in str(document)


async def test_the_docs_are_a_page_without_scripts_or_anything_from_elsewhere(a_client: ClientFactory) -> None:
    client = await a_client(notes)

    page = await client.get("/docs")
    contract = await client.get("/openapi.json")

    assert page.status_code == 200
    assert "write_note" in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "style-src 'sha256-" in page.headers["Content-Security-Policy"]
    assert contract.json()["info"]["title"] == "Lintas"
