"""A caseworker of a receiving agency, from what waits to a service that was given, in a real browser."""

from typing import Any

import pytest
from playwright.async_api import ViewportSize, expect

from app.domain.caller import Role
from tests.browser.conftest import DESKTOP, NARROWEST, PHONE, Visit
from tests.browser.town import Town

RECEIVER = "uptd-ppa-ppu"
VICTIM: dict[str, Any] = {
    "name": "Contoh Seorang",
    "sex": "female",
    "age": 31,
    "safe_contact": {"phone": "0812 0000 0000", "instructions": "Telepon sesudah pukul 9 pagi."},
}
SERVICE: dict[str, Any] = {"type": "legal_service", "note": "Perlu penerjemah bahasa isyarat."}


@pytest.mark.parametrize(
    ("size", "language", "colours"),
    [(PHONE, "id-ID", "light"), (DESKTOP, "en-GB", "dark"), (NARROWEST, "en-GB", "light")],
    ids=["phone", "desktop", "narrowest"],
)
async def test_a_service_is_taken_on_and_given(
    town: Town, visit: Visit, size: ViewportSize, language: str, colours: str
) -> None:
    indonesian = language == "id-ID"
    handoff = await town.offer(urgency="urgent", victim=VICTIM, services=[SERVICE])
    visitor = await visit(RECEIVER, Role.RECEIVER, size=size, language=language, color_scheme=colours)

    await visitor.open(f"/console/handoffs/{handoff}")
    await visitor.check()
    assert SERVICE["note"] in await visitor.text()
    assert VICTIM["name"] not in await visitor.text()
    await visitor.press("Terima" if indonesian else "Accept")
    await visitor.check()
    assert VICTIM["name"] in await visitor.text()
    assert "Telepon sesudah pukul 9 pagi." in await visitor.text()

    await visitor.press("Mulai layanan" if indonesian else "Start the service")
    await visitor.follow("Selesaikan" if indonesian else "Complete")
    await visitor.check()
    await visitor.press("Selesaikan" if indonesian else "Complete")
    await visitor.check()
    assert await visitor.page.evaluate("document.activeElement.className") == "summary"
    await visitor.page.get_by_label("Layanan diberikan" if indonesian else "The service was given", exact=True).check()
    await visitor.press("Selesaikan" if indonesian else "Complete")
    await visitor.check()

    assert (await town.call(RECEIVER, Role.RECEIVER, "GET", f"/handoffs/{handoff}"))["state"] == "completed"


async def test_an_offer_is_declined_by_the_keyboard_alone(town: Town, visit: Visit) -> None:
    handoff = await town.offer()
    visitor = await visit(RECEIVER, Role.RECEIVER)
    await visitor.open(f"/console/handoffs/{handoff}/decline")
    keys = visitor.page.keyboard

    await visitor.page.get_by_label("Tidak ada kapasitas").focus()
    await keys.press("Space")
    await keys.press("Tab")
    await keys.type("Petugas kami sedang cuti.")
    for _ in range(2):
        await keys.press("Tab")
    async with visitor.page.expect_navigation():
        await keys.press("Enter")

    assert "Ditolak. Lembaga berikutnya ditanya." in await visitor.text()


async def test_an_offer_is_read_and_accepted_without_script(town: Town, visit: Visit) -> None:
    handoff = await town.offer(victim=VICTIM)
    visitor = await visit(RECEIVER, Role.RECEIVER, script=False)

    await visitor.open(f"/console/handoffs/{handoff}")
    await visitor.press("Terima")

    assert VICTIM["name"] in await visitor.text()


async def test_who_answers_after_somebody_else_is_told_how_it_stands(town: Town, visit: Visit) -> None:
    handoff = await town.offer()
    visitor = await visit(RECEIVER, Role.RECEIVER, size=PHONE)
    await visitor.open(f"/console/handoffs/{handoff}")
    await town.act(RECEIVER, handoff, "accept")

    await visitor.press("Terima")
    await visitor.check()

    assert "Keadaan sekarang: Diterima." in await visitor.text()
    await visitor.follow("Lihat keadaan sekarang")
    assert visitor.page.url == f"{town.at}/console/handoffs/{handoff}"


async def test_with_the_network_gone_nothing_is_sent_and_what_was_written_stays(town: Town, visit: Visit) -> None:
    handoff = await town.offer()
    visitor = await visit(RECEIVER, Role.RECEIVER, size=PHONE)
    await visitor.open(f"/console/handoffs/{handoff}/decline")
    await visitor.page.get_by_label("Tidak ada kapasitas").check()
    await visitor.page.locator("#f-note").fill("Petugas kami sedang cuti.")

    await visitor.context.set_offline(True)
    await visitor.page.get_by_role("button", name="Tolak", exact=True).click()
    await expect(visitor.page.locator("[data-offline]")).to_be_visible()
    await visitor.check()
    assert await visitor.page.locator("#f-note").input_value() == "Petugas kami sedang cuti."
    await visitor.context.set_offline(False)
    await visitor.press("Tolak")

    assert "Ditolak. Lembaga berikutnya ditanya." in await visitor.text()


async def test_nobody_is_named_in_the_address_or_the_title(town: Town, visit: Visit) -> None:
    handoff = await town.offer(victim=VICTIM)
    visitor = await visit(RECEIVER, Role.RECEIVER)
    await visitor.open(f"/console/handoffs/{handoff}")
    await visitor.press("Terima")

    assert await visitor.page.title() == "Penawaran \N{EN DASH} Lintas"
    assert visitor.page.url == f"{town.at}/console/handoffs/{handoff}"


async def test_the_pictures_of_the_documents(town: Town, visit: Visit) -> None:
    handoff = await town.offer(urgency="urgent", victim=VICTIM, services=[SERVICE])
    phone = await visit(RECEIVER, Role.RECEIVER, size=PHONE)
    await phone.open(f"/console/handoffs/{handoff}")
    await phone.picture("console-handoff-phone")
    desktop = await visit(RECEIVER, Role.RECEIVER, size=DESKTOP)
    await desktop.open(f"/console/handoffs/{handoff}/decline")
    await desktop.picture("console-decline-desktop")
    await phone.press("Terima")
    await desktop.open(f"/console/handoffs/{handoff}")
    await desktop.picture("console-handoff-desktop")
