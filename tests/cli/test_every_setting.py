"""Whatever is set wrong stops the start and is named, and what it was set to is shown to nobody."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.settings import PREFIX, Settings, SettingsInvalid, read_settings
from app.storage.sealing import KeyRing

ROOT = Path(__file__).parents[2]

NOT_READABLE = {
    "LINTAS_SECRETS_DIR": "canary/nowhere",
    "LINTAS_TOKENS__ISSUER": "canary",
    "LINTAS_TOKENS__AUDIENCE": "canary" * 50,
    "LINTAS_TOKENS__KEY_SET_URL": "canary" * 50,
    "LINTAS_MAIL__CA_FILE": "canary/nowhere.pem",
    "LINTAS_MAIL__HOST": "canary" * 50,
    "LINTAS_SIGN_IN__AGENCY_CLAIM": "canary" * 50,
    "LINTAS_SIGN_IN__CLIENT_ID": "canary" * 50,
    "LINTAS_SIGN_IN__ROLES_CLAIM": "canary" * 50,
    "LINTAS_SIGN_IN__SCOPE": "canary" * 50,
    "LINTAS_TOKENS__AGENCY_CLAIM": "canary" * 50,
    "LINTAS_TOKENS__ROLES_CLAIM": "canary" * 50,
    "LINTAS_TOKENS__SCOPE_CLAIM": "canary" * 50,
    "LINTAS_CERTIFICATES__HEADER": "canary!",
    "LINTAS_DATABASE__RUN_ROLE": "canary; DROP",
}
"""What is wrong of settings that take a text; of all others a word is."""
BESIDE = {"LINTAS_MAIL__": {"LINTAS_MAIL__HOST": "mail.example", "LINTAS_MAIL__SENDER": "lintas@mail.example"}}
"""What else has to be set for those whose names begin so to count at all."""
FOUND_OUT_LATER = {
    "LINTAS_HOST": "canary.invalid",
    "LINTAS_KEY_RING": "canary",
    "LINTAS_METRICS__HOST": "canary.invalid",
    "LINTAS_KEY_RING_FILE": "canary/nowhere.json",
    "LINTAS_RETENTION_FILE": "canary/nowhere.yaml",
}
"""What only the start itself can try."""
NEVER_WRONG = {
    "LINTAS_DATA_DIR": "`serve` and `work` start without it, and warn that nothing can be erased",
    "LINTAS_ERASURE_LEDGER": "likewise",
    "LINTAS_SIGN_IN__CLIENT_SECRET": "only the provider knows; without an issuer it is refused",
    "LINTAS_FALLBACK_COORDINATOR": "the registry may come to know it later; until then fallback_coordinator_unknown",
}


def variables(of: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in of.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from variables(type(field.default), f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


EVERY_SETTING = sorted(variables(Settings, PREFIX))


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(PREFIX) and not name.startswith("LINTAS_TEST_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", [name for name in EVERY_SETTING if name not in FOUND_OUT_LATER | NEVER_WRONG])
def test_a_setting_that_cannot_be_read_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for beginning, others in BESIDE.items():
        for other, value in others.items() if name.startswith(beginning) else ():
            monkeypatch.setenv(other, value)
    monkeypatch.setenv(name, NOT_READABLE.get(name, "canary"))

    with pytest.raises(SettingsInvalid) as caught:
        read_settings()

    assert name in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", FOUND_OUT_LATER)
def test_what_only_the_start_can_try_stops_it_and_is_named(tmp_path: Path, key_ring: KeyRing, name: str) -> None:
    key_ring.write(tmp_path / "ring.json")
    settings = {
        "LINTAS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "LINTAS_KEY_RING_FILE": str(tmp_path / "ring.json"),
        "LINTAS_DATA_DIR": str(tmp_path),
        "LINTAS_PORT": "0",
        "LINTAS_METRICS__PORT": "0",
        name: FOUND_OUT_LATER[name],
    }

    started = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve"],
        check=False,
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert started.returncode == 1
    assert name in started.stderr
    # An address is told as it was given: it is no secret, and whoever mistyped it sees how.
    assert name.endswith("HOST") or "canary" not in started.stderr


def test_settings_may_lie_in_files_named_as_their_variables_and_what_is_set_goes_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in {
        "LINTAS_DATABASE_URL": "postgresql://lintas:canary@db/lintas\n",
        "LINTAS_DATABASE__LISTEN_URL": "postgresql://lintas:canary@direct/lintas",
        "LINTAS_PORT": "8001",
        "LINTAS_LOG_LEVEL": "",
        "another": "not ours",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("LINTAS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("LINTAS_PORT", "8002")

    settings = read_settings()

    assert str(settings.database_url) == "postgresql://lintas:canary@db/lintas"
    assert str(settings.database.listen_url) == "postgresql://lintas:canary@direct/lintas"
    assert (settings.port, settings.log_level) == (8002, "INFO")
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "content"),
    [("LINTAS_PORT", b"canary"), ("LINTAS_DATABASE_URL", b"canary"), ("LINTAS_KEY_RING", b"\xff"), ("LINTAS_X", b"1")],
)
def test_a_file_that_is_wrong_is_named_without_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("LINTAS_SECRETS_DIR", str(tmp_path))

    with pytest.raises(SettingsInvalid) as caught:
        read_settings()

    assert str(caught.value).startswith(f"{name}: ")
    assert "canary" not in str(caught.value)
