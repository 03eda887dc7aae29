"""How a client is made, built and driven in each language. Each is called by what its own people use."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DESCRIPTION = HERE.parent / "openapi.json"
DOCUMENT = HERE.parents[1] / "docs" / "clients.md"
LINES = 30
"""The last lines of what a tool says where it fails: the PHP generator says thousands."""
NODE_FROM = (20, 19)
NODE = f"node {'.'.join(map(str, NODE_FROM))} or newer (Debian and Ubuntu: nodejs)"


class ToolMissing(Exception):
    """A language needs what is not on this machine; the message names the package."""


class ToolFailed(Exception):
    """A tool ended with an error; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that a client is made in.

    `look` raises ToolMissing, `make` ToolFailed. `make` is told the folder that all of it goes into, and `drive` gives
    the command that runs one of the programs there: `exchange`, or `short`, the example in the documents.
    """

    name: str
    look: Callable[[], None]
    make: Callable[[Path], None]
    drive: Callable[[Path, str], Sequence[str]]


def _python_look() -> None:
    """Ask for nothing: what it needs, Lintas needs as well."""


def _python_make(into: Path) -> None:
    tools = _tools(into, HERE / "python" / "requirements.txt")
    shutil.rmtree(into / "lintas-client", ignore_errors=True)
    _run(
        [
            *(str(tools / "openapi-python-client"), "generate", "--path", str(DESCRIPTION), "--meta", "setup"),
            *("--config", str(HERE / "python" / "config.yaml"), "--output-path", str(into / "lintas-client")),
            "--fail-on-warning",
        ],
        into,
    )
    offline = ("--disable-pip-version-check", "-q", "--no-deps", "--no-build-isolation", "--no-index")
    _run([str(tools / "python"), "-m", "pip", "install", *offline, "--force-reinstall", "./lintas-client"], into)
    _copy(HERE / "python" / "exchange.py", into)
    _example("python", into / "short.py")
    for what in (("-p", "lintas_client"), ("exchange.py", "short.py")):
        _run([str(tools / "python"), "-m", "mypy", "--strict", *what], into)


def _python_drive(into: Path, program: str) -> Sequence[str]:
    return (str(into / "tools" / "bin" / "python"), f"{program}.py")


def _typescript_look() -> None:
    node = _found("node", NODE)
    _found("npm", "npm (Debian and Ubuntu: npm)")
    version = _end([node, "--version"], HERE).stdout.strip().removeprefix("v")
    if tuple(map(int, version.split(".")[:2])) < NODE_FROM:
        raise ToolMissing(f"{NODE} is needed; {version} is here")


def _typescript_make(into: Path) -> None:
    for name in ("package.json", "package-lock.json", "tsconfig.json", "openapi-ts.config.ts", "exchange.ts"):
        _copy(HERE / "typescript" / name, into)
    _copy(DESCRIPTION, into)
    _example("ts", into / "short.ts")
    if _is_new(into, HERE / "typescript" / "package-lock.json"):
        _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"], into)
        _note(into, HERE / "typescript" / "package-lock.json")
    shutil.rmtree(into / "lintas-client", ignore_errors=True)
    _run(["npm", "run", "--silent", "generate"], into)
    _run(["npm", "run", "--silent", "build"], into)


def _typescript_drive(_: Path, program: str) -> Sequence[str]:
    return ("node", f"built/{program}.js")


def _php_look() -> None:
    php = _found("php", "php-cli (Debian and Ubuntu)")
    loaded = _end([php, "-m"], HERE).stdout.split()
    if lacking := [name for name in ("curl", "json", "mbstring") if name not in loaded]:
        raise ToolMissing(f"php lacks {', '.join(lacking)} (Debian and Ubuntu: php-curl, php-mbstring)")
    if _end([php, "-r", "require 'GuzzleHttp/autoload.php';"], HERE).returncode:
        raise ToolMissing("php does not find Guzzle 7 (Debian and Ubuntu: php-guzzlehttp-guzzle)")


def _php_make(into: Path) -> None:
    tools = _tools(into, HERE / "php" / "requirements.txt")
    client = into / "lintas-client"
    shutil.rmtree(client, ignore_errors=True)
    client.mkdir()
    _copy(HERE / "php" / ".openapi-generator-ignore", client)
    _copy(DESCRIPTION, into)
    _copy(HERE / "php" / "config.json", into)
    # By names without a folder: it takes a path with a space in it for a broken address.
    given = ("-g", "php", "-i", DESCRIPTION.name, "-c", "config.json", "-o", client.name)
    _run([str(tools / "openapi-generator-cli"), "generate", *given], into)
    for name in ("autoload.php", "build.php", "exchange.php"):
        _copy(HERE / "php" / name, into)
    _example("php", into / "short.php")
    _run(["php", "build.php"], into)


def _php_drive(_: Path, program: str) -> Sequence[str]:
    return ("php", f"{program}.php")


LANGUAGES: Mapping[str, Language] = {
    language.name: language
    for language in (
        Language("python", _python_look, _python_make, _python_drive),
        Language("typescript", _typescript_look, _typescript_make, _typescript_drive),
        Language("php", _php_look, _php_make, _php_drive),
    )
}


def _tools(into: Path, lock: Path) -> Path:
    """Give the programs of an environment of its own, made when the lock file is another than last time."""
    place = into / "tools"
    if _is_new(into, lock):
        _run([sys.executable, "-m", "venv", "--clear", str(place)], into)
        pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "-q")
        _run([*pip, "--require-hashes", "-r", str(lock)], into)
        _note(into, lock)
    return place / "bin"


def _is_new(into: Path, lock: Path) -> bool:
    noted = into / ".made-from"
    return not noted.exists() or json.loads(noted.read_text("utf-8")) != [str(into), _sum(lock)]


def _note(into: Path, lock: Path) -> None:
    (into / ".made-from").write_text(json.dumps([str(into), _sum(lock)]), "utf-8")


def _sum(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _example(fence: str, into: Path) -> None:
    """Take the example of a language out of the document that shows it."""
    found = re.search(rf"^```{fence}\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    if found is None:
        raise ToolFailed(f"{DOCUMENT.name} shows no example in {fence}")
    into.write_text(found[1], "utf-8")


def _copy(file: Path, into: Path) -> None:
    shutil.copyfile(file, into / file.name)


def _found(program: str, package: str) -> str:
    if (path := shutil.which(program)) is None:
        raise ToolMissing(f"{program} is not on the path; install {package}")
    return path


def _run(command: Sequence[str], within: Path) -> None:
    ended = _end(command, within)
    if ended.returncode:
        said = "\n".join(ended.stdout.strip().splitlines()[-LINES:])
        raise ToolFailed(f"{Path(command[0]).name} ended with {ended.returncode}:\n{said}")


def _end(command: Sequence[str], within: Path) -> subprocess.CompletedProcess[str]:
    """Let a tool run to its end, with nothing of an activated environment and no colours."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    return subprocess.run(  # noqa: S603 - a tool of the language, no shell
        command,
        cwd=within,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment, "NO_COLOR": "1"},
        check=False,
    )
