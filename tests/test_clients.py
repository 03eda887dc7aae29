"""What clients are made with is said where it is missing, and locked by its hash and nobody's address."""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
CLIENTS = PROJECT / "openapi" / "clients"


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended."""

    code: int | None
    out: str
    errors: str


async def make_clients(*arguments: str, path: Path) -> Ran:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openapi.clients", *arguments),
        cwd=PROJECT,
        env={**os.environ, "PATH": str(path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return Ran(process.returncode, out.decode(), errors.decode())


def a_program(folder: Path, name: str, says: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


async def test_what_is_missing_is_named_with_its_package_before_anything_is_made(tmp_path: Path) -> None:
    ran = await make_clients("--only", "typescript", "--only", "php", path=tmp_path)

    assert ran.code == 1
    typescript, php = ran.errors.splitlines()
    assert typescript == "typescript: node is not on the path; install node 20.19 or newer (Debian and Ubuntu: nodejs)"
    assert php == "php: php is not on the path; install php-cli (Debian and Ubuntu)"
    assert ran.out == ""


async def test_a_node_that_is_too_old_and_a_php_that_lacks_a_part_are_named(tmp_path: Path) -> None:
    a_program(tmp_path, "node", "v18.20.4")
    a_program(tmp_path, "npm", "9")
    a_program(tmp_path, "php", "json")

    ran = await make_clients("--only", "typescript", "--only", "php", path=tmp_path)

    assert ran.code == 1
    typescript, php = ran.errors.splitlines()
    assert typescript.endswith("node 20.19 or newer (Debian and Ubuntu: nodejs) is needed; 18.20.4 is here")
    assert php == "php: php lacks curl, mbstring (Debian and Ubuntu: php-curl, php-mbstring)"


@pytest.mark.parametrize("language", ["python", "php"])
def test_python_packages_are_locked_with_their_hashes_and_without_an_address(language: str) -> None:
    lock = (CLIENTS / language / "requirements.txt").read_text("utf-8")

    packages = re.findall(r"^[a-z0-9.-]+==[^\\]*\\\n(    --hash=sha256:[0-9a-f]{64})", lock, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^\S+==", lock, re.MULTILINE)) > 0
    assert "://" not in lock


def test_npm_packages_are_locked_with_their_hashes_and_without_an_address() -> None:
    lock = json.loads((CLIENTS / "typescript" / "package-lock.json").read_text("utf-8"))

    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
