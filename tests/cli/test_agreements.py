from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.commands.checking import SCHEMA
from app.reference.load import AGREEMENTS

AGREEMENT = "pks-kukar-ppu-2024"
SHIPPED = AGREEMENTS / f"{AGREEMENT}.yaml"
WIDE = 100


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `lintas` with nothing set, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(WIDE))
    for name in [name for name in os.environ if name.startswith("LINTAS_")]:
        monkeypatch.delenv(name)

    def once(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["lintas", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return Done(code, out, err) if isinstance(code, int) else Done(1 if code else 0, out, f"{err}{code or ''}")

    return once


def a_draft(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = SHIPPED.read_text("utf-8").replace(f"id: {AGREEMENT}", "id: a-draft")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = tmp_path / "draft.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_shipped_agreement_is_checked_by_its_id_and_not_refused(run: Run) -> None:
    done = run("agreements", "check", AGREEMENT)

    assert done.returncode == 0, done.stderr
    assert "tidak ditolak / not refused" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-3])) <= WIDE


def test_a_draft_with_two_heads_at_one_rank_is_refused_and_route_reproduces_the_witness(
    run: Run, tmp_path: Path
) -> None:
    draft = a_draft(tmp_path, ("rank: 40", "rank: 30"))

    checked = run("agreements", "check", draft, "--cases", "cases.json", "--json")
    routed = run("route", "cases.json", "--with", draft, "--json")

    assert checked.returncode == 1
    refused = [one for one in json.loads(checked.stdout) if one["severity"] == "refuse"]
    assert {one["code"] for one in refused} == {"ambiguous"}
    assert refused[0]["clauses"] == ["a-draft/care-by-partner", "a-draft/care-where-the-victim-is"]
    assert routed.returncode == 0, routed.stderr
    cases = {name for line in routed.stdout.splitlines() for name in [json.loads(line)["case"]]}
    assert refused[0]["witness"]["name"] in cases


@pytest.mark.parametrize("id_", [AGREEMENT, "baseline-national"])
def test_every_witness_of_a_shipped_document_is_reproduced_by_route(run: Run, id_: str) -> None:
    run("agreements", "check", id_, "--cases", "cases.json")

    routed = run("route", "cases.json")

    assert routed.returncode == 0, routed.stdout[-2000:]
    assert "DIFFERENT" not in routed.stdout


def test_a_clause_that_can_never_match_is_refused_by_its_name(run: Run, tmp_path: Path) -> None:
    draft = a_draft(tmp_path, ("when: {services: [legal_service]}", "when: {services: [legal_service], abroad: true}"))

    done = run("agreements", "check", draft)

    assert done.returncode == 1
    assert "never_matches" in done.stdout
    assert "a-draft/legal-at-incident" in done.stdout
    assert "tidak dapat diterbitkan / cannot be published" in done.stdout


def test_the_coverage_is_printed_and_written_as_a_page(run: Run, tmp_path: Path) -> None:
    shown = run("agreements", "coverage", AGREEMENT)
    written = run("agreements", "coverage", AGREEMENT, "--html", "coverage.html")
    for_machines = run("agreements", "coverage", AGREEMENT, "--json")

    assert shown.returncode == written.returncode == for_machines.returncode == 0
    assert "UPTD PPA Penajam Paser Utara" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= WIDE
    assert (tmp_path / "coverage.html").read_text("utf-8").endswith("</html>\n")
    assert {cell["region"] for cell in json.loads(for_machines.stdout)} == {"64.02", "64.09"}


@pytest.mark.parametrize(
    ("language", "word", "other"), [("id", "Pasal 4", "Article 4"), ("en", "Article 4", "Pasal 4")]
)
def test_a_document_is_explained_in_the_language_asked_for(run: Run, language: str, word: str, other: str) -> None:
    done = run("agreements", "explain", AGREEMENT, "--language", language)

    assert done.returncode == 0
    assert word in done.stdout
    assert other not in done.stdout


def test_the_schema_file_is_as_the_code_says(run: Run) -> None:
    assert run("agreements", "schema", "--check").returncode == 0
    assert json.loads(SCHEMA.read_text("utf-8"))["$schema"].endswith("2020-12/schema")


BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "a region as a number": (
        b"format: 1\ncovers:\n  domicile: [64.02]\n",
        "line 3: /covers/domicile/0: a region code is text",
    ),
    "a key twice": (b"format: 1\nid: a\nid: b\n", "line 3: this key stands here twice"),
    "a tag": (b"format: 1\nid: !!python/object/apply:os.system [true]\n", "line 2: tags are not allowed"),
    "an alias bomb": (BOMB.encode(), "aliases counted each time"),
    "a circle": (b"format: 1\nparties: &a [*a]\n", "line 2: an alias inside what it names"),
    "a merge": (b"a: &a {b: 1}\nc:\n  <<: *a\n", "line 3: a key must be a plain text"),
    "nesting without end": (b"[" * 200, "line 1: nested more than"),
    "nesting beyond the parser": (b"[" * 100_000, "line 1: exceeded maximum nesting depth"),
    "ten megabytes": (b"id: " + b"a" * 10_000_000, "larger than"),
    "a number to the base of sixty": (b"format: 1" + b":59" * 300_000, "line 1: a number or date this long"),
    "a very long number": (b"format: " + b"9" * 500_000, "line 1: a number or date this long"),
    "bytes that are no text": (b"\xff\xfe\x00id: a", "bukan teks UTF-8"),
    "text that is no YAML": (b"format: 1\nid: [a\n", "line 3"),
    "nothing": (b"", "a mapping of keys to values is expected"),
    "two documents": (b"id: a\n---\nid: b\n", "line 2"),
}


@pytest.mark.parametrize("command", ["check", "coverage", "explain"])
def test_what_cannot_be_read_is_refused_with_its_line(run: Run, tmp_path: Path, command: str) -> None:
    file = tmp_path / "draft.yaml"
    file.write_bytes(b"format: 1\nid: a\nid: b\n")

    done = run("agreements", command, file)

    assert done.returncode == 2
    assert "line 3" in done.stderr
    assert done.stdout == ""


CONFINED = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (90, 90))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from app.cli import main
for file in sys.argv[1:]:
    sys.argv = ["lintas", "agreements", "check", file]
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    print(json.dumps([file, code]), flush=True)
    print("END", file=sys.stderr, flush=True)
"""


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """Check every hostile file in one process with a gigabyte of memory and bounded work; give what each came to."""
    directory = tmp_path_factory.mktemp("hostile")
    files = []
    for number, (content, _) in enumerate(HOSTILE.values()):
        files.append(directory / f"{number}.yaml")
        files[-1].write_bytes(content)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", CONFINED, *map(str, files)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=120,
        check=False,
    )
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    said = done.stderr.split("END\n")
    assert len(ended) == len(files), done.stderr[-2000:]
    return {name: Done(code, "", error) for name, (_, code), error in zip(HOSTILE, ended, said, strict=False)}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_the_line_and_the_reason_within_memory_and_time(
    confined: dict[str, Done], name: str
) -> None:
    done = confined[name]

    _, said = HOSTILE[name]
    assert done.returncode == 2, done.stderr[-500:]
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 20_000


@pytest.mark.parametrize("name", ["no-such-id", "missing.yaml", "."])
def test_what_is_not_there_is_said_and_ends_with_2(run: Run, name: str) -> None:
    done = run("agreements", "check", name)

    assert done.returncode == 2
    assert name in done.stderr


def test_a_page_that_cannot_be_written_is_said(run: Run) -> None:
    done = run("agreements", "coverage", AGREEMENT, "--html", "no/such/directory/page.html")

    assert done.returncode == 1
    assert "tidak dapat ditulis" in done.stderr


def test_findings_are_machine_readable(run: Run) -> None:
    done = run("agreements", "check", AGREEMENT, "--json")

    findings: list[dict[str, Any]] = json.loads(done.stdout)
    assert {frozenset(one) for one in findings} == {
        frozenset({"code", "severity", "clauses", "message_id", "message_en", "witness"})
    }
