"""An answer to a handoff may come without a body: as people write it, and as generated clients do."""

from typing import Any

import pytest

from tests.workflows.conftest import PPU, Service


async def offered(service: Service) -> tuple[str, str]:
    handoff = (await service.submit())["service_requests"][0]["handoff"]
    return handoff["agency"], f"/handoffs/{handoff['id']}"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"headers": {"Content-Type": "application/json"}}, id="nothing, which is JSON"),
        pytest.param({"json": {}}, id="an empty object"),
        pytest.param({"json": {"note": "Hari ini juga."}}, id="a note"),
    ],
)
async def test_an_offer_is_accepted_with_and_without_a_note(service: Service, sent: dict[str, Any]) -> None:
    agency, handoff = await offered(service)

    accepted = await service.call(agency, "POST", f"{handoff}/accept", **sent)

    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")


async def test_a_body_that_may_be_left_out_is_described_as_what_it_is_when_it_comes(service: Service) -> None:
    document = (await (await service.as_agency(PPU)).get("/openapi.json")).json()
    bodies = {
        operation["operationId"]: operation["requestBody"]
        for path in document["paths"].values()
        for operation in path.values()
        if "requestBody" in operation
    }

    optional = {name: body for name, body in bodies.items() if not body.get("required")}

    assert {"accept_handoff", "start_handoff", "resume_handoff"} <= optional.keys()
    for name, body in optional.items():
        assert "$ref" in body["content"]["application/json"]["schema"], f"{name}: clients are made to send null"
