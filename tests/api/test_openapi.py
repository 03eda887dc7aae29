"""The contract: complete, said once, and readable without anything from elsewhere."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api import examples
from app.api.application import build
from app.api.contract import WRITTEN, prepared
from app.api.description.field_words import FIELDS, PARAMETERS
from app.api.description.wording import UNSAID
from app.api.webhook_contract import fields_of
from app.domain.clock import SettableClock
from app.domain.events import EventType
from app.domain.webhook import headers_of, new_secret
from app.main import ROUTERS
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from openapi.changes import resolved
from tests.api.notes import router as notes
from tests.api.test_pages import router as pages
from tests.conftest import NoReference
from tests.told import description
from tests.workflows.conftest import PPU, Service

NOW = datetime(2025, 3, 3, 6, 30, tzinfo=UTC)


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
            assert [list(one) for one in operation["security"]] == [["key"], ["token"], ["certificate"]]
            assert {"401", "403", "429", "500", "503"} <= operation["responses"].keys()
            assert ("404" in operation["responses"]) == ("{" in path), operation["operationId"]
            headers = [one["name"] for one in operation.get("parameters", []) if one["in"] == "header"]
            assert headers.count("Idempotency-Key") == (method == "post")
    assert len(seen) == len(set(seen)), "an operationId is the name of one function"


def test_every_operation_is_told_in_words_and_by_example() -> None:
    document = description()
    wanting = []
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        name = operation["operationId"]
        for parameter in operation.get("parameters", ()):
            shown = {"example", "examples"} & parameter.keys() or re.search(
                r"'(examples|enum|\$ref)'|'boolean'", str(parameter["schema"])
            )
            if not parameter.get("description") or not shown:
                wanting.append((name, parameter["name"]))
        body = operation.get("requestBody")
        if body is not None and not body.get("description"):
            wanting.append((name, "body"))
        for status, said in operation["responses"].items():
            answer = resolved(document, said)
            if answer.get("description") in {"", None, UNSAID}:
                wanting.append((name, status))
            json_answer = answer.get("content", {}).get("application/json", {"examples": True})
            if not json_answer.get("examples"):
                wanting.append((name, f"{status} without an example"))
        if not operation["summary"] or len(operation["summary"]) > 120 or operation["summary"].endswith("."):
            wanting.append((name, "summary"))
    assert wanting == []


def test_every_schema_and_every_field_says_what_it_is() -> None:
    schemas = description()["components"]["schemas"]

    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    assert [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, said in schema.get("properties", {}).items()
        if "$ref" not in said and not said.get("description")
    ] == []


def test_no_word_for_a_field_or_a_parameter_is_left_over() -> None:
    document = description()
    fields = {field for schema in document["components"]["schemas"].values() for field in schema.get("properties", ())}
    parameters = {
        parameter["name"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
    }

    assert FIELDS.keys() <= fields
    assert PARAMETERS.keys() <= parameters


def test_a_route_says_its_role_and_whether_it_insists_on_an_idempotency_key(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/notes"]["post"]

    assert operation["x-roles"] == ["sender"]
    assert "Needs the role sender." in operation["description"]
    (parameter,) = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
    assert parameter["required"] is True
    optional = document["paths"]["/v1/notes/refuse"]["post"]["parameters"]
    assert {one["name"]: one["required"] for one in optional} == {"Idempotency-Key": False, "Accept-Language": False}


def test_what_is_referred_to_is_there(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", str(document))):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
    assert "HTTPValidationError" not in str(document)


def test_a_change_says_that_it_needs_the_version_it_was_made_from(document: dict[str, Any]) -> None:
    def if_match(path: str, method: str) -> list[bool]:
        parameters = document["paths"][path][method].get("parameters", [])
        return [one["required"] for one in parameters if one["name"] == "If-Match"]

    assert if_match("/v1/referrals/{referral_id}/amend", "post") == [True]
    assert if_match("/v1/endpoints/{endpoint_id}", "put") == [True]
    assert if_match("/v1/agencies/{code}/services/{service_type}", "put") == [True]
    assert if_match("/v1/agencies/{code}", "put") == [False]
    assert if_match("/v1/agreements/{id}/versions/{version}/publish", "post") == [False]
    assert if_match("/v1/referrals", "post") == []
    put = set(document["paths"]["/v1/agencies/{code}"]["put"]["responses"])
    assert put >= {"200", "201", "412", "428"}


def test_an_answer_tells_its_headers(document: dict[str, Any]) -> None:
    def told(path: str, method: str, code: str) -> set[str]:
        return set(document["paths"][path][method]["responses"][code]["headers"])

    always = {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Lintas-Key-Expires"}
    assert told("/v1/referrals", "post", "201") == {*always, "ETag", "Location", "Idempotency-Replayed"}
    assert told("/v1/referrals", "get", "200") == {*always, "Link"}
    assert told("/v1/agencies/{code}", "put", "201") == {*always, "ETag"}
    refused = document["components"]["responses"]
    assert "WWW-Authenticate" in refused["Unauthenticated"]["headers"]
    assert "Retry-After" in refused["RateLimited"]["headers"]
    assert document["servers"][0]["url"] == "/"


def test_a_schema_tells_what_is_refused(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    amendment = schemas["ReferralAmendment"]
    assert amendment["minProperties"] == 1
    for field in (
        amendment["properties"]["urgency"],
        amendment["properties"]["consent"],
        schemas["CaseAmendment"]["properties"]["types"],
    ):
        assert "null" not in str(field)
        assert "default" not in field
    assert schemas["ReasonToWithdraw"]["enum"] == ["no_longer_needed", "wrong_agency", "victim_request", "other"]
    assert schemas["EndpointBody"]["properties"]["url"]["format"] == "uri"
    (key,) = [
        one for one in document["paths"]["/v1/referrals"]["post"]["parameters"] if one["name"] == "Idempotency-Key"
    ]
    pattern = re.compile(key["schema"]["pattern"])
    assert pattern.search("a key ~")
    assert not pattern.search("a\tkey")


def test_every_type_of_news_is_told_of_as_a_webhook(document: dict[str, Any]) -> None:
    assert document["webhooks"].keys() == {*EventType}

    for type_, webhook in document["webhooks"].items():
        body = webhook["post"]["requestBody"]["content"]["application/json"]
        schema = document["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
        assert schema["properties"]["type"]["const"] == type_
        assert body["examples"]["posted"]["value"]["type"] == type_
        headers = {one["name"]: one["required"] for one in webhook["post"]["parameters"]}
        signed = headers_of("m", NOW, b"", [new_secret()])
        assert headers == {**dict.fromkeys(signed, True), "lintas-sandbox": False}
        assert webhook["post"]["operationId"] == f"receive_{type_.replace('.', '_')}"
        assert webhook["post"]["summary"]


async def test_what_is_told_is_as_the_contract_says(service: Service) -> None:
    taken = (await service.submit())["service_requests"][0]["handoff"]
    for action, body in (("accept", {}), ("start", {}), ("complete", examples.COMPLETE)):
        assert (await service.act(taken["agency"], taken["id"], action, **body)).status_code == 200
    await service.call(PPU, "POST", "/endpoints", json=examples.NEW_ENDPOINT)

    told = {type_: data for agency in (PPU, taken["agency"]) for type_, data in await service.news(agency)}

    assert {type_.partition(".")[0] for type_ in told} >= {"handoff", "service_request", "referral", "endpoint"}
    for type_, data in told.items():
        contract = fields_of(EventType(type_))
        if type_ == EventType.ENDPOINT_VERIFICATION:
            contract = {**contract, "required": ["endpoint_id"]}
        Draft202012Validator(contract).validate(data)
        assert data.keys() <= contract["properties"].keys(), type_


async def test_the_contract_is_served_as_its_file_and_not_again_to_who_has_it(
    key_ring: KeyRing, clock: SettableClock
) -> None:
    def serving(contract: bytes | None) -> httpx.AsyncClient:
        api = build(
            ROUTERS,
            sessions=async_sessionmaker[AsyncSession](),
            key_ring=key_ring,
            reference=NoReference(),
            clock=clock,
            terms=Terms(),
            prepared=contract,
        )
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://lintas.test")

    async with serving(WRITTEN.read_bytes()) as client:
        first = await client.get("/openapi.json")
        again = await client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
        plain = await client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    async with serving(None) as client:
        worked_out = await client.get("/openapi.json")

    assert first.content == plain.content == worked_out.content == WRITTEN.read_bytes()
    assert (first.headers["Content-Type"], first.headers["Content-Encoding"]) == ("application/json", "gzip")
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["ETag"] == worked_out.headers["ETag"] != plain.headers["ETag"]
    assert prepared() == WRITTEN.read_bytes()
