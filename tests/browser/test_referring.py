"""A caseworker of a sending agency enters a referral and follows it, in a real browser."""

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, ViewportSize, expect

from app.domain.caller import Role
from tests.browser.conftest import DESKTOP, Visit
from tests.browser.town import Town
from tests.browser.visitor import Visitor

SENDER = "dp3ap2kb-ppu"
RECEIVER = "uptd-ppa-ppu"
NEW = "/console/referrals/new"
PHONE: ViewportSize = {"width": 390, "height": 844}
INDONESIAN = {
    "next": "Lanjut",
    "check": "Periksa sebelum dikirim",
    "send": "Kirim rujukan",
    "change": "Ubah isian",
    "incident": "Cari Tempat kejadian",
    "sent": "Rujukan terkirim",
    "follow": "Ikuti rujukan ini",
    "new": "Buat rujukan baru",
    "victim": "Nama korban",
}
ENGLISH = {
    "next": "Continue",
    "check": "Check before sending",
    "send": "Send the referral",
    "change": "Change something",
    "incident": "Search: Where it happened",
    "sent": "The referral was sent",
    "follow": "Follow this referral",
    "new": "Make a new referral",
    "victim": "Name of the victim",
}


async def caseworker(visit: Visit, **more: Any) -> Visitor:
    return await visit(SENDER, Role.SENDER, name="Ibu Contoh", **more)


async def show(visitor: Visitor, name: str) -> None:
    """Take a picture of the page from its top, where what is fixed to the screen stands."""
    await visitor.page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    await visitor.picture(name)


async def turn(page: Page, words: dict[str, str]) -> None:
    await page.locator(f'button[data-turn="1"]:visible:text-is("{words["next"]}")').click()


async def fill_in(page: Page, words: dict[str, str], *, visitor: Visitor | None = None, picture: str = "") -> None:
    """Fill the steps in, one after another, up to the last button."""

    async def at_step() -> None:
        if visitor is not None:
            await visitor.check()

    await page.locator("#f-sender_reference").fill(f"PPU/{uuid4().hex[:8]}")
    await page.locator('input[name="urgency"][value="urgent"]').check()
    await page.locator('input[name="case.types[]"][value="physical"]').check()
    await at_step()
    if visitor is not None and picture:
        await show(visitor, f"console-entry-{picture}")
    await turn(page, words)
    for name, sought, code in (("incident", "Sepaku", "64.09.04"), ("domicile", "Tenggarong", "64.02.06")):
        await page.locator(f"#sought-{name}").fill(sought)
        await page.locator(f'#found-{name} input[value="{code}"]').check()
    await at_step()
    if visitor is not None and picture:
        await show(visitor, f"console-places-{picture}")
    await turn(page, words)
    await page.locator("#f-victim-name").fill("Contoh Seorang")
    await page.locator("#f-victim-age").fill("31")
    await page.locator('input[name="victim.sex"][value="female"]').check()
    await at_step()
    await turn(page, words)
    await at_step()
    await turn(page, words)
    await page.locator('input[name="services[]"][value="legal_service"]').check()
    await page.locator("#f-note-legal_service").fill("Sidang minggu depan.")
    await page.locator('input[name="services[]"][value="health_service"]').check()
    await at_step()
    if visitor is not None and picture:
        await show(visitor, f"console-services-{picture}")
    await turn(page, words)
    await at_step()
    await turn(page, words)
    await page.locator('input[name="consent.basis"][value="victim"]').check()
    for part, value in (("", "4"), ("-month", "3"), ("-year", "2025"), ("-time", "09.00")):
        await page.locator(f"#f-consent-given_at{part}").fill(value)
    await at_step()


