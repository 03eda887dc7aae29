"""A change names the version it was made from."""

import pytest

from app.api.etags import IfMatch, etag
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
