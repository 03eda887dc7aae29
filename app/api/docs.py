"""A page for people that lists what the API can do: plain HTML, no scripts, nothing from elsewhere."""

import base64
import hashlib
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font-family:ui-monospace,monospace}dt{margin-top:1rem}dd{margin-left:1.5rem;white-space:pre-line}"
    "b{display:inline-block;min-width:4rem}small{color:#555}"
)
_ALLOWED = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CSP = f"default-src 'none'; frame-ancestors 'none'; style-src 'sha256-{_ALLOWED}'"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """List every operation."""
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": CSP})


def page(document: dict[str, Any]) -> str:
    """Write the page from the OpenAPI document."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_entry(method, path, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2><dl>{''.join(entries)}</dl>" for tag, entries in by_tag.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lintas API</title><style>{STYLE}</style>'
        f"</head><body><h1>Lintas API</h1><p>{_paragraphs(document['info']['description'])}</p>"
        f'<p>The whole contract: <a href="/openapi.json">openapi.json</a> (OpenAPI {escape(document["openapi"])}).</p>'
        f"{sections}</body></html>"
    )


def _entry(method: str, path: str, operation: dict[str, Any]) -> str:
    identity = escape(operation.get("operationId", ""))
    head = f"<b>{escape(method.upper())}</b> <code>{escape(path)}</code> <small>{identity}</small>"
    return f'<dt id="{identity}">{head}</dt><dd>{escape(operation.get("description", ""))}</dd>'


def _paragraphs(text: str) -> str:
    return escape(text.strip()).replace("\n\n", "</p><p>")
