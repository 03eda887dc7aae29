from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import RegistryInvalid
from app.domain.registry import time_zone_of
from app.domain.vocabulary import Urgency
from app.reference.cases import run_route
from app.reference.load import HERE, load_overlay, parse_registry, shipped
from app.reference.yaml_text import Unreadable, load_yaml

CASES = Path(__file__).parent.parent / "cases" / "routing.yaml"
KEYS = [
    "case",
    "service",
    "outcome",
    "reason",
    "agency",
    "clause",
    "document",
    "respond",
    "chain",
    "warnings",
    "missing",
    "coordinator",
]
A_CASE = """
- name: a case
  facts: {received_at: "2025-01-15T10:00:00+08:00", urgency: standard, case_types: [physical],
          services: [health_service],
          locations: {incident: "64.02.06", domicile: "64.02.06", current: "64.02.06"},
          victim: {sex: female, age: 26}}
"""


def test_the_shipped_data_is_whole() -> None:
    reference = shipped()
    levels = [region.level.value for region in reference.regions.by_code.values()]

    assert (levels.count("province"), levels.count("regency"), levels.count("city")) == (38, 416, 98)
    assert [document.id for document in reference.documents] == ["baseline-national", "pks-kukar-ppu-2024"]
    assert reference.vocabulary.urgencies[Urgency.STANDARD].respond == "P3WD"
    assert reference.registry.agencies["polres-ppu"].time_zone == "Asia/Makassar"
    assert all(
        region.parent in reference.regions.by_code for region in reference.regions.by_code.values() if region.parent
    )
    assert all(reference.regions.knows(code) for code in load_overlay().wholly_or_partly)
    assert "Copyright (c) 2017-2025 Cahya DSN" in (HERE / "LICENSE-wilayah.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("region", "zone"),
    [("64.02", "Asia/Makassar"), ("31", "Asia/Jakarta"), ("94.01", "Asia/Jayapura"), ("ID", "Asia/Jakarta")],
)
def test_a_region_keeps_the_time_of_its_province(region: str, zone: str) -> None:
    assert time_zone_of(region) == zone


def test_every_province_has_a_time_zone() -> None:
    provinces = [code for code in shipped().regions.by_code if "." not in code]

    assert {time_zone_of(code) for code in provinces} == {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"}


def test_agencies_are_read_strictly() -> None:
    agency = {"code": "a", "name": "A", "kind": "castle", "region": 64.02, "services": {"magic": {"area": ["64.99"]}}}

    with pytest.raises(RegistryInvalid) as raised:
        parse_registry({"agencies": [agency]}, shipped().vocabulary, shipped().regions)

    assert {(fault.pointer, fault.code) for fault in raised.value.faults} == {
        ("/agencies/0/kind", "unknown_code"),
        ("/agencies/0/region", "region_is_a_number"),
        ("/agencies/0/services/magic", "unknown_code"),
        ("/agencies/0/services/magic/area/0", "unknown_region"),
    }


def test_yaml_says_on_which_line_each_part_stands() -> None:
    loaded = load_yaml("a:\n  - 1\n  - b: 2\n")

    assert loaded.value == {"a": [1, {"b": 2}]}
    assert (loaded.line("/a/1/b"), loaded.line("/a/1/b/none")) == (3, 3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\na: 2", "line 2: this key stands here twice"),
        ("a: !!python/object:os.system x", "line 1: tags are not allowed"),
        ("a: !!str 1", "line 1: tags are not allowed"),
        ("a: [1", "line 2"),
        ("a: &a [*a]", "an alias inside what it names"),
        ("<<: {a: 1}", "is not allowed"),
        ("[a, b]: 1", "a key must be a plain text"),
        ("[" * 500, "nested more than"),
        ("a: " + "x" * (1 << 20), "larger than"),
        ("a: 2024-99-99", "cannot be read"),
        ("a: 1\n---\nb: 1", "line 2"),
        ("[" * 50_000, "nesting depth"),
        ("a: \ud800", "this is not text"),
        ("a: \x00", "this is not YAML"),
    ],
)
def test_yaml_that_could_surprise_is_refused(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        load_yaml(text)


def test_aliases_are_read_but_cannot_grow_without_bound() -> None:
    assert load_yaml("a: &kinds [x, y]\nb: *kinds").value == {"a": ["x", "y"], "b": ["x", "y"]}
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(Unreadable, match="aliases counted each time"):
        load_yaml(bomb)


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(Unreadable):
        load_yaml(text)


def routed(tmp_path: Path, text: str, *, as_json: bool = True, name: str = "cases.yaml") -> tuple[int, str]:
    path, out = tmp_path / name, io.StringIO()
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return run_route(path, as_json=as_json, out=out), out.getvalue()


def test_the_worked_cases_come_out_as_expected_line_by_line() -> None:
    out = io.StringIO()

    assert run_route(CASES, as_json=True, out=out) == 0
    lines = [orjson.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == 59
    assert all(list(line) == KEYS for line in lines)


def test_without_json_a_table_is_shown_for_each_case(tmp_path: Path) -> None:
    code, shown = routed(tmp_path, A_CASE, as_json=False)

    assert code == 0
    assert "rsud-parikesit" in shown


def test_a_difference_is_shown_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = A_CASE + "  expect: {health_service: {agency: lpsk, respond: P3WD}}\n"

    assert routed(tmp_path, text)[0] == 1
    assert 'health_service.agency is "rsud-parikesit", expected "lpsk"' in capsys.readouterr().err
    assert 'expected "lpsk"' in routed(tmp_path, text, as_json=False)[1]


def test_cases_may_be_json(tmp_path: Path) -> None:
    cases = orjson.dumps(load_yaml(A_CASE).value).decode()

    assert routed(tmp_path, cases, name="cases.json") == routed(tmp_path, A_CASE)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (A_CASE.replace('"64.02.06", d', "64.02, d"), "line 5: /0/facts/locations/incident: a region code is text"),
        (A_CASE.replace("[health_service]", "[magic]"), "/0/facts/services/0"),
        (A_CASE.replace("[physical]", "[magic]"), "/0/facts/case_types/0"),
        (A_CASE.replace("urgency: standard, ", ""), "/0/facts/urgency: this is required"),
        (A_CASE + "  expect: {mediation: {agency: lpsk}}\n", "line 7: /0/expect/mediation"),
        (A_CASE + "  expect: {health_service: {agancy: lpsk}}\n", "/0/expect/health_service/agancy"),
        (A_CASE + "  expect: {health_service: offered}\n", "/0/expect/health_service"),
        (A_CASE + "  surprise: 1\n", "/0/surprise"),
        ("just text", "a list of cases is expected"),
        ("", "a list of cases is expected"),
        ("- 1", "/0"),
        ("- [", "line"),
    ],
)
def test_a_malformed_file_is_named_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, place: str
) -> None:
    assert routed(tmp_path, text) == (2, "")
    assert place in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["[", '[{"name": "\\ud800", "facts": {}}]', "[" * 100_000, '{"a": 1, "a": 2}', "[1e999]", "9" * 5000, "\ud800"],
)
def test_malformed_json_is_told_and_never_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert routed(tmp_path, text, name="cases.json") == (2, "")
    assert capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_route(tmp_path / "none.yaml", as_json=True, out=io.StringIO()) == 2
    assert run_route(tmp_path, as_json=True, out=io.StringIO()) == 2
    assert "cannot be read" in capsys.readouterr().err
