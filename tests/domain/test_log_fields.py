"""What the log is given to say is said: no line loses a field because nobody named it."""

import ast
from pathlib import Path

import pytest

from app.observability import FIELDS

APP = Path(__file__).parents[2] / "app"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}


def logged_fields(source: str) -> set[str]:
    """Name the fields that are given to `log` by name."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    ours = (call for call in calls if ast.unparse(call.func).removeprefix("log.") in LEVELS)
    return {keyword.arg for call in ours for keyword in call.keywords if keyword.arg} - {"exc_info"}


@pytest.mark.parametrize("file", sorted(APP.rglob("*.py")), ids=lambda file: str(file.relative_to(APP)))
def test_every_field_that_is_logged_has_a_name_that_may_be(file: Path) -> None:
    assert logged_fields(file.read_text()) <= FIELDS


def test_the_fields_of_a_call_are_found() -> None:
    assert logged_fields("log.log(level, 'posted', detail=1, **more)\nlog.error('x', exc_info=e)") == {"detail"}
