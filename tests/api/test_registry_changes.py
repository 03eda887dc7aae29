"""The registry is changed from what was seen of it, and what is wrong with a change is said without repeating it."""

from typing import Any

import pytest

from tests.workflows.conftest import NATIONAL, Service

BODY: dict[str, Any] = {"name": "Lembaga Contoh", "kind": "ngo", "region": "64.09"}


def a_service(**more: Any) -> dict[str, Any]:
    return {"area": ["64.09"], **more}


async def test_a_new_agency_is_created_and_a_known_one_is_changed_from_its_version(service: Service) -> None:
    kind = (await service.read(NATIONAL, "/reference/code-sets"))["agency_kinds"][0]["code"]
    body = {**BODY, "kind": kind, "services": {"legal_service": a_service()}}
    path = "/agencies/lembaga-contoh"

    for if_match in ("*", '"v1"'):
        refused = await service.call(NATIONAL, "PUT", path, json=body, headers={"If-Match": if_match})
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert (await service.call(NATIONAL, "GET", path)).status_code == 404, "it was not created by the way"

    created = await service.call(NATIONAL, "PUT", path, json=body)
    assert created.status_code == 201, created.text
    again = await service.call(NATIONAL, "PUT", path, json=body)
    assert (again.status_code, again.json()["code"]) == (428, "precondition_required")
    changed = await service.call(NATIONAL, "PUT", path, json=body, headers={"If-Match": created.headers["ETag"]})
    assert changed.status_code == 200, changed.text
    late = await service.call(NATIONAL, "PUT", path, json=body, headers={"If-Match": created.headers["ETag"]})
    assert late.status_code == 412


@pytest.mark.parametrize("ages", [{"age_from": 18, "age_below": 18}, {"age_from": 60, "age_below": 18}])
async def test_a_service_for_nobody_is_refused(service: Service, ages: dict[str, int]) -> None:
    kind = (await service.read(NATIONAL, "/reference/code-sets"))["agency_kinds"][0]["code"]
    body = {**BODY, "kind": kind, "services": {"legal_service": a_service(**ages)}}

    answer = await service.call(NATIONAL, "PUT", "/agencies/lembaga-contoh", json=body)

    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("/services/legal_service/age_below", "nobody")
    ]


async def test_a_service_under_no_name_of_a_service_is_not_repeated(service: Service) -> None:
    for name in ("Siti Aminah", "siti-aminah", "3201234567890123", "siti/aminah"):
        body = {**BODY, "services": {name: {"area": [1], "siti": 1}}}

        answer = await service.call(NATIONAL, "PUT", "/agencies/lembaga-contoh", json=body)

        assert answer.status_code == 422
        assert "/services" in [fault["pointer"] for fault in answer.json()["errors"]]
        assert name not in answer.text
        assert "aminah" not in answer.text.lower()


async def test_the_worst_body_is_answered_in_few_words(service: Service) -> None:
    await service.read(NATIONAL, "/agencies?limit=1")
    lists = [
        {"area": [0] * 125_000},
        {"area": [0] * 1000},
        *({f"s{place}": {"area": [0] * 600} for place in range(100)},),
        {f"s{place}": {"area": [[]] * 1000} for place in range(80)},
    ]
    for services in lists:
        answer = await service.call(NATIONAL, "PUT", "/agencies/lembaga-contoh", json={**BODY, "services": services})

        assert answer.status_code in (400, 422)
        assert len(answer.content) < 10_000
        assert len(answer.json()["errors"]) <= 21
