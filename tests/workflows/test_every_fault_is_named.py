"""A body with many faults is answered with all of them, in one language, by pointer, and without a value."""

from typing import Any

import pytest

from tests.workflows.conftest import PPU, Service, a_referral

GIVEN = {"basis": "victim", "given_at": "2024-08-01T08:00:00+08:00"}
TWICE = [{"type": "legal_service"}, {"type": "legal_service"}]


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        (
            {
                "services": TWICE,
                "victim": {"guardian": {"is_perpetrator": True}},
                "consent": GIVEN | {"basis": "guardian"},
            },
            {"/services/1/type": "twice", "/consent/basis": "contradiction"},
        ),
        (
            {"services": TWICE, "avoid_regions": ["zz"], "victim": {"sex": "q", "birth_date": "1995-01-01", "age": 12}},
            {
                "/services/1/type": "twice",
                "/avoid_regions/0": "unknown_region",
                "/victim/sex": "unknown_code",
                "/victim/age": "contradiction",
            },
        ),
        (
            {"consent": {"basis": "victim", "agencies_refused": ["nobody"]}},
            {"/consent/given_at": "required", "/consent/agencies_refused/0": "unknown_agency"},
        ),
        (
            {"case": {"types": ["physical", "physical", "zz", "physical"]}},
            {"/case/types/1": "twice", "/case/types/2": "unknown_code", "/case/types/3": "twice"},
        ),
        ({"consent": {"basis": []}}, {"/consent/basis": "one_of"}),
        ({"consent": {"basis": {"victim": 1}}}, {"/consent/basis": "one_of"}),
        ({"victim": {"birth_date": "1995-01-01", "age": True}}, {"/victim/age": "whole_number_required"}),
        ({"victim": {"birth_date": "1800-01-01"}}, {"/victim/birth_date": "day_required"}),
        ({"victim": {"birth_date": "2199-01-01", "age": 3}}, {"/victim/birth_date": "in_future"}),
        (
            {"locations": {"incident": "64.99", "current": 64.02}},
            {"/locations/incident": "unknown_region", "/locations/current": "text_required"},
        ),
    ],
)
async def test_every_faulty_field_is_named_at_once(
    service: Service, changes: dict[str, Any], pointers: dict[str, str]
) -> None:
    answer = await service.call(PPU, "POST", "/referrals", json=a_referral(**changes))

    assert answer.status_code == 422
    assert {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]} == pointers


async def test_an_amendment_names_every_fault_too(service: Service) -> None:
    referral = await service.submit()

    answer = await service.call(
        PPU,
        "POST",
        f"/referrals/{referral['id']}/amend",
        json={"urgency": None, "consent": None, "case": {"types": None}, "conflicts": ["nobody"]},
        headers={"If-Match": "*"},
    )

    assert sorted(fault["pointer"] for fault in answer.json()["errors"]) == [
        "/case/types",
        "/conflicts/0",
        "/consent",
        "/urgency",
    ]


async def test_no_amendment_is_told_that_null_is_wanted_where_null_is_refused(service: Service) -> None:
    referral = await service.submit()
    path, latest = f"/referrals/{referral['id']}/amend", {"If-Match": "*"}

    for body, expected in (
        ({"urgency": "x"}, [("/urgency", "one_of")]),
        ({"consent": 5}, [("/consent", "object_required")]),
        ({"case": {"types": 5}}, [("/case/types", "list_required")]),
        ({"case": {"types": []}}, [("/case/types", "too_short")]),
        ({"urgency": None}, [("/urgency", "text_required")]),
        ({"case": {"types": ["nonsense"]}}, [("/case/types/0", "unknown_code")]),
        ({"consent": GIVEN | {"agencies": ["nobody"]}}, [("/consent/agencies/0", "unknown_agency")]),
        ({"consent": GIVEN | {"services": ["nonsense"]}}, [("/consent/services/0", "unknown_code")]),
        ({"consent": GIVEN | {"agencies": []}}, [("/consent/agencies", "too_short")]),
    ):
        answer = await service.call(PPU, "POST", path, json=body, headers=latest)
        assert answer.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == expected
