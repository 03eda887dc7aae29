"""Every fault that the domain can find has its text in both languages, and no fault's place repeats what was sent."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.api.fault_texts import FAULTS
from app.api.faults import MOST_FINDINGS, Finding, few, shown
from app.domain.errors import Fault

SOURCES = Path(app.__file__).parent


def codes_in(folder: str) -> Iterator[tuple[str, str]]:
    """Give every code that is written in a call of a fault, with the place in the source."""
    for path in sorted((SOURCES / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = {"fault": 0, "_fault": 0, "Fault": 1}.get(name)
            if place is None or len(node.args) <= place:
                continue
            code = node.args[place]
            if isinstance(code, ast.Constant):
                yield str(code.value), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("folder", ["domain", "reference", "workflows", "storage", "api"])
def test_every_code_has_a_text_that_needs_nothing_filled_in(folder: str) -> None:
    found = dict(codes_in(folder))
    assert found or folder == "storage"
    for code, where in found.items():
        assert code in FAULTS, f"{code} ({where}) has no text in fault_texts.FAULTS"
        for text in FAULTS[code]:
            assert "{" not in text, f"{code} ({where})"


@pytest.mark.parametrize(
    ("pointer", "said"),
    [
        ("", ""),
        ("/services/health_service/area/599", "/services/health_service/area/599"),
        ("/services/Siti Aminah/area", "/services"),
        ("/Siti~1Aminah", ""),
        ("/parties/0/Siti", "/parties/0"),
        ("/services/6402/area", "/services/6402/area"),
        ("/cases/3201234567890123/x", "/cases"),
    ],
)
def test_a_place_is_told_as_deep_as_it_is_made_of_names_and_numbers(pointer: str, said: str) -> None:
    assert shown(pointer) == said
    assert Finding.of(Fault(pointer, "required", "")).pointer == said


def test_more_faults_than_anybody_reads_are_told_of_in_one_line() -> None:
    many = [Finding("required", pointer=f"/{place}") for place in range(1000)]

    assert few(many[:MOST_FINDINGS]) == many[:MOST_FINDINGS]
    assert [one.code for one in few(many)] == ["required"] * MOST_FINDINGS + ["more_faults"]
