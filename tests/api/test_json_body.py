"""Bodies are read strictly, and what is wrong with them is said in words and by place, never by value."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.api import json_body
from app.api.faults import MOST_FINDINGS, few
from app.api.json_body import DEEPEST, LARGEST, MOST_MEMBERS
from app.api.refusals import MalformedBody
from app.api.route import v1_router
from app.domain.caller import Role
from tests.conftest import ClientFactory, KeyFactory

router = v1_router("echo")


@router.post("/echo")
async def echo(body: dict[str, Any]) -> dict[str, Any]:
    """Say the same again."""
    return body


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


FAULTY = [
    (b"", "not_json", ""),
    (b"{", "not_json", ""),
    (b'{"a": 1,}', "not_json", ""),
    (b"[1] 2", "not_json", ""),
    (b"'a'", "not_json", ""),
    (b'{"a": "\xff"}', "not_utf8", ""),
    (b'{"a": "\xed\xa0\x80"}', "not_utf8", ""),
    (b'\xef\xbb\xbf{"a": 1}', "byte_order_mark", ""),
    ('{"a": 1}'.encode("utf-16"), "not_utf8", ""),
    (b'{"victim": {"name": "Si\\u0000ti"}}', "nul_character", "/victim/name"),
    (b'{"victim": {"Si\\u0000ti": 1}}', "nul_character", "/victim"),
    (b'{"list": [1, "\\ud800"]}', "lone_surrogate", "/list/1"),
    (b'{"list": [{"\\udfff": 1}]}', "lone_surrogate", "/list/0"),
    (b'{"a": NaN}', "not_finite", "/a"),
    (b'{"a": -Infinity}', "not_finite", "/a"),
    (b'{"a": 1e999}', "number_out_of_range", "/a"),
    (b'{"a": 9223372036854775808}', "number_out_of_range", "/a"),
    (b'{"a": ' + b"9" * 5000 + b"}", "number_out_of_range", "/a"),
    (b'{"a": {"b": 1, "c": 2, "b": 3}}', "duplicate_key", "/a"),
    (b'{"Siti Aminah": {"b": NaN}}', "not_finite", ""),
    (nested(DEEPEST + 1), "too_deep", "/a" * DEEPEST),
    (b"[" * 200_000, "too_deep", ""),
    (b'{"a": [' + b"0," * MOST_MEMBERS + b"0]}", "too_many", "/a"),
    (b"[" + b",".join([b"[" + b",".join([b"0"] * 900) + b"]"] * 40) + b"]", "too_many", ""),
    (b'{"a": {' + b",".join(b'"f%d": 0' % one for one in range(MOST_MEMBERS + 1)) + b"}}", "too_many", "/a"),
    (b'{"a":' * 50_000, "too_deep", ""),
]


@pytest.mark.parametrize(("body", "code", "pointer"), FAULTY)
def test_what_is_wrong_is_named_with_its_place(body: bytes, code: str, pointer: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        json_body.parse(body)

    assert [(finding.code, finding.pointer) for finding in caught.value.findings] == [(code, pointer)]


@pytest.mark.parametrize(
    "body",
    [
        nested(DEEPEST),
        b'{"a": 9223372036854775807, "b": -9223372036854775807, "c": 1.5e300, "d": null, "e": [], "f": ""}',
        '{"nama": "Sri \U0001f33a", "b": "\\ud83c\\udf3a"}'.encode(),
    ],
)
def test_what_is_right_is_taken(body: bytes) -> None:
    assert json_body.parse(body)


def test_every_fault_is_named_but_not_more_than_anybody_reads() -> None:
    with pytest.raises(MalformedBody) as caught:
        json_body.parse(b'{"a": NaN, "b": ["\\u0000", 1e999]}')

    assert [finding.pointer for finding in caught.value.findings] == ["/a", "/b/0", "/b/1"]

    with pytest.raises(MalformedBody) as caught:
        json_body.parse(b"[" + b"NaN," * 900 + b"NaN]")

    assert len(few(caught.value.findings)) == MOST_FINDINGS + 1
    assert few(caught.value.findings)[-1].code == "more_faults"


async def test_a_malformed_body_is_a_problem_that_repeats_nothing(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    headers = {"Content-Type": "application/json", "Accept-Language": "en"}

    answer = await client.post("/v1/echo", content=b'{"name": "Siti Aminah"\n  oops}', headers=headers)

    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "malformed_body"
    assert problem["errors"] == [{"pointer": "", "code": "not_json", "detail": "is not JSON, at line 2 column 3"}]
    assert "Siti" not in answer.text
    assert "oops" not in answer.text


async def test_a_body_may_have_256_kib_and_not_a_byte_more(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    headers = {"Content-Type": "application/json"}
    full = b'{"a": "' + b"x" * (LARGEST - 9) + b'"}'
    taken: list[int] = []

    async def chunks(body: bytes) -> AsyncIterator[bytes]:
        for place in range(0, len(body), 50_000):
            taken.append(place)
            yield body[place : place + 50_000]

    assert (await client.post("/v1/echo", content=full, headers=headers)).status_code == 200
    assert (await client.post("/v1/echo", content=chunks(full), headers=headers)).status_code == 200
    assert (await client.post("/v1/echo", content=full + b" ", headers=headers)).status_code == 413
    taken.clear()
    streamed = await client.post("/v1/echo", content=chunks(full * 20), headers=headers)
    assert streamed.status_code == 413
    assert streamed.json()["code"] == "body_too_large"
    assert len(taken) < 10, "it stops reading"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "Application/JSON; charset=UTF-8"}, 200),
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
async def test_only_json_in_utf8_is_read(
    a_client: ClientFactory, a_key: KeyFactory, headers: dict[str, str], status: int
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/echo", content=b'{"a": 1}', headers=headers)

    assert answer.status_code == status


async def test_no_body_where_one_is_needed_is_a_fault_of_the_whole(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/echo")

    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [("", "required")]
