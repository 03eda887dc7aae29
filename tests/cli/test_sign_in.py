"""`lintas sign-in`: links for a trial, and for nothing else."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.commands.running import CannotGoOn

ASKED = ["sign-in", "uptd-ppa-ppu", "--role", "receiver", "--name", "Ibu Contoh"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LINTAS_DATABASE_URL": "postgresql://lintas@127.0.0.1:1/real"},
        {"LINTAS_TRIAL": "false"},
    ],
    ids=["nothing runs", "a database in earnest", "no trial"],
)
def test_a_link_is_for_a_trial_that_runs(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (environment | {"LINTAS_DATA_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    if environment:
        (tmp_path / "database-url").write_text("postgresql://lintas@127.0.0.1:1/trial")

    answer = CliRunner().invoke(cli, ASKED)

    assert isinstance(answer.exception, CannotGoOn)
    assert "hanya untuk percobaan" in str(answer.exception)
    assert "for a trial alone" in str(answer.exception)


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "a\x00b", "a\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINTAS_DATA_DIR", str(tmp_path))
    (tmp_path / "database-url").write_text("postgresql://lintas@127.0.0.1:1/trial")

    answer = CliRunner().invoke(cli, [*ASKED[:-1], name])

    assert isinstance(answer.exception, CannotGoOn)
    assert "that name cannot be used" in str(answer.exception)
