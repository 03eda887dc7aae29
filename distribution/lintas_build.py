"""Builds the package: flit's own backend, and beside the code what the code reads from elsewhere in the repository.

An installed Lintas finds the manual, the contract and the migrations within the package; a checkout, and what is
installed from it with `-e`, where they are written.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flit_core.buildapi import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from flit_core.wheel import WheelBuilder

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

SHIPPED = (
    ("docs", ("*.md", "*.svg", "contents.yaml", "id/*.md", "id/*.svg", "images/*.png"), "app/api/docs/manual"),
    ("openapi", ("openapi.json",), "app/api/description"),
    ("migrations", ("*.py", "*.mako", "versions/*.py"), "app/storage/migrations"),
)
"""What is taken from which directory, and where in the package it is found."""


def shipped(root: Path) -> Iterator[tuple[Path, str]]:
    """Give each file that is shipped beside the code, and where it goes; FileNotFoundError where a kind is missing."""
    for directory, patterns, inside in SHIPPED:
        for pattern in patterns:
            found = sorted((root / directory).glob(pattern))
            if not found:
                raise FileNotFoundError(f"there is no {directory}/{pattern}, and Lintas needs it")
            for path in found:
                yield path, f"{inside}/{path.relative_to(root / directory).as_posix()}"


class _Builder(WheelBuilder):
    def copy_module(self) -> None:
        """Add the code, then what it reads."""
        super().copy_module()
        for path, inside in shipped(self.directory):
            self._add_file(str(path), inside)


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,  # noqa: ARG001 - the names are the standard's
    metadata_directory: str | None = None,  # noqa: ARG001
) -> str:
    """Build a wheel from where this runs, as PEP 517 has it; give its name."""
    handle, unfinished = tempfile.mkstemp(suffix=".whl", dir=wheel_directory)
    try:
        with open(handle, "w+b") as file:  # noqa: PTH123 - an open file, not a path
            builder = _Builder.from_ini_path(Path("pyproject.toml"), file)
            builder.build()
        os.replace(unfinished, Path(wheel_directory) / builder.wheel_filename)  # noqa: PTH105
    except BaseException:
        Path(unfinished).unlink()
        raise
    return str(builder.wheel_filename)
