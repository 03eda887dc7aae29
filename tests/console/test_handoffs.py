"""The work list of a receiving agency."""

import base64
import hashlib
import re
from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from app.domain.caller import Role
from tests.console.conftest import House
from tests.workflows.conftest import RECEIVER, a_referral

LIST = "/console/handoffs"


def lines(text: str) -> list[str]:
    """Give the urgency that each line of a list shows, in their order."""
    return re.findall(r'<th scope="row">.*?<strong class="tag \w+">(.*?)</strong>', text, re.DOTALL)


async def test_the_most_urgent_stands_first_and_says_how_much_time_is_left(house: House) -> None:
    for urgency in ("standard", "emergency", "urgent"):
        await house.service.submit(a_referral(urgency=urgency))
    browser = await house.signed_in()

    page = await browser.open(LIST)

    assert lines(page.text) == ["Darurat", "Mendesak", "Biasa"]
    assert "1 jam lagi" in page.text
    assert "4 Maret 2025 pukul 10.00 WITA" in page.text


async def test_nothing_personal_stands_in_a_list(house: House) -> None:
    await house.service.submit()
    browser = await house.signed_in()

    assert "Contoh Seorang" not in (await browser.open(LIST)).text


async def test_an_offer_that_ran_out_is_said_to_be_late(house: House) -> None:
    await house.service.submit(a_referral(urgency="emergency"))
    house.service.clock.advance(timedelta(hours=2))
    browser = await house.signed_in(language="en")

    page = await browser.open(LIST)

    assert "1 hour overdue" in page.text
    assert "10:00 WITA" in page.text


async def test_each_part_of_the_list_shows_what_is_in_it(house: House) -> None:
    browser = await house.signed_in()
    answers = [await house.service.submit() for _ in range(3)]
    first, second, third = (one["service_requests"][0]["handoff"]["id"] for one in answers)
    await house.service.act(RECEIVER, second, "accept")
    await house.service.act(RECEIVER, second, "start")
    await house.service.act(RECEIVER, third, "decline", reason="no_capacity")

    waiting, under_way, ended = [
        (await browser.open(f"{LIST}{query}")).text for query in ("", "?part=under_way", "?part=ended")
    ]

    assert (first in waiting, second in waiting, third in waiting) == (True, False, False)
    assert (first in under_way, second in under_way, third in under_way) == (False, True, False)
    assert (first in ended, second in ended, third in ended) == (False, False, True)


async def test_a_long_list_goes_on_where_the_page_before_ended(house: House) -> None:
    ids = set()
    for urgency in ("standard", "emergency", "standard", "urgent", "emergency"):
        answer = await house.service.submit(a_referral(urgency=urgency))
        ids.add(answer["service_requests"][0]["handoff"]["id"])
    browser = await house.signed_in()

    seen, urgencies, address = [], [], f"{LIST}?limit=2"
    while address:
        page = await browser.open(address)
        seen += re.findall(r'href="/console/handoffs/([0-9a-f-]{36})"', page.text)
        urgencies += lines(page.text)
        found = re.search(r'href="([^"]*)" rel="next"', page.text)
        address = found[1].replace("&amp;", "&") if found else ""
        assert len(seen) <= 5

    assert set(seen) == ids
    assert len(seen) == len(ids)
    assert urgencies == ["Darurat", "Darurat", "Mendesak", "Biasa", "Biasa"]


@pytest.mark.parametrize("query", ["?part=nothing", "?after=x", "?limit=0", "?limit=x"])
async def test_an_address_that_cannot_be_read_is_a_page_that_says_so(house: House, query: str) -> None:
    browser = await house.signed_in()

    answer = await browser.open(f"{LIST}{query}")

    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_another_agency_sees_nothing_of_it(house: House) -> None:
    await house.service.submit()
    other = await house.signed_in("dp3a-kukar", Role.RECEIVER)

    assert "Tidak ada yang menunggu Anda." in (await other.open(LIST)).text


@pytest.mark.parametrize(
    "moment", ["2025-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2025-02-31"]
)
async def test_a_place_in_the_list_that_there_cannot_be_is_refused(house: House, moment: str) -> None:
    browser = await house.signed_in()
    bound = hashlib.sha256(orjson.dumps([LIST, []])).hexdigest()[:12]
    written = orjson.dumps([bound, 0, moment, UUID(int=0)])

    page = await browser.open(f"{LIST}?after={base64.urlsafe_b64encode(written).rstrip(b'=').decode()}")

    assert page.status_code == 400
