"""A change names the version it was made from."""

import pytest

from app.api.etags import IfMatch, MaybeIfMatch, etag
from app.api.route import v1_router
from app.domain.caller import Role
from tests.conftest import ClientFactory, KeyFactory

router = v1_router("versions")
CURRENT = 7


@router.put("/version")
async def change_version(expected: IfMatch) -> dict[str, bool]:
    """Change what stands at version 7."""
    expected.check(CURRENT)
    return {"changed": True}


@router.put("/version-if")
async def change_version_if(expected: MaybeIfMatch) -> dict[str, bool]:
    """Change what stands at version 7, or whatever does."""
    if expected is not None:
        expected.check(CURRENT)
    return {"changed": True}


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"If-Match": etag(CURRENT)}, 200), ({"If-Match": etag(6)}, 412), ({"If-Match": ""}, 400)],
)
async def test_an_if_match_that_need_not_be_there_says_something_where_it_is(
    a_client: ClientFactory, a_key: KeyFactory, headers: dict[str, str], status: int
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    assert (await client.put("/v1/version-if", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 428, "precondition_required"),
        ({"If-Match": ""}, 428, "precondition_required"),
        ({"If-Match": etag(CURRENT)}, 200, None),
        ({"If-Match": f'{etag(6)} , {etag(CURRENT)},"other"'}, 200, None),
        ({"If-Match": f", ,{etag(6)},, {etag(CURRENT)} ,"}, 200, None),
        ({"If-Match": f",{etag(6)},"}, 412, "precondition_failed"),
        ({"If-Match": ", ,"}, 400, "invalid_parameter"),
        ({"If-Match": '*, "v7"'}, 400, "invalid_parameter"),
        ({"If-Match": "*"}, 200, None),
        ({"If-Match": etag(6)}, 412, "precondition_failed"),
        ({"If-Match": f"W/{etag(CURRENT)}"}, 412, "precondition_failed"),
        ({"If-Match": '"v7 "'}, 400, "invalid_parameter"),
        ({"If-Match": '"v\u0667"'}, 412, "precondition_failed"),
        ({"If-Match": '"7"'}, 412, "precondition_failed"),
        ({"If-Match": '"v99999999999999999999999"'}, 412, "precondition_failed"),
        ({"If-Match": "v7"}, 400, "invalid_parameter"),
        ({"If-Match": '"v7'}, 400, "invalid_parameter"),
        ({"If-Match": '"v7" "v8"'}, 400, "invalid_parameter"),
    ],
)
async def test_if_match_is_read_as_the_standard_says(
    a_client: ClientFactory, a_key: KeyFactory, headers: dict[str, str], status: int, code: str | None
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.put("/v1/version", headers={name.encode(): value.encode() for name, value in headers.items()})

    assert answer.status_code == status
    assert answer.json().get("code") == code
