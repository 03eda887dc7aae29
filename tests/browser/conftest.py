"""What tests in a real browser start from: a running Lintas, Chromium, and people who are signed in."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.async_api import Browser, ViewportSize, async_playwright

from app.domain.caller import Role
from tests.browser.town import Town, a_town
from tests.browser.visitor import Visitor

PHONE: ViewportSize = {"width": 360, "height": 740}
NARROWEST: ViewportSize = {"width": 320, "height": 640}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
seen_by_everybody = pytest.mark.parametrize(
    ("size", "language", "colours"),
    [
        (NARROWEST, "id-ID", "dark"),
        (PHONE, "en-GB", "light"),
        (DESKTOP, "id-ID", "light"),
        (DESKTOP, "en-GB", "dark"),
    ],
    ids=["narrowest", "phone", "desktop light", "desktop dark"],
)
"""On each size of screen, in both languages, in light and dark."""


@pytest.fixture(scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A Lintas that runs, with the shipped agencies; what other tests did in it is still there."""
    async with a_town(Path(tmp_path_factory.mktemp("town")) / "data") as found:
        yield found


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["LINTAS_TEST_BROWSER"], args=["--no-sandbox"] if os.getuid() == 0 else []
        )
        yield browser
        await browser.close()


class Visit(Protocol):
    """Opens a browser of a person's own; `options` go to Playwright's new_context."""

    async def __call__(
        self,
        agency: str | None = None,
        *roles: Role,
        name: str = "Ibu Contoh",
        size: ViewportSize = DESKTOP,
        language: str = "id-ID",
        script: bool = True,
        **options: Any,
    ) -> Visitor: ...


@pytest.fixture
async def visit(town: Town, chromium: Browser) -> AsyncIterator[Visit]:
    """A function that gives a visitor, signed in where an agency is named: `await visit("uptd-ppa-ppu", RECEIVER)`.

    At the end of the test no visitor may have met an error, or have been led to ask anybody else for anything.
    """
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def come(
            agency: str | None = None,
            *roles: Role,
            name: str = "Ibu Contoh",
            size: ViewportSize = DESKTOP,
            language: str = "id-ID",
            script: bool = True,
            **options: Any,
        ) -> Visitor:
            context = await chromium.new_context(viewport=size, locale=language, java_script_enabled=script, **options)
            stack.push_async_callback(context.close)
            context.set_default_timeout(15_000)
            visitor = Visitor(town.at, context, await context.new_page())
            visitor.listen()
            visitors.append(visitor)
            if agency is not None:
                await visitor.page.goto(await town.link(agency, *roles, name=name))
                async with visitor.page.expect_navigation():
                    await visitor.page.locator("main button").click()
            return visitor

        yield come
        for visitor in visitors:
            visitor.undisturbed()
