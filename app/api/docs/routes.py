"""The manual and the API reference over HTTP: nothing from elsewhere, and nothing that a cache may not keep."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from app.api.docs.frame import Content, framed, overview
from app.api.docs.library import REFERENCE, library
from app.api.docs.reference import reference
from app.api.known_bytes import Encodings, unless_known
from app.api.language import Language, chosen
from app.api.refusals import NoSuchPage

PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page may load: its style and its drawings, from here; no script at all."""
SCRIPTED = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The reference: the scripts that ship, and the contract. The data: images are the style sheet's own icons."""
KEPT_FOR = 300
"""Seconds for which a page may be shown without asking whether it changed."""
FOR_EVER = 31_536_000

router = APIRouter(include_in_schema=False)

Accepted = Annotated[str, Header(alias="accept-language")]
Asked = Annotated[Language | None, Query(alias="lang")]


@router.get("/docs")
def read_overview(
    request: Request, accepted: Accepted = "", encodings: Encodings = "", asked: Asked = None
) -> Response:
    """Show the first page, in the language that is asked for."""
    return _page(request, "", asked or chosen(accepted), encodings, negotiated=True)


@router.get("/docs/assets/{digest}/{name}")
def read_asset(request: Request, digest: str, name: str, encodings: Encodings = "") -> Response:
    """Give a file that a page needs."""
    asset = library().assets.get((digest, name))
    if asset is None:
        raise NoSuchPage
    headers = {"Cache-Control": f"public, max-age={FOR_EVER}, immutable", "Vary": "Accept-Encoding"}
    return unless_known(request, asset.body, f"{asset.media_type}; charset=utf-8", headers, encodings)


@router.get("/docs/{first}")
def read_page(
    request: Request, first: str, accepted: Accepted = "", encodings: Encodings = "", asked: Asked = None
) -> Response:
    """Show a page in the language that is asked for, or the first page of a language."""
    if first in {*Language}:
        return _page(request, "", Language(first), encodings)
    return _page(request, first, asked or chosen(accepted), encodings, negotiated=True)


@router.get("/docs/{language}/{slug}")
def read_page_in(request: Request, language: str, slug: str, encodings: Encodings = "") -> Response:
    """Show a page in a language; where it is not there in that one, in the other."""
    if language not in {*Language}:
        raise NoSuchPage
    return _page(request, slug, Language(language), encodings)


def _page(request: Request, slug: str, language: Language, encodings: str, *, negotiated: bool = False) -> Response:
    content = _content(request, slug, language)
    body = framed(library(), content, language).encode()
    headers = {
        "Content-Security-Policy": SCRIPTED if slug == REFERENCE else PAGE,
        "Content-Language": content.language.value,
        "Content-Location": f"/docs/{language.value}{'/' if slug else ''}{slug}",
        "Cache-Control": f"public, max-age={KEPT_FOR}",
        "Vary": "Accept-Language, Accept-Encoding" if negotiated else "Accept-Encoding",
    }
    return unless_known(request, body, "text/html; charset=utf-8", headers, encodings)


def _content(request: Request, slug: str, language: Language) -> Content:
    if not slug:
        return overview(library(), language)
    if slug == REFERENCE:
        return reference(request.app.openapi(), language)
    if not library().holds(slug):
        raise NoSuchPage
    page = library().page(slug, language)
    return Content(slug, page.title, page.html, library().language(slug, language), page.headings)
