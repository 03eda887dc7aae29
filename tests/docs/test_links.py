"""What the documents lead to is there: other documents, pictures, files of the project."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = sorted([ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")])
LEADS = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_leads_to_is_there(path: Path) -> None:
    wanted = [one for one in LEADS.findall(path.read_text("utf-8")) if not one.startswith("/")]

    assert not [one for one in wanted if not (path.parent / one).exists()]


def test_every_picture_is_shown_by_some_document() -> None:
    shown = {(path.parent / one).resolve() for path in WRITTEN for one in LEADS.findall(path.read_text("utf-8"))}

    assert not [one.name for one in (ROOT / "docs" / "images").glob("*.png") if one.resolve() not in shown]
