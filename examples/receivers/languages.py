"""The languages there is an example in: what each needs on the machine, and how it is started."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
HOST = "127.0.0.1"
NODE, PHP = HERE / "node", HERE / "php"
OLDEST_NODE = 18
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
NOT_INSTALLED = "its packages are not installed, which `make receivers` does"


@dataclass(frozen=True, slots=True)
class Language:
    """One example."""

    name: str
    directory: Path
    commands: Callable[[int], Sequence[Sequence[str]]]
    """The processes of which the receiver consists, for a port to listen on."""
    missing: Callable[[], str | None]
    """Say what must be installed first; None if nothing."""
    install: Callable[[], None]
    """Install the packages that its lock file names, where the machine has what that needs."""
    environment: Mapping[str, str]
    """What is set beside the address, the key, the secrets and the inbox."""


def _python(port: int) -> Sequence[Sequence[str]]:
    return [[sys.executable, "-m", "uvicorn", "receiver:app", "--host", HOST, "--port", str(port)]]


def _node(port: int) -> Sequence[Sequence[str]]:
    return [["env", f"PORT={port}", "node", "receiver.mjs"]]


def _php(port: int) -> Sequence[Sequence[str]]:
    return [["php", "-S", f"{HOST}:{port}", "receive.php"], ["php", "work.php"]]


def _node_missing() -> str | None:
    version = _said("node", "--version").lstrip("v").partition(".")[0]
    if not version.isdigit() or int(version) < OLDEST_NODE or shutil.which("npm") is None:
        return f"it needs Node.js {OLDEST_NODE} or newer with npm (on Debian and Ubuntu the packages nodejs and npm)"
    installed, locked = NODE / "node_modules" / ".package-lock.json", NODE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
        return NOT_INSTALLED
    return None


def _install_node() -> None:
    if _node_missing() == NOT_INSTALLED:
        subprocess.run(NPM_CI, cwd=NODE, check=True)  # noqa: S603


def _nothing() -> None:
    return None


def _php_missing() -> str | None:
    if "pdo_sqlite" not in _said("php", "-m").split():
        return "it needs PHP 8.1 or newer with SQLite (on Debian and Ubuntu the packages php-cli and php-sqlite3)"
    return None


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603


LANGUAGES: Mapping[str, Language] = {
    language.name: language
    for language in (
        Language("python", HERE / "python", _python, _nothing, _nothing, {}),
        Language("node", NODE, _node, _node_missing, _install_node, {}),
        # Its development server answers one post after the other unless it is told otherwise.
        Language("php", PHP, _php, _php_missing, _nothing, {"PHP_CLI_SERVER_WORKERS": "4"}),
    )
}
