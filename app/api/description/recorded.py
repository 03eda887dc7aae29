"""What the service answered to the examples, as the tests wrote it down: the document shows it."""

from pathlib import Path
from typing import Any

import orjson

PATH = Path(__file__).with_name("recorded.json")
NEWS = Path(__file__).with_name("recorded_news.json")


def recorded() -> dict[str, dict[str, Any]]:
    """Give an example of each good answer, by operation and status."""
    found: dict[str, dict[str, Any]] = orjson.loads(PATH.read_bytes())
    return found


def recorded_news() -> dict[str, Any]:
    """Give a body of each type of news as it was posted, by type."""
    found: dict[str, Any] = orjson.loads(NEWS.read_bytes())
    return found


def add_answers(operation: dict[str, Any], answers: dict[str, Any]) -> None:
    """Show in an operation of the document what it answered."""
    for status, said in answers.items():
        content = operation["responses"].get(status, {}).get("content", {}).get("application/json")
        if content is not None:
            content["examples"] = {"answer": {"summary": "As the service answered.", "value": said}}
