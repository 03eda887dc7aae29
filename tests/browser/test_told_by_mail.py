"""An office without a server: told by mail, opened from the link in it, and answered on a phone."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.delivery.mail import Security
from app.domain.caller import Role
from tests.browser.conftest import PHONE, Visit
from tests.browser.town import Town, a_town
from tests.delivery.mailboxes import Mailbox, a_mailbox

RECEIVER, OFFICE = "uptd-ppa-ppu", "kantor@uptd.example"
NAME = "Contoh Seorang"


@pytest.fixture(scope="module")
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server on this machine."""
    async with a_mailbox(Security.STARTTLS) as box:
        yield box


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> AsyncIterator[Town]:
    """A Lintas that sends mail by it, over TLS."""
    place = Path(tmp_path_factory.mktemp("mailing"))
    trusted = place / "authority.pem"
    trusted.write_text(mailbox.authority.pem)
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(mailbox.port),
        "SENDER": "lintas@lembaga.example",
        "CA_FILE": str(trusted),
    }
    async with a_town(place / "data", **{f"LINTAS_MAIL__{name}": value for name, value in settings.items()}) as found:
        yield found


async def mailed(mailbox: Mailbox, wanted: Callable[[str], bool]) -> str:
    """Give the first mail that says what is wanted, as soon as it is there."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for message in mailbox.messages:
            if wanted(text := str(message.get_content())):
                return text
        await asyncio.sleep(0.05)
    raise AssertionError([message["Subject"] for message in mailbox.messages])


async def test_an_offer_that_came_by_mail_is_opened_from_its_link_and_accepted_on_a_phone(
    town: Town, mailbox: Mailbox, visit: Visit
) -> None:
    endpoint = await town.call(RECEIVER, Role.RECEIVER, "POST", "/endpoints", json={"url": f"mailto:{OFFICE}"})
    proof = await mailed(mailbox, lambda text: "Kode / Code:" in text)
    code = re.findall(r"Kode / Code: (\S+)", proof)[0]
    await town.call(RECEIVER, Role.RECEIVER, "POST", f"/endpoints/{endpoint['id']}/verify", json={"challenge": code})
    handoff = await town.offer(urgency="emergency", victim={"name": NAME, "sex": "female", "age": 31})

    text = await mailed(mailbox, lambda text: handoff in text)
    link = re.findall(r"http://\S+/console/handoffs/\S+", text)[0]
    assert NAME not in text

    stranger = await visit(size=PHONE)
    await stranger.page.goto(link)
    assert "/console/sign-in" in stranger.page.url

    visitor = await visit(RECEIVER, Role.RECEIVER, size=PHONE)
    await visitor.page.goto(link)
    await visitor.check()
    await visitor.press("Terima")
    await visitor.check()

    assert visitor.page.url == f"{town.at}/console/handoffs/{handoff}"
    assert NAME in await visitor.text()
    kept = await town.call(RECEIVER, Role.RECEIVER, "GET", f"/handoffs/{handoff}")
    assert kept["state"] == "accepted"
    assert all(mailbox.secured)