@pytest.mark.parametrize(
    ("size", "language", "words", "name"),
    [(PHONE, "id-ID", INDONESIAN, "phone"), (DESKTOP, "id-ID", INDONESIAN, "desktop"), (PHONE, "en-GB", ENGLISH, "")],
    ids=["phone", "desktop", "English"],
)
async def test_a_referral_is_entered_in_steps_checked_sent_and_followed(
    visit: Visit, size: ViewportSize, language: str, words: dict[str, str], name: str
) -> None:
    visitor = await caseworker(visit, size=size, language=language)
    page = visitor.page

    await visitor.check()
    await visitor.follow(words["new"])
    await fill_in(page, words, visitor=visitor, picture=name)
    await page.get_by_role("button", name=words["check"]).last.click()
    await expect(page.get_by_role("button", name=words["send"])).to_be_visible()
    await visitor.check()
    if name:
        await show(visitor, f"console-check-{name}")
    await page.locator("details summary").first.click()
    await visitor.check()

    await page.get_by_role("button", name=words["send"]).click()
    await expect(page.get_by_role("heading", name=words["sent"])).to_be_visible()
    assert re.fullmatch(r".*/console/referrals/[0-9a-f-]{36}/sent", page.url)
    await visitor.check()
    if name:
        await show(visitor, f"console-sent-{name}")
    await visitor.follow(words["follow"])
    await visitor.check()
    if name:
        await show(visitor, f"console-referral-{name}")
    assert "UPTD PPA Penajam Paser Utara" in await visitor.text()


async def test_what_is_typed_stays_in_the_page_and_nowhere_else(visit: Visit) -> None:
    visitor = await caseworker(visit)
    page = visitor.page
    await visitor.open(NEW)

    await fill_in(page, INDONESIAN)
    await page.get_by_role("button", name=INDONESIAN["check"]).last.click()
    await expect(page.get_by_role("button", name=INDONESIAN["send"])).to_be_visible()

    assert page.url.endswith(NEW)
    kept = await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, history.state]")
    assert kept == [0, 0, "", None]
    await page.go_back()
    await expect(page.locator("#f-victim-name")).to_have_value("Contoh Seorang")


async def test_a_fault_leads_to_its_step_and_everything_typed_is_still_there(visit: Visit) -> None:
    visitor = await caseworker(visit, size=PHONE)
    page = visitor.page
    await visitor.open(NEW)
    await fill_in(page, INDONESIAN)
    await page.locator("#f-consent-given_at-time").fill("pagi")
    await page.get_by_role("button", name=INDONESIAN["check"]).last.click()

    await expect(page.locator(".summary")).to_be_focused()
    await visitor.check()
    await page.locator(".summary a").first.click()

    await expect(page.locator("#f-consent-given_at")).to_be_focused()
    await expect(page.locator("#f-victim-name")).to_have_value("Contoh Seorang")


async def test_with_the_network_gone_the_form_stays_and_is_sent_once(town: Town, visit: Visit) -> None:
    visitor = await caseworker(visit)
    page = visitor.page
    await visitor.open(NEW)
    await fill_in(page, INDONESIAN)
    check, send = (page.get_by_role("button", name=INDONESIAN[name]) for name in ("check", "send"))

    await visitor.context.set_offline(True)
    await check.last.click()
    await expect(page.locator('[data-trouble="offline"]')).to_be_visible()
    await visitor.check()
    await visitor.context.set_offline(False)
    await check.last.click()
    await expect(send).to_be_visible()

    # The post arrives, and its answer does not.
    answers = 0

    async def lose_the_answer(route: object) -> None:
        nonlocal answers
        answers += 1
        if answers == 1:
            await route.fetch(max_redirects=0)  # type: ignore[attr-defined]
            await route.abort()  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await page.route("**/console/referrals", lose_the_answer)
    before = len((await town.call(SENDER, Role.SENDER, "GET", "/referrals?limit=200"))["items"])
    await send.click()
    await expect(page.locator('[data-trouble="offline"]').first).to_be_visible()
    await send.click()
    await expect(page.get_by_role("heading", name=INDONESIAN["sent"])).to_be_visible()

    assert len((await town.call(SENDER, Role.SENDER, "GET", "/referrals?limit=200"))["items"]) == before + 1
    visitor.errors = [one for one in visitor.errors if "Failed to load resource: net::" not in one]


async def test_a_session_that_ends_meanwhile_loses_nothing(town: Town, visit: Visit) -> None:
    visitor = await caseworker(visit)
    page = visitor.page
    await visitor.open(NEW)
    await fill_in(page, INDONESIAN)
    other = await visitor.context.new_page()
    await other.goto(f"{town.at}/console/referrals")
    async with other.expect_navigation():
        await other.get_by_role("button", name="Keluar", exact=True).click()

    await page.get_by_role("button", name=INDONESIAN["check"]).last.click()
    await expect(page.locator('[data-trouble="signed-out"]')).to_be_visible()
    await other.goto(await town.link(SENDER, Role.SENDER, name="Ibu Contoh"))
    async with other.expect_navigation():
        await other.locator("main button").click()
    await page.get_by_role("button", name=INDONESIAN["check"]).last.click()

    await expect(page.get_by_role("button", name=INDONESIAN["send"])).to_be_visible()


