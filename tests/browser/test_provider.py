"""Signing in at a provider in a real browser: out by a form, back by a redirect, with the cookies that this needs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser

from app.domain.clock import SettableClock
from tests.browser.conftest import PHONE
from tests.browser.town import a_town
from tests.browser.visitor import Visitor
from tests.console.providers import CLIENT, SECRET, AccountProvider, a_provider


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_person_signs_in_at_the_provider_and_out_of_it(chromium: Browser, tmp_path: Path, script: bool) -> None:
    clock = SettableClock(datetime.now(UTC))  # noqa: TID251 - the service is a process of its own, on the real clock
    async with a_provider(clock) as provider:
        provider.says = {"end_session_endpoint": f"{provider.url}/end"}
        settings = {
            "LINTAS_SIGN_IN__ISSUER": provider.url,
            "LINTAS_SIGN_IN__CLIENT_ID": CLIENT,
            "LINTAS_SIGN_IN__CLIENT_SECRET": SECRET,
        }
        async with a_town(tmp_path / "data", **settings) as town:
            context = await chromium.new_context(viewport=PHONE, locale="id-ID", java_script_enabled=script)
            visitor = Visitor(town.at, context, await context.new_page(), elsewhere=hosts(provider))
            visitor.listen()

            await visitor.open("/console/handoffs?part=ended")
            await visitor.press("Masuk dengan akun lembaga Anda")

            assert visitor.page.url == f"{town.at}/console/handoffs"
            assert "Ibu Rina" in await visitor.page.locator("header").inner_text()
            await visitor.press("Keluar")
            assert visitor.page.url.startswith(f"{provider.url}/end?")
            await visitor.open("/console/handoffs")
            assert "/console/sign-in" in visitor.page.url
            visitor.undisturbed()
            await context.close()


def hosts(provider: AccountProvider) -> frozenset[str]:
    return frozenset({provider.url.removeprefix("http://")})
