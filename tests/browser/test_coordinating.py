"""A coordinator's day in a real browser: what waits, why, and settling it."""

import pytest
from playwright.async_api import ViewportSize

from app.domain.caller import Role
from tests.browser.conftest import DESKTOP, Visit, seen_by_everybody
from tests.browser.town import Town
from tests.workflows.conftest import a_referral, denied, of

KUKAR = "dp3a-kukar"
PHONE: ViewportSize = {"width": 390, "height": 844}
LIST = "/console/service-requests"


async def waiting(town: Town, **changes: object) -> str:
    """Hand in a mediation of which the deciding fact is not known, and give the path of its page."""
    body = a_referral(**{"case": {"types": ["physical"]}, "services": [{"type": "mediation"}], **changes})
    request = of(await town.submit(body))
    assert request["state"] == "needs_coordinator"
    return f"{LIST}/{request['id']}"


@seen_by_everybody
async def test_every_page_of_a_coordinator_can_be_used_by_everybody(
    town: Town, visit: Visit, size: ViewportSize, language: str, colours: str
) -> None:
    path = await waiting(town, urgency="emergency")
    visitor = await visit(KUKAR, Role.COORDINATOR, size=size, language=language, color_scheme=colours)

    for one in (LIST, f"{LIST}?part=offered", path, f"{path}/place", f"{path}/amend", f"{path}/close-unmet"):
        await visitor.open(one)
        await visitor.check()
    for one in ("/console/reach", "/console/reach?part=silent", "/console/reach?part=all"):
        await visitor.open(one)
        await visitor.check()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_coordinator_learns_what_is_missing_supplies_it_and_sees_where_it_goes(
    town: Town, visit: Visit, size: ViewportSize
) -> None:
    path = await waiting(town)
    visitor = await visit(KUKAR, Role.COORDINATOR, size=size)

    await visitor.open(path)
    assert "Pelaku tinggal serumah" in await visitor.text()
    await visitor.press("Saya pegang")
    assert "Anda memegang permintaan ini." in await visitor.text()
    await visitor.follow("Lengkapi fakta")
    await visitor.page.get_by_role("group", name="Pelaku tinggal serumah").get_by_label("Tidak", exact=True).check()
    await visitor.press("Simpan dan putuskan ulang")

    assert "Fakta disimpan" in await visitor.text()
    assert visitor.page.url.endswith(path)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_coordinator_places_what_no_rule_can(town: Town, visit: Visit, *, script: bool) -> None:
    request = of(await town.submit(denied()))
    visitor = await visit(KUKAR, Role.COORDINATOR, script=script)

    await visitor.open(f"{LIST}/{request['id']}")
    await visitor.follow("Tawarkan ke lembaga")
    await visitor.press("Tawarkan")
    assert "Ada yang perlu diperbaiki" in await visitor.text()
    await visitor.check() if script else None
    await visitor.page.get_by_label("Lembaga lain", exact=True).check()
    await visitor.page.locator("select[name=another]").select_option(index=1)
    await visitor.page.get_by_label("Disepakati lewat telepon").check()
    await visitor.press("Tawarkan")

    assert "Layanan sudah ditawarkan." in await visitor.text()


async def test_a_coordinator_does_it_all_by_the_keyboard_alone(town: Town, visit: Visit) -> None:
    path = await waiting(town)
    visitor = await visit(KUKAR, Role.COORDINATOR)
    keyboard = visitor.page.keyboard

    async def tab_to(text: str) -> None:
        for _ in range(80):
            await keyboard.press("Tab")
            if text == await visitor.page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
            ):
                return
        raise AssertionError(f"no Tab leads to {text}")

    await visitor.open(path)
    await tab_to("Nyatakan tidak terpenuhi")
    async with visitor.page.expect_navigation():
        await keyboard.press("Enter")
    await tab_to("Tidak ada yang mampu")
    await keyboard.press("Space")
    await tab_to("Nyatakan tidak terpenuhi")
    async with visitor.page.expect_navigation():
        await keyboard.press("Enter")

    assert "Permintaan ini ditutup" in await visitor.text()


async def test_the_pictures_of_the_documents(town: Town, visit: Visit) -> None:
    path = await waiting(town, urgency="emergency")
    legal = of(await town.submit(a_referral(consent={"basis": "none"}, conflicts=["uptd-ppa-ppu"])))
    await town.submit(denied(urgency="urgent"))
    phone = await visit(KUKAR, Role.COORDINATOR, size=PHONE)
    await phone.open(LIST)
    await phone.picture("console-coordinator-list-phone")
    desktop = await visit(KUKAR, Role.COORDINATOR)
    await desktop.open(path)
    await desktop.picture("console-coordinator-request-desktop")
    await desktop.open(f"{LIST}/{legal['id']}/place")
    await desktop.picture("console-coordinator-place-desktop")
