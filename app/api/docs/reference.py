"""The reference of the API: every operation as plain HTML, which Swagger UI takes the place of where scripts run."""

from html import escape
from typing import Any

from app.api.docs.frame import Content
from app.api.docs.library import REFERENCE, shipped_assets
from app.api.docs.words import said
from app.api.language import Language


def reference(document: dict[str, Any], language: Language) -> Content:
    """Write the reference from the OpenAPI document."""
    address = {name: asset.address for name, asset in shipped_assets().items()}
    head = (
        f'<link rel="stylesheet" href="{address["swagger-ui.css"]}">\n'
        f'<link rel="stylesheet" href="{address["reference.css"]}">\n'
        f'<script defer src="{address["swagger-ui-bundle.js"]}"></script>\n'
        f'<script defer src="{address["reference.js"]}"></script>\n'
    )
    html = (
        f"<h1>{escape(said('reference', language))}</h1>\n<p>{escape(said('reference_lead', language))} "
        f'<a href="/openapi.json">{escape(said("contract", language))}</a> (OpenAPI {escape(document["openapi"])}).'
        "</p>\n"
        f'<div id="reference" lang="en">{_listed(document, language)}</div>'
    )
    return Content(REFERENCE, said("reference", language), html, language, head=head)


def _listed(document: dict[str, Any], language: Language) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_entry(method.upper(), path, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2>\n<dl>{''.join(entries)}</dl>\n" for tag, entries in by_tag.items())
    news = "".join(
        _entry("POST", name, one["post"] | {"description": one["post"].get("summary", "")})
        for name, one in document.get("webhooks", {}).items()
    )
    return f"{sections}<h2>{escape(said('news', language))}</h2>\n<dl>{news}</dl>"


def _entry(method: str, path: str, operation: dict[str, Any]) -> str:
    identity = escape(operation.get("operationId", ""))
    head = f"<b>{escape(method)}</b> <code>{escape(path)}</code> <small>{identity}</small>"
    return f'<dt id="{identity}">{head}</dt><dd>{escape(operation.get("description", ""))}</dd>'
