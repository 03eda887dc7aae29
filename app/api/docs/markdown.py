"""From Markdown to HTML: headings that can be linked to, tables that scroll on a phone, and no markup of its own."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

LinkTo = Callable[[str], str | None]
"""Says where a link or an image leads once it is served; None where what it names is not served."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, with the name that a link finds it by."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as HTML, with its title and what it says of itself first."""

    title: str
    summary: str
    headings: tuple[Heading, ...]
    html: str


def render(text: str, link_to: LinkTo) -> Rendered:
    """Render a document; its title is its first heading."""
    tokens = _parser().parse(text)
    headings = _name_headings(tokens)
    for token in tokens:
        if token.children:
            token.children = _with_links(token.children, link_to)
    _drop_empty_heads(tokens)
    _let_drawings_be_scrolled(tokens)
    title = next((one.text for one in headings if one.level == 1), "")
    return Rendered(title, _summary(tokens), headings, _parser().renderer.render(tokens, _parser().options, {}))


def title_of(text: str) -> str | None:
    """Give a document's title; None if it has none."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else None


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    rules = parser.renderer.rules  # type: ignore[attr-defined]
    rules["table_open"] = lambda *_: '<div class="wide" tabindex="0"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"
    rules["fence"] = _fence
    # Comments mark what is generated; other markup is shown, never taken.
    rules["html_block"] = rules["html_inline"] = lambda tokens, at, *_: _without_comments(tokens[at].content)
    return parser


def _fence(tokens: Sequence[Token], at: int, *_: object) -> str:
    language = tokens[at].info.split(maxsplit=1)[0] if tokens[at].info.strip() else ""
    named = f' class="language-{escape(language)}"' if language else ""
    return f'<pre tabindex="0"><code{named}>{escape(tokens[at].content, quote=False)}</code></pre>\n'


def _without_comments(markup: str) -> str:
    return escape(re.sub(r"<!--.*?-->", "", markup, flags=re.DOTALL).strip())


def _name_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    found: list[Heading] = []
    for at, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        text = _text(tokens[at + 1])
        anchor = anchor_of(text)
        again = sum(one.anchor == anchor or one.anchor.startswith(f"{anchor}-") for one in found)
        heading = Heading(int(token.tag[1]), f"{anchor}-{again}" if again else anchor, text)
        token.attrSet("id", heading.anchor)
        found.append(heading)
    return tuple(found)


def anchor_of(heading: str) -> str:
    """Name a heading as the forges do that show the same files."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _text(inline: Token) -> str:
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in inline.children or ()
        if child.type in {"text", "code_inline", "softbreak", "hardbreak"}
    )


def _with_links(children: Sequence[Token], link_to: LinkTo) -> list[Token]:
    kept: list[Token] = []
    open_links: list[bool] = []
    for child in children:
        if child.type == "link_open":
            target = link_to(str(child.attrGet("href")))
            open_links.append(target is not None)
            if target is None:
                continue
            child.attrSet("href", target)
        elif child.type == "link_close" and not open_links.pop():
            continue
        elif child.type == "image":
            child.attrSet("src", link_to(str(child.attrGet("src"))) or "")
        kept.append(child)
    return kept


def _let_drawings_be_scrolled(tokens: Sequence[Token]) -> None:
    """Let a drawing, which is wider than a phone, be scrolled by who has a keyboard alone."""
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open" and [one.type for one in inline.children or ()] == ["image"]:
            opening.attrSet("tabindex", "0")


def _drop_empty_heads(tokens: list[Token]) -> None:
    """Take the head off a table that has nothing in it: nobody should be read an empty heading."""
    at = 0
    while at < len(tokens):
        if tokens[at].type == "thead_open":
            end = next(place for place in range(at, len(tokens)) if tokens[place].type == "thead_close")
            if not any(token.content.strip() for token in tokens[at:end] if token.type == "inline"):
                del tokens[at : end + 1]
                continue
            for token, following in zip(tokens[at:end], tokens[at + 1 : end + 1], strict=True):
                if token.type == "th_open" and not following.content.strip():
                    token.tag = "td"
                    tokens[tokens.index(following) + 1].tag = "td"
        at += 1


def _summary(tokens: Sequence[Token]) -> str:
    """Give the first sentence of the first paragraph."""
    for at, token in enumerate(tokens):
        if token.type == "paragraph_open" and token.level == 0 and (text := _text(tokens[at + 1]).strip()):
            found = re.match(r".+?[.?!](?=\s+[A-Z]|$)", text, re.DOTALL)
            return found[0] if found else text
    return ""
