"""The manual's pages: what is there, in which language, and in which order it is read."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from app.api.docs.markdown import Rendered, render, title_of
from app.api.docs.words import WORDS
from app.api.language import Language
from app.api.problem_texts import Text

HERE = Path(__file__).parent
SHIPPED = HERE / "manual"
"""Where an installed package has the manual; in a checkout it is read where it is written."""
WRITTEN = HERE.parents[2] / "docs"
REFERENCE = "api"
"""The page of the API reference, which is made of the contract and no document."""
OUTSIDE = {"openapi.json": "/openapi.json"}
MEDIA = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".css": "text/css",
    ".js": "text/javascript",
    ".txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """Pages that belong together, in their order."""

    title: Text
    slugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a page needs: its bytes, and a digest that its address carries, so that it may be kept for ever."""

    name: str
    body: bytes
    media_type: str
    digest: str

    @property
    def address(self) -> str:
        """Give the path it is served at."""
        return f"/docs/assets/{self.digest}/{self.name}"


class Library:
    """The manual in a directory: English beside it, other languages each in a directory named by its code."""

    def __init__(self, root: Path) -> None:
        """Read from a directory; what is there is looked at once."""
        self.root = root
        self._texts: dict[tuple[str, Language], str] = {}
        for language in Language:
            for path in sorted(_of(root, language).glob("*.md")):
                text = path.read_text("utf-8")
                if title_of(text) is not None:
                    self._texts[path.stem, language] = text
        self._rendered: dict[tuple[str, Language], Rendered] = {}

    @cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """List the pages in their order: as contents.yaml has them, then those that it does not know."""
        order = self.root / "contents.yaml"
        written = yaml.safe_load(order.read_text("utf-8")) if order.exists() else []
        there = {slug for slug, _ in self._texts}
        listed = [
            Chapter(
                Text(one["id"], one["en"]), tuple(slug for slug in one["pages"] if slug in there or slug == REFERENCE)
            )
            for one in written
        ]
        rest = sorted(there - {slug for chapter in listed for slug in chapter.slugs})
        if rest:
            listed.append(Chapter(WORDS["more"], tuple(rest)))
        return tuple(chapter for chapter in listed if chapter.slugs)

    def holds(self, slug: str) -> bool:
        """Say whether there is such a page."""
        return any((slug, language) in self._texts for language in Language)

    def languages(self, slug: str) -> frozenset[Language]:
        """Say which languages a page is there in."""
        return frozenset(language for language in Language if (slug, language) in self._texts)

    def language(self, slug: str, wanted: Language) -> Language:
        """Say in which language a page is read by who wants one: in the other, where it is there in that alone."""
        return wanted if wanted in self.languages(slug) else next(iter(self.languages(slug)))

    def title(self, slug: str, wanted: Language) -> str:
        """Give a page's title."""
        return title_of(self._texts[slug, self.language(slug, wanted)]) or slug

    def page(self, slug: str, wanted: Language) -> Rendered:
        """Give a page in the language wanted, or the one there is."""
        language = self.language(slug, wanted)
        if (slug, wanted) not in self._rendered:
            text = self._texts[slug, language]
            self._rendered[slug, wanted] = render(text, lambda target: self._leads_to(target, language, wanted))
        return self._rendered[slug, wanted]

    def _leads_to(self, target: str, language: Language, wanted: Language) -> str | None:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            return target
        if not parts.path:
            return target
        path = (_of(self.root, language) / parts.path).resolve()
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        if path.suffix == ".md" and path.parent in {self.root.resolve(), *(_of(self.root, one) for one in Language)}:
            return f"/docs/{wanted.value}/{path.stem}{fragment}" if self.holds(path.stem) else None
        if path.suffix in MEDIA and path.is_relative_to(self.root.resolve()) and path.is_file():
            return asset_of(path).address
        return OUTSIDE.get(path.name)

    @cached_property
    def assets(self) -> Mapping[tuple[str, str], Asset]:
        """Give what the pages need beside their text, by digest and name."""
        drawn = [asset_of(path) for kind in ("svg", "png") for path in sorted(self.root.glob(f"**/*.{kind}"))]
        return {(asset.digest, asset.name): asset for asset in (*drawn, *shipped_assets().values())}


def asset_of(path: Path) -> Asset:
    """Read a file as an asset."""
    body = path.read_bytes()
    return Asset(path.name, body, MEDIA.get(path.suffix, "text/plain"), hashlib.sha256(body).hexdigest()[:16])


@cache
def shipped_assets() -> Mapping[str, Asset]:
    """Give the assets that the frame of each page needs, by name."""
    files = sorted(path for path in (HERE / "assets").glob("**/*") if path.suffix in MEDIA)
    return {path.name: asset_of(path) for path in files}


@cache
def library() -> Library:
    """Give the manual that ships with this service."""
    return Library(SHIPPED if SHIPPED.is_dir() else WRITTEN)


def _of(root: Path, language: Language) -> Path:
    return root.resolve() if language is Language.ENGLISH else root.resolve() / language.value
