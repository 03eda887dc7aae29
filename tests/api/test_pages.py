"""Lists come in pages, and a cursor belongs to its list and its filters."""

import base64
import json
from typing import Annotated

import httpx
import pytest
from fastapi import Query

from app.api.dependencies import CurrentCaller
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer
from app.domain.caller import Role
from tests.conftest import ClientFactory, KeyFactory

router = v1_router("numbers")
NUMBERS = range(1, 121)


class Number(Answer):
    """A number."""

    value: int

    @classmethod
    def of(cls, value: int) -> "Number":
        """Show a number."""
        return cls(value=value)


def found(after: tuple[int] | None, paging: PageAsked, divisor: int = 1) -> list[int]:
    start = after[0] if after else 0
    return [number for number in NUMBERS if number > start and number % divisor == 0][: paging.look_ahead]


@router.get("/numbers")
async def list_numbers(_: CurrentCaller, paging: PageAsked, divisor: Annotated[int, Query(ge=1)] = 1) -> Page[Number]:
    """List numbers."""
    return paging.page(found(paging.after(int), paging, divisor), Number.of, lambda number: (number,))


@router.get("/others")
async def list_others(_: CurrentCaller, paging: PageAsked) -> Page[Number]:
    """List other numbers."""
    return paging.page(found(paging.after(int), paging), Number.of, lambda number: (number,))


@router.get("/feed")
async def read_feed(_: CurrentCaller, paging: PageAsked) -> Page[Number]:
    """Read a feed of numbers."""
    return paging.feed(found(paging.after(int), paging), Number.of, lambda number: (number,))


@pytest.fixture
async def client(a_client: ClientFactory, a_key: KeyFactory) -> httpx.AsyncClient:
    return await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))


async def test_every_item_comes_once_page_by_page(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    url = "/v1/numbers?divisor=2&limit=25"
    for _ in range(10):
        answer = await client.get(url)
        page = answer.json()
        seen += [item["value"] for item in page["items"]]
        if page["next"] is None:
            assert "Link" not in answer.headers
            break
        assert answer.headers["Link"].endswith('; rel="next"')
        url = answer.headers["Link"].partition(">")[0].removeprefix("<")
        assert page["next"] in url

    assert seen == [number for number in NUMBERS if number % 2 == 0]


async def test_a_page_holds_fifty_unless_said_and_never_more_than_two_hundred(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/v1/numbers")).json()["items"]) == 50
    assert len((await client.get("/v1/numbers?limit=200")).json()["items"]) == 120
    for limit in ("0", "201", "many"):
        answer = await client.get(f"/v1/numbers?limit={limit}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "limit"


async def test_a_cursor_of_another_list_or_other_filters_is_refused(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v1/numbers?divisor=2")).json()["next"]

    assert (await client.get(f"/v1/numbers?divisor=2&limit=3&after={cursor}")).status_code == 200
    for url in (f"/v1/numbers?divisor=3&after={cursor}", f"/v1/numbers?after={cursor}", f"/v1/others?after={cursor}"):
        answer = await client.get(url)
        assert answer.status_code == 400
        assert [(fault["parameter"], fault["code"]) for fault in answer.json()["errors"]] == [
            ("after", "malformed_cursor")
        ]


async def test_nonsense_for_a_cursor_is_refused_in_good_order(client: httpx.AsyncClient) -> None:
    good = (await client.get("/v1/others")).json()["next"]
    binding = json.loads(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))[0]
    for parts in ([], [binding], [binding, "x"], [binding, None], [binding, 1, 2], {"a": 1}, 7, "text"):
        cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
        assert (await client.get("/v1/others", params={"after": cursor})).status_code == 400, parts
    for cursor in ("!", "a", "\u00e9", "A" * 499, "A" * 501, "_-_-"):
        assert (await client.get("/v1/others", params={"after": cursor})).status_code == 400, cursor


async def test_a_feed_says_where_to_go_on_even_at_its_end(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/feed?limit=200")).json()
    second = (await client.get("/v1/feed", params={"limit": 10, "after": first["next"]})).json()

    assert len(first["items"]) == 120
    assert second == {"items": [], "next": first["next"]}