async def test_without_script_all_steps_are_one_page_and_places_are_searched_by_a_button(visit: Visit) -> None:
    visitor = await caseworker(visit, script=False, size=PHONE)
    page = visitor.page
    await visitor.open(NEW)

    assert await page.locator("section.step:visible").count() == 7
    assert await page.locator("[data-turn]:visible").count() == 0
    await page.locator("#f-sender_reference").fill(f"PPU/{uuid4().hex[:8]}")
    await page.locator("#sought-incident").fill("Sepaku")
    await visitor.press(INDONESIAN["incident"])
    await page.locator('#found-incident input[value="64.09.04"]').check()
    await page.locator('input[name="urgency"][value="urgent"]').check()
    await page.locator('input[name="case.types[]"][value="physical"]').check()
    await page.locator('input[name="services[]"][value="legal_service"]').check()
    await page.locator('input[name="consent.basis"][value="none"]').check()
    async with page.expect_navigation():
        await page.get_by_role("button", name=INDONESIAN["check"]).last.click()
    await visitor.press(INDONESIAN["change"])
    assert await page.locator('#found-incident input[value="64.09.04"]').is_checked()
    async with page.expect_navigation():
        await page.get_by_role("button", name=INDONESIAN["check"]).last.click()
    await visitor.press(INDONESIAN["send"])

    assert "Rujukan Anda tersimpan" in await visitor.text()


async def test_a_referral_is_entered_by_the_keyboard_alone(visit: Visit) -> None:
    visitor = await caseworker(visit)
    page = visitor.page
    await visitor.open(NEW)

    async def to(selector: str) -> None:
        """Go on with Tab until something has the focus."""
        for _ in range(150):
            await page.keyboard.press("Tab")
            if await page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"{selector} is not reached")

    async def press_on() -> None:
        await to('button[data-turn="1"]')
        await page.keyboard.press("Enter")

    await to("#f-sender_reference")
    await page.keyboard.type(f"PPU/{uuid4().hex[:8]}")
    await to('input[name="urgency"]')
    await page.keyboard.press("ArrowDown")
    await to('input[name="case.types[]"]')
    await page.keyboard.press("Space")
    await press_on()
    await to("#sought-incident")
    await page.keyboard.type("Sepaku")
    await page.keyboard.press("Enter")
    await expect(page.locator('#found-incident input[value="64.09.04"]')).to_be_visible()
    await to('input[name="locations.incident"]')
    await page.keyboard.press("Space")
    for _ in range(3):
        await press_on()
    await to('input[name="services[]"][value="legal_service"]')
    await page.keyboard.press("Space")
    await press_on()
    await press_on()
    await to('input[name="consent.basis"]')
    await page.keyboard.press("ArrowUp")
    await to(".actions .button:not([data-turn])")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name=INDONESIAN["send"])).to_be_visible()
    await to(".actions .button:not(.secondary)")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name=INDONESIAN["sent"])).to_be_visible()


async def test_the_other_pages_can_be_used_by_everybody(town: Town, visit: Visit) -> None:
    handoff = await town.offer(urgency="emergency", consent={"basis": "none"})
    referral = (await town.call(SENDER, Role.SENDER, "GET", "/referrals"))["items"][0]["id"]
    declined = await town.offer()
    await town.act(RECEIVER, declined, "decline", reason="no_capacity")
    assert handoff
    for size, language, name in ((PHONE, "id-ID", "phone"), (DESKTOP, "en-GB", "")):
        visitor = await caseworker(visit, size=size, language=language)
        await visitor.open("/console/referrals?part=all")
        await visitor.check()
        if name:
            await show(visitor, f"console-referrals-{name}")
        for page in ("", "/amend", "/cancel", "/void", "/withdraw-consent", "/confirm"):
            await visitor.open(f"/console/referrals/{referral}{page}")
            await visitor.check()
        await visitor.open(f"/console/referrals/{referral}")
        await visitor.page.locator('a[href*="/why/"]').first.click()
        await visitor.page.wait_for_load_state()
        await visitor.check()
