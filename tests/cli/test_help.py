"""`--help` says in both languages what each command does."""

from typer.testing import CliRunner

from app.cli import cli
from app.commands.in_indonesian import INDONESIAN, commands


def test_every_command_is_told_of_in_indonesian_and_nothing_else_is() -> None:
    assert {words for words, _ in commands(cli)} == {*INDONESIAN}


def test_help_says_what_a_command_does_in_both_languages() -> None:
    everything = CliRunner().invoke(cli, ["--help"], env={"COLUMNS": "300"}).output
    one = CliRunner().invoke(cli, ["keys", "revoke", "--help"], env={"COLUMNS": "300"}).output

    assert "Jalankan pekerja" in everything
    assert "Run the workers" in everything
    assert "Cabut kunci, mulai dari permintaan berikutnya. / Revoke a key, from the very next request on." in one
