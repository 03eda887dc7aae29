"""Signing in, looking at the work list, and leaving, in a real browser."""

import re

import pytest
from playwright.async_api import Route, ViewportSize

from app.domain.caller import Role
from tests.browser.conftest import DESKTOP, NARROWEST, PHONE, Visit
from tests.browser.town import Town

RECEIVER = "uptd-ppa-ppu"
OUTSIDE = "https://www.google.com/"


async def harmless(route: Route) -> None:
    """Stand for the page that leaving leads to: a test asks nobody outside."""
    await route.fulfill(body="<title>harmless</title>harmless", content_type="text/html")


@pytest.mark.parametrize(
    ("size", "language", "colours"),
    [
        (NARROWEST, "id-ID", "light"),
        (PHONE, "en-GB", "dark"),
        (DESKTOP, "id-ID", "dark"),
        (DESKTOP, "en-GB", "light"),
    ],
    ids=["narrowest", "phone", "desktop dark", "desktop light"],
)
async def test_a_caseworker_signs_in_and_sees_what_waits(
    town: Town, visit: Visit, size: ViewportSize, language: str, colours: str
) -> None:
    await town.offer(urgency="emergency")
    visitor = await visit(RECEIVER, Role.RECEIVER, size=size, language=language, color_scheme=colours)

    assert visitor.page.url == f"{town.at}/console/handoffs"
    assert ("Darurat" if language == "id-ID" else "Emergency") in await visitor.text()
    await visitor.check()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_the_pages_before_signing_in_can_be_used_by_everybody(
    town: Town, visit: Visit, size: ViewportSize
) -> None:
    visitor = await visit(size=size)

    for path in ("/console/sign-in", "/console/nowhere", "/console/sign-in/link/" + "x" * 43):
        await visitor.open(path)
        await visitor.check()
    await visitor.page.goto(await town.link(RECEIVER, Role.RECEIVER))
    await visitor.check()


async def test_the_link_that_the_operator_prints_signs_in(town: Town, visit: Visit) -> None:
    visitor = await visit()

    await visitor.page.goto(await town.lintas("sign-in", RECEIVER, "--role", "receiver", "--name", "Ibu Tercetak"))
    await visitor.press("Masuk sebagai Ibu Tercetak")

    assert visitor.page.url == f"{town.at}/console/handoffs"


async def test_leaving_shows_a_harmless_page_and_ends_the_session(visit: Visit) -> None:
    visitor = await visit(RECEIVER, Role.RECEIVER)
    visitor.elsewhere = frozenset({"www.google.com"})
    await visitor.context.route(f"{OUTSIDE}**", harmless)

    await visitor.page.get_by_role("button", name="Keluar cepat").click()
    await visitor.page.wait_for_url(OUTSIDE)

    await visitor.open("/console/handoffs")
    assert "/console/sign-in" in visitor.page.url


async def test_pressing_escape_three_times_leaves_too_and_takes_the_page_out_of_the_history(
    town: Town, visit: Visit
) -> None:
    visitor = await visit(RECEIVER, Role.RECEIVER)
    visitor.elsewhere = frozenset({"www.google.com"})
    await visitor.context.route(f"{OUTSIDE}**", harmless)
    await visitor.open("/console/handoffs?part=ended")

    for _ in range(2):
        await visitor.page.keyboard.press("Escape")
    assert visitor.page.url.startswith(town.at)
    await visitor.page.keyboard.press("Escape")
    await visitor.page.wait_for_url(OUTSIDE)

    # What lies before is asked for again, and the session is over: nothing of it is shown.
    await visitor.page.go_back()
    assert "/console/sign-in" in visitor.page.url


async def test_leaving_works_without_script(visit: Visit) -> None:
    visitor = await visit(RECEIVER, Role.RECEIVER, script=False)
    visitor.elsewhere = frozenset({"www.google.com"})
    await visitor.context.route(f"{OUTSIDE}**", harmless)

    await visitor.page.get_by_role("button", name="Keluar cepat").click()
    await visitor.page.wait_for_url(OUTSIDE)

    await visitor.open("/console/handoffs")
    assert "/console/sign-in" in visitor.page.url


async def test_leaving_works_while_the_network_is_gone(town: Town, visit: Visit) -> None:
    visitor = await visit(RECEIVER, Role.RECEIVER)
    visitor.elsewhere = frozenset({"www.google.com"})
    await visitor.context.route(f"{OUTSIDE}**", harmless)
    await visitor.context.route(f"{town.at}/console/leave", lambda route: route.abort())

    for _ in range(3):
        await visitor.page.keyboard.press("Escape")
    await visitor.page.wait_for_url(OUTSIDE)

    # That nobody could be told is said where nobody sees it.
    visitor.errors = [error for error in visitor.errors if "ERR_FAILED" not in error]


async def test_the_time_that_is_left_goes_on_being_counted(town: Town, visit: Visit) -> None:
    await town.offer(urgency="emergency")
    visitor = await visit(RECEIVER, Role.RECEIVER)
    await visitor.page.clock.install()
    await visitor.open("/console/handoffs")
    first = visitor.page.locator("tr", has_text="Darurat").last.locator(".left")

    await visitor.page.clock.fast_forward("20:00")
    assert re.fullmatch(r"(39|40) menit lagi", await first.inner_text())
    await visitor.page.clock.fast_forward("50:00")
    assert re.fullmatch(r"terlambat (9|10|11) menit", await first.inner_text())


async def test_who_writes_for_long_stays_signed_in(visit: Visit) -> None:
    visitor = await visit(RECEIVER, Role.RECEIVER)
    await visitor.page.clock.install()
    await visitor.open("/console/handoffs")

    await visitor.page.clock.fast_forward("06:00")
    async with visitor.page.expect_response("**/console/here") as answered:
        await visitor.page.evaluate("document.body.dispatchEvent(new Event('input', { bubbles: true }))")

    assert (await answered.value).status == 204


async def test_a_language_is_kept_until_another_is_chosen(town: Town, visit: Visit) -> None:
    visitor = await visit(RECEIVER, Role.RECEIVER)

    await visitor.press("English")

    assert visitor.page.url == f"{town.at}/console/handoffs"
    assert await visitor.page.locator("html").get_attribute("lang") == "en"
    assert "Waiting for you" in await visitor.text()


async def test_everything_can_be_reached_by_the_keyboard_alone(town: Town, visit: Visit) -> None:
    await town.offer()
    visitor = await visit(RECEIVER, Role.RECEIVER)

    await visitor.page.keyboard.press("Tab")
    first = await visitor.page.evaluate("document.activeElement.className")
    await visitor.page.keyboard.press("Enter")
    reached = await visitor.page.evaluate("document.activeElement.id")
    for _ in range(3):
        await visitor.page.keyboard.press("Tab")
    tab = await visitor.page.evaluate("document.activeElement.textContent")

    assert (first, reached, tab) == ("skip", "content", "Sudah berakhir")


async def test_the_pictures_of_the_documents(town: Town, visit: Visit) -> None:
    for urgency in ("emergency", "urgent", "standard"):
        await town.offer(urgency=urgency)
    for size, name in ((PHONE, "phone"), (DESKTOP, "desktop")):
        visitor = await visit(RECEIVER, Role.RECEIVER, size=size)
        await visitor.picture(f"console-work-list-{name}")
