"""What the description says an answer leads to is there, and leads there."""

from typing import Any

import pytest

from app.api import examples
from app.api.description.links import LINKS
from tests.workflows.conftest import PPU, RECEIVER, Service


@pytest.fixture
async def document(service: Service) -> dict[str, Any]:
    """The description, as it is served."""
    return dict((await (await service.as_agency(PPU)).get("/openapi.json")).json())


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_link_names_an_operation_an_answer_and_parameters_that_are_there(document: dict[str, Any]) -> None:
    known = operations(document)

    for source, by_status in LINKS.items():
        for status, links in by_status.items():
            shown = known[source][2]["responses"][status]["links"]
            assert shown.keys() == links.keys()
            for link in shown.values():
                parameters = known[link["operationId"]][2]["parameters"]
                names = {
                    (one if "name" in one else document["components"]["parameters"][one["$ref"].rpartition("/")[2]])[
                        "name"
                    ]
                    for one in parameters
                }
                assert set(link["parameters"]) <= names, (source, link)


async def test_links_of_a_referral_and_of_its_handoff_lead_to_what_they_name(
    service: Service, document: dict[str, Any]
) -> None:
    known = operations(document)
    referral = await service.submit(examples.REFERRAL)

    def follow(link: dict[str, Any], body: Any) -> tuple[str, str]:
        method, path, _ = known[link["operationId"]]
        for name, at in link["parameters"].items():
            found = body
            for part in at.removeprefix("$response.body#/").split("/"):
                found = found[int(part)] if isinstance(found, list) else found[part]
            path = path.replace(f"{{{name}}}", str(found))
        return method.upper(), path.removeprefix("/v1")

    links = LINKS["submit_referral"]["201"]
    for name, agency in (("read_referral", PPU), ("read_handoff", PPU), ("read_decision", PPU)):
        method, path = follow(links[name], referral)
        assert (await service.call(agency, method, path)).status_code == 200, name

    handed = await service.read(PPU, follow(links["read_handoff"], referral)[1])
    method, path = follow(LINKS["read_handoff"]["200"]["accept_handoff"], handed)
    assert (await service.call(handed["agency"], method, path)).status_code == 200
    assert handed["agency"] == RECEIVER
