"""Settings that are handed over as files, each named as its variable: so do Docker, Kubernetes and systemd."""

import os
from pathlib import Path

from pydantic_settings import BaseSettings, EnvSettingsSource


class SecretsUnreadable(Exception):
    """What could not be read: the variable that names the directory, or the one that a file stands for."""

    def __init__(self, variable: str, why: str) -> None:
        super().__init__(f"{variable}: {why}")


def read_secrets(directory: Path, *, prefix: str) -> dict[str, str]:
    """Read the files of a directory whose names begin so, without the line's end; SecretsUnreadable if that fails."""
    try:
        files = sorted(path for path in directory.iterdir() if path.name.startswith(prefix))
    except OSError as error:
        raise SecretsUnreadable(f"{prefix}SECRETS_DIR", f"cannot be read ({error.strerror})") from None
    return {path.name: _read(path) for path in files}


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise SecretsUnreadable(path.name, f"its file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SecretsUnreadable(path.name, "its file is no text") from None


def secrets_of_environment(prefix: str) -> dict[str, str]:
    """Read the files of the directory that the environment names, if it names one."""
    named = os.environ.get(f"{prefix}SECRETS_DIR")
    return read_secrets(Path(named), prefix=prefix) if named else {}


class SecretFiles(EnvSettingsSource):
    """Gives those files as if their variables were set, for what is not set otherwise."""

    def __init__(self, settings_cls: type[BaseSettings], *, prefix: str) -> None:
        super().__init__(settings_cls)
        self.env_vars = {name.lower(): value for name, value in secrets_of_environment(prefix).items() if value}
