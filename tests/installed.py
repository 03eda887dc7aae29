"""Says what the Lintas gives that is found first: every page of its manual with what it loads, and its migrations."""

import asyncio
import hashlib
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

import app
from app.api.application import build
from app.api.contract import prepared
from app.api.docs.library import library
from app.main import ROUTERS
from app.storage.migrating import MIGRATIONS, head
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms


class Nowhere:
    """Stands for the reference data, of which the manual needs nothing."""

    version = None

    async def current(self, _: AsyncSession, /, *, to_change: bool = False) -> object:  # noqa: ARG002
        return self


async def served() -> dict[str, tuple[int, str]]:
    """Fetch every page in every language, and all that the pages load."""
    api = build(
        ROUTERS,
        sessions=async_sessionmaker[AsyncSession](),
        key_ring=KeyRing.generate("none"),
        reference=Nowhere(),
        clock=lambda: datetime(2025, 3, 4, tzinfo=UTC),
        terms=Terms(),
        prepared=prepared(),
    )
    slugs = [slug for chapter in library().chapters for slug in chapter.slugs]
    left = ["/openapi.json", "/docs", *(f"/docs/{language}/{slug}" for language in ("id", "en") for slug in slugs)]
    found: dict[str, tuple[int, str]] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://lintas.test") as client:
        while left:
            path = left.pop()
            answer = await client.get(path)
            found[path] = answer.status_code, hashlib.sha256(answer.content).hexdigest()
            if answer.headers["Content-Type"].startswith("text/html"):
                left += {one for one in re.findall(r'"(/docs/assets/[^"]+)"', answer.text) if one not in found}
    return found


def said() -> dict[str, Any]:
    """Say all of it."""
    return {
        "lies_in": str(Path(app.__file__).parent),
        "served": asyncio.run(served()),
        "migrations": sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py")),
        "head": head(),
    }


if __name__ == "__main__":
    json.dump(said(), sys.stdout)
