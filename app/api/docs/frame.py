"""The frame around every page: where one is, where one can go, and the other language. It holds no script."""

from dataclasses import dataclass
from html import escape

from app.api.docs.library import REFERENCE, Library, shipped_assets
from app.api.docs.markdown import Heading
from app.api.docs.words import other, said
from app.api.language import Language


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in the frame."""

    slug: str
    title: str
    html: str
    language: Language
    """That of the text, which may not be the one that was wanted."""
    headings: tuple[Heading, ...] = ()
    head: str = ""
    """More for the head of the page: styles and scripts by their addresses."""


def framed(library: Library, content: Content, language: Language) -> str:
    """Write a whole page for who reads a language."""
    title = content.title if content.title == said("manual", language) else f"{content.title} - Lintas"
    there = other(language)
    rest = f"/{content.slug}" if content.slug else ""
    return (
        f'<!doctype html>\n<html lang="{language.value}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n"
        f'<link rel="stylesheet" href="{shipped_assets()["site.css"].address}">\n'
        f'<link rel="icon" href="{shipped_assets()["icon.svg"].address}" type="image/svg+xml">\n'
        f'<link rel="alternate" hreflang="{there.value}" href="/docs/{there.value}{rest}">\n{content.head}'
        f'</head>\n<body>\n<a class="skip" href="#text">{escape(said("skip", language))}</a>\n'
        f'<header class="top"><a class="home" href="/docs/{language.value}">Lintas</a>'
        f'<a href="/docs/{language.value}/{REFERENCE}">{escape(said("reference", language))}</a>'
        f'<a class="language" href="/docs/{there.value}{rest}" hreflang="{there.value}" lang="{there.value}">'
        f"{escape(said('other_language', language))}</a></header>\n"
        f'<div class="frame">\n{_navigation(library, content.slug, language)}\n'
        f'<main id="text" lang="{content.language.value}">\n{_note(content, language)}{_contents(content, language)}'
        f"{content.html}\n{_neighbours(library, content.slug, language)}</main>\n</div>\n</body>\n</html>\n"
    )


def overview(library: Library, language: Language) -> Content:
    """Write the first page: every chapter with its pages and what each is about."""
    parts = [f"<h1>{escape(said('manual', language))}</h1>", f'<p class="lead">{escape(said("lead", language))}</p>']
    for chapter in library.chapters:
        parts.append(f'<h2>{escape(getattr(chapter.title, language.value))}</h2>\n<ul class="cards">')
        for slug in chapter.slugs:
            text, summary, tongue = _shown(library, slug, language)
            mark = "" if tongue is language else f' lang="{tongue.value}"'
            parts.append(
                f'<li{mark}><a href="/docs/{language.value}/{slug}">{escape(text)}</a><p>{escape(summary)}</p></li>'
            )
        parts.append("</ul>")
    return Content("", said("manual", language), "\n".join(parts), language)


def _shown(library: Library, slug: str, language: Language) -> tuple[str, str, Language]:
    if slug == REFERENCE:
        return said("reference", language), said("reference_lead", language), language
    page = library.page(slug, language)
    return page.title, page.summary, library.language(slug, language)


def _title(library: Library, slug: str, language: Language) -> str:
    return said("reference", language) if slug == REFERENCE else library.title(slug, language)


def _navigation(library: Library, here: str, language: Language) -> str:
    lists = []
    for chapter in library.chapters:
        items = "".join(_item(library, slug, here, language) for slug in chapter.slugs)
        lists.append(f"<p>{escape(getattr(chapter.title, language.value))}</p>\n<ul>{items}</ul>")
    inner, pages = "\n".join(lists), escape(said("pages", language))
    # On a phone the same list folds away; which of both is shown is the style sheet's.
    return (
        f'<nav class="side" aria-label="{pages}">{inner}</nav>\n'
        f'<details class="fold"><summary>{pages}</summary><nav aria-label="{pages}">{inner}</nav></details>'
    )


def _item(library: Library, slug: str, here: str, language: Language) -> str:
    current = ' aria-current="page"' if slug == here else ""
    tongue = language if slug == REFERENCE else library.language(slug, language)
    mark = ""
    if tongue is not language:
        mark = (
            f" <small>{escape(said('in_english' if tongue is Language.ENGLISH else 'in_indonesian', language))}</small>"
        )
    title = f'<span lang="{tongue.value}">{escape(_title(library, slug, language))}</span>'
    return f'<li><a href="/docs/{language.value}/{slug}"{current}>{title}</a>{mark}</li>'


def _note(content: Content, language: Language) -> str:
    if content.language is language:
        return ""
    return f'<p class="note" lang="{language.value}">{escape(said("untranslated", language))}</p>\n'


def _contents(content: Content, language: Language) -> str:
    parts = [one for one in content.headings if one.level == 2]
    if len(parts) < 3:
        return ""
    items = "".join(f'<li><a href="#{escape(one.anchor)}">{escape(one.text)}</a></li>' for one in parts)
    title = escape(said("on_this_page", language))
    inner = f'<nav aria-label="{title}"><ul>{items}</ul></nav>'
    return f'<details class="contents"><summary lang="{language.value}">{title}</summary>{inner}</details>\n'


def _neighbours(library: Library, here: str, language: Language) -> str:
    order = [slug for chapter in library.chapters for slug in chapter.slugs]
    if here not in order:
        return ""
    at = order.index(here)
    links = [
        f'<a class="{word}" rel="{rel}" href="/docs/{language.value}/{slug}"><small>{escape(said(word, language))}'
        f"</small> {escape(_title(library, slug, language))}</a>"
        for word, rel, slug in (
            ("before", "prev", order[at - 1] if at else None),
            ("after", "next", order[at + 1] if at + 1 < len(order) else None),
        )
        if slug is not None
    ]
    return f'<nav class="neighbours" lang="{language.value}">{"".join(links)}</nav>\n'
