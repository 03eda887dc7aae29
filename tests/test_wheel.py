"""What is installed from a wheel is whole: it serves the same manual and contract, and brings the same migrations."""

import asyncio
import json
import os
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
LOOK = Path(__file__).with_name("installed.py")


async def ran(*arguments: str, cwd: Path, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", *arguments),
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def found_in(root: Path, elsewhere: Path) -> dict[str, Any]:
    """Say what a Lintas gives that lies in a directory, beside what it depends on and nothing else of the checkout."""
    paths = os.pathsep.join((str(root), sysconfig.get_path("purelib")))
    out = await ran("-P", str(LOOK), cwd=elsewhere, PYTHONPATH=paths)
    return dict(json.loads(out.splitlines()[-1]))


@pytest.fixture
async def installed(tmp_path: Path) -> Path:
    """A wheel of this checkout, unpacked as an installer does."""
    build = "import lintas_build, sys; print(lintas_build.build_wheel(sys.argv[1]))"
    paths = os.pathsep.join((str(PROJECT / "distribution"), sysconfig.get_path("purelib")))
    name = await ran("-c", build, str(tmp_path), cwd=PROJECT, PYTHONPATH=paths)
    root = tmp_path / "installed"
    with zipfile.ZipFile(tmp_path / name.strip()) as wheel:
        wheel.extractall(root)
    return root


async def test_a_lintas_from_a_wheel_is_the_one_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    theirs, ours = await found_in(installed, tmp_path), await found_in(PROJECT, tmp_path)

    assert theirs.pop("lies_in") == str(installed / "app")
    assert ours.pop("lies_in") == str(PROJECT / "app")
    assert theirs == ours
    assert {"/docs/id/webhooks", "/docs/en/api", "/openapi.json"} <= ours["served"].keys()
    assert all(status == 200 for status, _ in ours["served"].values())


def files_in(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}


async def test_every_file_that_the_code_is_shipped_with_is_in_the_wheel(installed: Path) -> None:
    there = files_in(installed)

    assert {f"app/{one}" for one in files_in(PROJECT / "app")} <= there
    assert "app/storage/migrations/env.py" in there
    assert {one.partition("/")[0].partition("-")[0] for one in there} == {"app", "lintas"}
