"""The console's style and script, at addresses that change with what they hold."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from app.api.docs.library import Asset, asset_of

HERE = Path(__file__).parent / "assets"


@cache
def assets() -> Mapping[str, Asset]:
    """Give the files that pages need, by name."""
    return {path.name: asset_of(path) for path in sorted(HERE.iterdir()) if path.suffix in {".css", ".js", ".svg"}}


@cache
def address_of(name: str) -> str:
    """Give the address of a file."""
    return f"/console/assets/{assets()[name].digest}/{name}"
