"""The manual and the reference of the API, as a browser meets them: whole, in two languages, and all from here."""

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api.application import build
from app.api.docs import library as manual
from app.api.docs.library import HERE, REFERENCE, Library, library
from app.api.docs.markdown import render
from app.api.docs.words import WORDS
from app.api.language import Language
from app.domain.clock import SettableClock
from app.main import ROUTERS
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from tests.conftest import NoReference

SLUGS = [slug for chapter in library().chapters for slug in chapter.slugs]
PATHS = ["/docs", "/docs/id", "/docs/en", *(f"/docs/{language}/{slug}" for language in ("id", "en") for slug in SLUGS)]
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Seen(HTMLParser):
    """What a page holds: its anchors, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.headings: list[int] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.anchors.add(given["id"] or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in LOADS and given.get("rel") != "alternate" and (source := given.get(LOADS[tag])):
            self.loads.append(source)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "style" or (tag == "script" and "src" not in given) or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if "style" in given:
            self.inline.append(tag)


def served(*, docs: bool = True) -> httpx.AsyncClient:
    """A client of the pages, which need no database."""
    api = build(
        ROUTERS,
        sessions=async_sessionmaker[AsyncSession](),
        key_ring=KeyRing.generate("none"),
        reference=NoReference(),
        clock=SettableClock(datetime(2025, 3, 4, tzinfo=UTC)),
        terms=Terms(),
        docs=docs,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://lintas.test")


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with served() as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_whole_and_loads_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    seen = Seen(answer.text)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert seen.loads
    assert all(one.startswith("/docs/assets/") for one in seen.loads)
    assert seen.inline == [], "the policy lets no inline style or script run"
    assert ("<script" in answer.text) == path.endswith(f"/{REFERENCE}")
    assert seen.headings.count(1) == 1
    assert seen.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(seen.headings, seen.headings[1:], strict=False))
    for source in seen.loads:
        asset = await client.get(source)
        assert asset.status_code == 200, source
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_every_link_within_the_manual_leads_somewhere(client: httpx.AsyncClient) -> None:
    pages = {path: Seen((await client.get(path)).text) for path in PATHS}

    broken = []
    for path, seen in pages.items():
        for link in seen.links:
            target, fragment = urldefrag(link)
            if target.startswith(("http://", "https://")):
                continue
            if (target or path) == "/openapi.json":
                continue
            there = pages.get(target or path)
            if there is None or (fragment and fragment not in there.anchors):
                broken.append((path, link))

    assert broken == []


async def test_a_page_is_in_the_readers_language_and_says_which(client: httpx.AsyncClient) -> None:
    async def told(path: str, accept: str = "") -> tuple[str, str | None, str | None]:
        answer = await client.get(path, headers={"Accept-Language": accept})
        return answer.headers["Content-Location"], answer.headers["Content-Language"], answer.headers["Vary"]

    negotiated, fixed = "Accept-Language, Accept-Encoding", "Accept-Encoding"
    assert await told("/docs") == ("/docs/id", "id", negotiated)
    assert await told("/docs", "en-GB,en;q=0.9,id;q=0.4") == ("/docs/en", "en", negotiated)
    assert await told("/docs", "de, fr;q=0.9") == ("/docs/id", "id", negotiated)
    assert await told("/docs?lang=en", "id") == ("/docs/en", "en", negotiated)
    assert await told("/docs/webhooks?lang=en", "id") == ("/docs/en/webhooks", "en", negotiated)
    assert await told("/docs/en/webhooks", "id") == ("/docs/en/webhooks", "en", fixed)
    assert (await client.get("/docs?lang=fr")).json()["code"] == "invalid_parameter"


def test_what_the_frame_says_is_there_in_both_languages() -> None:
    only_one = {"in_english", "in_indonesian"}

    for word, text in WORDS.items():
        assert (text.id and text.en) or word in only_one, word


async def test_a_page_that_has_not_changed_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/docs/en")
    again = await client.get("/docs/en", headers={"If-None-Match": first.headers["ETag"]})
    plain = await client.get("/docs/en", headers={"Accept-Encoding": "identity"})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.headers["ETag"] != plain.headers["ETag"]
    assert first.text == plain.text
    assert first.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "path",
    [
        "/docs/en/nothing",
        "/docs/fr/webhooks",
        "/docs/nothing",
        "/docs/assets/0000000000000000/site.css",
        "/docs/en/..%2f..%2fREADME",
        "/docs/assets/x/..%2f..%2froutes.py",
    ],
)
async def test_what_is_not_in_the_manual_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_path")


async def test_the_manual_is_off_where_the_settings_say_so() -> None:
    async with served(docs=False) as client:
        for path in ("/docs", "/docs/en", "/docs/en/api", "/docs/assets/x/site.css"):
            assert (await client.get(path)).json()["code"] == "no_such_path"
        assert (await client.get("/openapi.json")).status_code == 200


async def test_the_reference_lists_every_operation_also_where_no_script_runs(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs/en/api")
    contract = (await client.get("/openapi.json")).json()

    for operations in contract["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "script-src" not in (await client.get("/docs/en")).headers["Content-Security-Policy"]


def test_what_was_taken_from_others_is_as_they_released_it() -> None:
    written = (HERE / "assets/swagger-ui/README.md").read_text("utf-8")
    sums = dict(re.findall(r"\| (\S+) \| ([0-9a-f]{64}) \|", written))

    assert set(sums) == {"swagger-ui-bundle.js", "swagger-ui.css"}
    for name, expected in sums.items():
        assert hashlib.sha256((HERE / "assets/swagger-ui" / name).read_bytes()).hexdigest() == expected
    assert "Apache License" in (HERE / "assets/swagger-ui/LICENSE").read_text("utf-8")


def a_manual(root: Path, **pages: str) -> Library:
    for name, text in pages.items():
        path = root / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return Library(root)


def test_every_document_with_a_title_is_a_page_in_the_order_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "contents.yaml").write_text("- {id: Satu, en: One, pages: [second, missing, first]}\n", "utf-8")

    there = a_manual(tmp_path, first="# First\n", second="# Second\n", late="# Late\n", note="no title\n")

    assert [chapter.slugs for chapter in there.chapters] == [("second", "first"), ("late",)]
    assert there.chapters[1].title == WORDS["more"]


def test_a_page_is_read_in_the_other_language_where_it_is_there_in_that_alone(tmp_path: Path) -> None:
    there = a_manual(tmp_path, one="# One\n[two](two.md#b)\n", two="# Two\n", id__two="# Dua\n[satu](one.md)\n")

    assert there.language("one", Language.INDONESIAN) is Language.ENGLISH
    assert there.page("two", Language.INDONESIAN).title == "Dua"
    assert '<a href="/docs/id/two#b">' in there.page("one", Language.INDONESIAN).html
    assert '<a href="/docs/en/two#b">' in there.page("one", Language.ENGLISH).html


LINKS = [
    ("[out](https://example.org/x)", '<a href="https://example.org/x">out</a>'),
    ("[code](../app/main.py)", "<p>code</p>"),
    ("[gone](missing.md)", "<p>gone</p>"),
    ("[contract](../openapi/openapi.json)", '<a href="/openapi.json">contract</a>'),
    ("[here](#part)", '<a href="#part">here</a>'),
]


@pytest.mark.parametrize(("written", "shown"), LINKS)
def test_a_link_leads_to_what_is_served_and_no_further(tmp_path: Path, written: str, shown: str) -> None:
    there = a_manual(tmp_path, page=f"# Page\n\n{written}\n")

    assert shown in there.page("page", Language.ENGLISH).html


def test_markup_is_shown_and_never_taken() -> None:
    page = render(
        "# T\n\n<script>alert(1)</script>\n\n<!-- generated: x -->\n\na <b>c</b> `<i>`\n", lambda target: target
    )

    assert "<script" not in page.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.html
    assert "generated" not in page.html
    assert "&lt;b&gt;c" in page.html


def test_a_heading_is_found_by_the_name_that_forges_give_it() -> None:
    page = render("# A page\n\n## A second person\n\n## `GET` & more: 2\n\n## A second person\n", lambda target: target)

    assert [one.anchor for one in page.headings] == ["a-page", "a-second-person", "get--more-2", "a-second-person-1"]
    assert page.title == "A page"


def test_what_is_wider_than_a_phone_can_be_scrolled_by_keyboard() -> None:
    page = render("# T\n\n![drawn](a.svg)\n\n```sh\nls\n```\n\n| a |\n|---|\n| b |\n", lambda target: target)

    assert '<p tabindex="0"><img src="a.svg" alt="drawn"' in page.html
    assert '<pre tabindex="0">' in page.html
    assert '<div class="wide" tabindex="0">' in page.html


def test_a_table_without_headings_has_no_empty_ones() -> None:
    page = render("# T\n\n| | |\n|---|---|\n| a | b |\n\n| x | |\n|---|---|\n| a | b |\n", lambda target: target)

    assert page.html.count("<thead>") == 1
    assert "<th></th>" not in page.html
    assert page.html.count('<div class="wide" tabindex="0"><table>') == 2


def test_the_manual_of_an_installed_package_goes_before_the_one_of_the_checkout() -> None:
    assert manual.SHIPPED.parent == HERE
    assert (manual.WRITTEN / "handoffs.md").exists()
