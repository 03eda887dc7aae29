"""The example receivers stand every trial against the real dispatcher, in each language that this machine has."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from examples.receivers.languages import LANGUAGES, NODE, PHP
from examples.receivers.trial import TRIALS

PROJECT = Path(__file__).parents[2]
VECTORS = PROJECT / "tests" / "vectors" / "webhook_signatures.json"
VERIFIES = """
require 'signature.php';
[, $secrets, $id, $timestamp, $signatures, $body, $now] = $argv;
echo is_signed(explode(' ', $secrets), $id, $timestamp, $signatures, $body, (int) $now) ? 'yes' : 'no';
"""


async def try_receivers(*languages: str, path: str | None = None) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "examples.receivers",
        *languages,
        cwd=PROJECT,
        env=os.environ | ({} if path is None else {"PATH": path}),
        stdout=PIPE,
        stderr=STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.fixture(scope="session")
async def tried() -> tuple[int | None, str]:
    """One run of all the languages that can be run here, at the same time."""
    return await try_receivers(*(name for name, language in LANGUAGES.items() if language.missing() is None))


@pytest.mark.parametrize("name", LANGUAGES)
async def test_a_receiver_stands_every_trial(name: str, tried: tuple[int | None, str]) -> None:
    if (lack := LANGUAGES[name].missing()) is not None:
        pytest.skip(f"the receiver in {name}: {lack}")
    _, out = tried

    stood = [line for line in out.splitlines() if line.startswith(f"✓ {name} ")]

    assert len(stood) == len(TRIALS), out


@pytest.mark.parametrize(("name", "package"), [("node", "nodejs"), ("php", "php-cli")])
async def test_what_is_not_installed_is_named_and_nothing_is_started(name: str, package: str, tmp_path: Path) -> None:
    code, out = await try_receivers(name, path=str(tmp_path))

    assert code == 2
    assert len(out.splitlines()) == 1
    assert package in out


def test_the_packages_of_node_are_locked_by_their_sums_and_by_no_address() -> None:
    locked = json.loads((NODE / "package-lock.json").read_text())["packages"]

    packages = [package for name, package in locked.items() if name]

    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


@pytest.mark.skipif(LANGUAGES["php"].missing() is not None, reason="the machine has no PHP")
@pytest.mark.parametrize(
    ("altered", "expected"),
    [
        ({}, "yes"),
        ({"now": 300}, "yes"),
        ({"now": 301}, "no"),
        ({"now": -300}, "yes"),
        ({"now": -301}, "no"),
        ({"signature": "v1,AAAA v1a,AAAA {}"}, "yes"),
        ({"signature": "v1a,{}"}, "no"),
        ({"secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA {}"}, "yes"),
        ({"secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "no"),
        ({"body": "{} "}, "no"),
        ({"id": "msg"}, "no"),
        ({"timestamp": "1614265330.0"}, "no"),
        ({"timestamp": ""}, "no"),
    ],
)
def test_the_signature_in_php_is_that_of_the_standard(altered: dict[str, str | int], expected: str) -> None:
    vector = next(one for one in json.loads(VECTORS.read_text()) if one["name"] == "sw_hmac_v1")
    given = {**vector, "now": 0} | {
        name: form.replace("{}", str(vector[name]), 1) if isinstance(form, str) else form
        for name, form in altered.items()
    }
    now = vector["timestamp"] + given["now"]
    asked = [given["secret"], given["id"], str(given["timestamp"]), given["signature"], given["body"], str(now)]

    said = subprocess.run(  # noqa: S603 - our own example
        [shutil.which("php") or "", "-r", VERIFIES, "--", *asked], cwd=PHP, capture_output=True, text=True, check=True
    )

    assert (said.stdout, said.stderr) == (expected, "")
