"""What holds for every page of the console: what it says of itself, whose forms count, and how one leaves."""

import re

import pytest
from sqlalchemy import func, select

from app.console.words import WORDS
from app.domain.caller import Role
from app.storage.tables import console_sessions
from tests.console.conftest import House, hidden
from tests.workflows.conftest import KUKAR

LIST = "/console/handoffs"
LOADED = re.compile(r'(?:src|href|action)="([^"]*)"')


async def sessions_in(house: House) -> int:
    async with house.service.sessions.begin() as tx:
        return await tx.scalar(select(func.count()).select_from(console_sessions)) or 0


async def test_a_page_is_kept_nowhere_and_loads_nothing_from_elsewhere(house: House) -> None:
    browser = await house.signed_in()
    await house.service.submit()

    answer = await browser.open(LIST)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'; style-src 'self'" in policy
    assert "form-action 'self' https://harmless.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert all(one.startswith(("/console", "#")) for one in LOADED.findall(answer.text))
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


async def test_the_title_of_a_page_says_nothing_of_a_case(house: House) -> None:
    browser = await house.signed_in()
    await house.service.submit()

    for path in (LIST, "/console/sign-in", "/console/nothing"):
        title = re.search(r"<title>(.*?)</title>", (await browser.open(path)).text)
        assert title is None or not re.search("kekerasan|violence|hukum|legal|korban", title[1], re.IGNORECASE)


async def test_assets_may_be_kept_for_ever_because_their_address_changes_with_them(house: House) -> None:
    browser = await house.browser()
    page = await browser.open("/console/sign-in")

    for address in re.findall(r'"(/console/assets/[^"]*)"', page.text):
        answer = await browser.open(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert (await browser.open(address.replace("/assets/", "/assets/0"))).status_code == 404


@pytest.mark.parametrize("csrf", ["", "0" * 64, "of another"])
async def test_a_form_that_is_not_of_this_session_changes_nothing(house: House, csrf: str) -> None:
    browser, other = await house.signed_in(), await house.signed_in(name="Ibu Lain")
    theirs = hidden(await other.open(LIST), "/console/sign-out")["csrf"]

    answer = await browser.post("/console/sign-out", {"csrf": theirs if csrf == "of another" else csrf})

    assert answer.status_code == 403
    assert "Tidak ada yang diubah" in answer.text
    assert (await browser.open(LIST)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://lintas.test"},
    ],
)
async def test_a_post_from_elsewhere_changes_nothing_even_with_the_right_token(
    house: House, headers: dict[str, str]
) -> None:
    browser = await house.signed_in()
    fields = hidden(await browser.open(LIST), "/console/sign-out")

    answer = await browser.post("/console/sign-out", fields, **headers)

    assert answer.status_code == 403
    assert (await browser.open(LIST)).status_code == 200


async def test_an_old_browser_says_by_its_origin_where_a_post_comes_from(house: House) -> None:
    browser = await house.signed_in()
    fields = hidden(await browser.open(LIST), "/console/sign-out")

    refused = await browser.client.post("/console/sign-out", data=fields, headers={"Origin": "https://evil.example"})
    taken = await browser.client.post("/console/sign-out", data=fields, headers={"Origin": "https://lintas.test"})

    assert (refused.status_code, taken.status_code) == (403, 303)


async def test_a_post_after_the_session_is_over_says_so_and_changes_nothing(house: House) -> None:
    browser = await house.signed_in()
    fields = hidden(await browser.open(LIST), "/console/sign-out-everywhere")
    await browser.send(await browser.open(LIST), "/console/sign-out")

    answer = await browser.post("/console/sign-out-everywhere", fields)

    assert answer.status_code == 401
    assert "Sesi Anda sudah berakhir" in answer.text


async def test_leaving_ends_the_session_and_leads_to_a_harmless_page(house: House) -> None:
    browser = await house.signed_in()

    answer = await browser.send(await browser.open(LIST), "/console/leave")

    assert answer.status_code == 303
    assert answer.headers["location"] == "https://harmless.example/"
    assert await sessions_in(house) == 0
    assert (await browser.open(LIST)).status_code == 303


async def test_who_is_signed_in_nowhere_can_leave_too(house: House) -> None:
    browser = await house.browser()

    answer = await browser.send(await browser.open("/console/sign-in"), "/console/leave")

    assert answer.headers["location"] == "https://harmless.example/"


async def test_a_page_speaks_the_language_of_the_browser_until_another_is_chosen(house: House) -> None:
    browser = await house.signed_in(language="en-GB,en;q=0.8")
    first = await browser.open(LIST)

    answer = await browser.send(first, "/console/language", language="id")
    second = await browser.follow(answer)

    assert '<html lang="en">' in first.text
    assert "Work list" in first.text
    assert '<html lang="id">' in second.text
    assert "Daftar kerja" in second.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/console/../v1", "/console/\\evil", ""])
async def test_choosing_a_language_leads_nowhere_else(house: House, back: str) -> None:
    browser = await house.browser()

    answer = await browser.post("/console/language", {"language": "en", "back": back})

    assert answer.headers["location"] == "/console"


async def test_what_is_not_there_and_what_is_another_roles_look_the_same(house: House) -> None:
    coordinator = await house.signed_in(KUKAR, Role.COORDINATOR)

    nowhere, not_theirs = await coordinator.open("/console/nowhere"), await coordinator.open(LIST)

    assert nowhere.status_code == not_theirs.status_code == 404
    key = re.compile(r'name="form_key" value="[^"]*"')
    assert key.sub("", nowhere.text).replace("/console/nowhere", LIST) == key.sub("", not_theirs.text).replace(
        'aria-current="page"', ""
    )


async def test_who_asks_for_a_page_of_another_role_is_in_the_audit(house: House) -> None:
    coordinator = await house.signed_in(KUKAR, Role.COORDINATOR, name="Ibu Koordinator")

    await coordinator.open(LIST)

    assert await house.who_did("show_handoffs") == ["Ibu Koordinator"]


def test_every_text_is_there_in_both_languages_with_the_same_gaps() -> None:
    gaps = re.compile(r"{(\w+)}")
    for key, text in WORDS.items():
        assert text.id.strip(), key
        assert text.en.strip(), key
        assert sorted(gaps.findall(text.id)) == sorted(gaps.findall(text.en)), key
