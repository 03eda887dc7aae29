"""The document on security names tests that are there."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
DOCUMENTS = [HERE / "docs" / "security.md", HERE / "docs" / "id" / "security.md"]
NAMED = re.compile(r"`(tests/[\w/]+\.py)`(?::((?:,? ?`test_\w+`)+))?")
TEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def named(text: str) -> list[tuple[str, str | None]]:
    """List the files that a text names, with each test of them."""
    found: list[tuple[str, str | None]] = []
    for path, tests in NAMED.findall(text):
        names = re.findall(r"test_\w+", tests)
        found += [(path, name) for name in names] or [(path, None)]
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_the_document_names_is_there(document: Path) -> None:
    missing = []
    for path, name in named(document.read_text("utf-8")):
        file = HERE / path
        if not file.exists() or (name is not None and name not in TEST.findall(file.read_text())):
            missing.append((path, name))

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_risk_names_a_test(document: Path) -> None:
    ten = re.split(r"^## ", document.read_text("utf-8"), flags=re.MULTILINE)[1]
    risks = re.split(r"^\*\*API", ten, flags=re.MULTILINE)[1:]

    assert len(risks) == 10
    assert all(any(name for _, name in named(risk)) for risk in risks)


def test_a_test_that_is_not_there_is_missed() -> None:
    (found,) = named("`tests/api/test_security_document.py`: `test_that_nobody_wrote`")

    assert found == ("tests/api/test_security_document.py", "test_that_nobody_wrote")
    assert found[1] not in TEST.findall(Path(__file__).read_text())
