"""The feed over HTTP."""

import base64

import orjson

from tests.workflows.conftest import RECEIVER, Service, a_referral


async def test_a_cursor_with_a_number_past_64_bits_is_a_bad_parameter_and_no_fault_of_ours(service: Service) -> None:
    await service.submit(a_referral())
    feed = await service.read(RECEIVER, "/events?limit=1")
    cursor = feed["next"]
    bound, _, last = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    forged = base64.urlsafe_b64encode(orjson.dumps([bound, 2**64 - 1, last])).rstrip(b"=").decode()

    answer = await service.call(RECEIVER, "GET", f"/events?limit=1&after={forged}")

    assert answer.status_code == 400
