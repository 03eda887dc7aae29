"""A person at a browser: what they see, and what must never happen meanwhile."""

import os
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request

PICTURES = Path(__file__).parents[2] / "docs" / "images"
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
FINDINGS = """async (options) => (await axe.run(document, options)).violations.map(
    (one) => [one.impact, one.id, one.nodes.map((node) => node.target.join(" "))])"""
SMALL_TARGETS = """() => [...document.querySelectorAll("button, input, select, textarea, .button, nav a")]
    .filter((one) => one.getClientRects().length)
    .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5).map(([html]) => html)"""


@dataclass
class Visitor:
    """A browser of one person, which writes down what goes wrong in it."""

    at: str
    context: BrowserContext
    page: Page
    elsewhere: frozenset[str] = frozenset()
    """Hosts that may be asked for something too: where leaving leads, and the provider."""
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Write down errors, and requests to anywhere else."""
        self.context.on("request", self._asked)
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def _asked(self, request: Request) -> None:
        host = urlsplit(request.url).netloc
        if host not in {urlsplit(self.at).netloc, *self.elsewhere}:
            self.strangers.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        # That a page of status 404 or 409 was loaded, Chromium calls an error too.
        if message.type == "error" and not message.text.startswith("Failed to load resource: the server responded"):
            self.errors.append(message.text)

    async def open(self, path: str) -> None:
        """Open a page of the console."""
        await self.page.goto(f"{self.at}{path}")

    async def press(self, name: str) -> None:
        """Press a button, and wait for where it leads."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=name, exact=True).click()

    async def follow(self, name: str) -> None:
        """Follow the first link of a name."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("link", name=name).first.click()

    async def text(self) -> str:
        """Give what the page says."""
        return await self.page.locator("main").inner_text()

    async def check(self) -> None:
        """See that the page can be used by everybody: axe finds nothing, nothing overflows, nothing is too small."""
        await self.page.evaluate(AXE)
        found: list[Any] = await self.page.evaluate(FINDINGS, RULES)
        assert not found, f"{self.page.url}: {found}"
        wider = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{self.page.url}: {wider} px wider than the screen"
        small = await self.page.evaluate(SMALL_TARGETS)
        assert not small, f"{self.page.url}: too small to be hit: {small}"

    async def picture(self, name: str) -> None:
        """Take the picture if the documents show it, where they are to be made anew (LINTAS_TEST_PICTURES)."""
        if "LINTAS_TEST_PICTURES" not in os.environ or not _is_shown(name):
            return
        await self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")

    def undisturbed(self) -> None:
        """See that no error was said, and nobody else was asked for anything."""
        assert not self.errors
        assert not self.strangers


def _is_shown(name: str) -> bool:
    return any(f"images/{name}.png" in path.read_text("utf-8") for path in PICTURES.parent.glob("**/*.md"))
