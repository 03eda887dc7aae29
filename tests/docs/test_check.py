"""An example of a document that does not hold is found, told with its place, and fails the check."""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from docs.check import check_all, documents, run
from docs.examples import Example, differences, examples, unclear
from docs.house import ROOT, USUAL, House, running

NEEDS = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None, reason="documents are written for bash and curl"
)


class Answering(BaseHTTPRequestHandler):
    """What a document may speak to: it is ready, and refuses whatever is posted."""

    def do_GET(self) -> None:
        self._say(200, {"id": "0195", "state": "open", "items": [{"code": "a"}, {"code": "b"}]})

    def do_POST(self) -> None:
        self._say(422, {"code": "invalid_input"})

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _say(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[House]:
    """A house whose Lintas only answers."""
    (tmp_path / ".lintas").mkdir()
    (tmp_path / ".lintas" / "trial-keys.json").write_text('{"sender": "lintas_secret"}')
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    answering = threading.Thread(target=server.serve_forever, daemon=True)
    answering.start()
    yield House(tmp_path, f"127.0.0.1:{server.server_port}", Path(sys.executable).parent)
    server.shutdown()
    server.server_close()
    answering.join(10)


def sh(text: str, note: str = "") -> Example:
    return Example("doc.md:1", "sh", f"{text}\n", note)


def answer(text: str) -> Example:
    return Example("doc.md:5", "json", text, "answer")


ASK = f"curl -s http://{USUAL}/v1/referrals"


@NEEDS
def test_a_document_that_holds_has_no_faults(there: House) -> None:
    document = [
        sh(ASK),
        answer('{"id": "...", "items": [{"code": "a"}], "...": "..."}'),
        sh(f"{ASK} -d '{{}}'", "refused: 422"),
        sh('test "$SENDER" = lintas_secret'),
    ]

    assert list(run(document, there)) == []


@NEEDS
@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([sh("true"), sh("exit 7")], "doc.md:1: ended with 7"),
        ([sh("no-such-command")], "doc.md:1: ended with 127"),
        ([sh(f"{ASK} -d '{{}}'")], "doc.md:1: answered 422, and not 2xx"),
        ([sh(ASK, "refused: 422")], "doc.md:1: answered 200, and not 422"),
        ([sh(ASK), answer('{"state": "closed"}')], "doc.md:5: /state came as 'open'"),
        ([sh(ASK), answer('{"holder": "x"}')], "doc.md:5: /holder did not come"),
        ([sh(ASK), answer('{"items": [{}, {}, {}]}')], "doc.md:5: /items has 2 entries, and not 3"),
        ([sh("true"), answer("{}")], "doc.md:5: no JSON came"),
        ([sh("echo $UNSET_BY_ANYBODY")], "doc.md:1: ended with"),
    ],
)
def test_an_example_that_does_not_hold_is_found(there: House, document: list[Example], fault: str) -> None:
    (found,) = run(document, there)

    assert found.startswith(fault)


@NEEDS
def test_what_comes_after_a_command_that_ended_is_not_run(there: House) -> None:
    (found,) = run([sh("exit 1"), sh("touch made")], there)

    assert "ended with 1" in found
    assert not (there.directory / "made").exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```sh\ntrue\n```\n", None),
        ("```yaml\na: 1\n```\n", "page.md:1: not run, and it does not say why"),
        ("<!-- not run: a fragment -->\n```yaml\na: 1\n```\n", None),
        ("<!-- unknown -->\n```sh\ntrue\n```\n", "page.md:2: nobody knows the note"),
        ("<!-- answer -->\n```json\n{}\n```\n", "page.md:2: an answer to nothing that is run"),
        ("```sh\ntrue\n```\n<!-- answer -->\n```json\n{,}\n```\n", "page.md:5: not JSON"),
    ],
)
def test_a_block_is_run_or_says_why_not(tmp_path: Path, text: str, fault: str | None) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)

    found = list(unclear(examples(page, "page.md")))

    assert len(found) == (0 if fault is None else 1)
    assert fault is None or found[0].startswith(fault)


def test_a_document_without_commands_needs_no_lintas(capsys: pytest.CaptureFixture[str]) -> None:
    page = next(path for path in documents() if not any(one.is_run for one in examples(path, path.name)))

    assert check_all([page]) == []
    assert f"{page.relative_to(ROOT)}: 0 run" in capsys.readouterr().out


def test_every_document_says_of_each_block_what_it_is() -> None:
    assert [fault for path in documents() for fault in unclear(examples(path, path.name))] == []


def test_of_an_id_only_its_kind_is_shown() -> None:
    assert list(differences("urn:lintas:request:...", "urn:lintas:request:0195", "")) == []
    assert list(differences("urn:lintas:request:...", "0195", "/instance")) == ["/instance came as '0195'"]


def test_who_ends_before_it_is_ready_is_told_of(there: House) -> None:
    nowhere = House(there.directory, "127.0.0.1:1", there.binaries)

    with (
        pytest.raises(SystemExit, match="ended with 3"),
        running([sys.executable, "-c", "raise SystemExit(3)"], nowhere),
    ):
        pytest.fail("it is not ready")


def test_what_runs_beside_a_document_ends_with_it(there: House) -> None:
    mark = there.directory / "ended"
    beside = (
        "import pathlib, signal, threading\n"
        "over = threading.Event()\n"
        "signal.signal(signal.SIGINT, lambda *_: over.set())\n"
        "pathlib.Path('begun').touch()\n"
        "over.wait(60)\n"
        f"pathlib.Path({str(mark)!r}).touch()\n"
    )

    with running([sys.executable, "-c", beside], there):
        assert not mark.exists()
        wait_for(there.directory / "begun")

    assert mark.exists()


def test_a_command_is_run_where_this_lintas_answers(there: House) -> None:
    sandbox = House(there.directory, "127.0.0.1:5", there.binaries, "127.0.0.1:6")

    assert there.said(ASK) == f"curl -s http://{there.at}/v1/referrals"
    assert sandbox.said("127.0.0.1:8090 127.0.0.1:8091 127.0.0.1:8080") == "127.0.0.1:5 127.0.0.1:6 127.0.0.1:8080"


def test_a_reader_has_the_keys_and_none_of_our_settings(there: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINTAS_DATABASE_URL", "postgresql://elsewhere")

    found = there.environment()

    assert found["SENDER"] == "lintas_secret"
    assert found["PATH"].startswith(str(there.binaries))
    assert not any(name.startswith("LINTAS_") for name in found)


def wait_for(path: Path) -> None:
    """Wait until a file is there, and no longer than ten seconds."""
    patience = threading.Event()
    for _ in range(1000):
        if path.exists():
            return
        patience.wait(0.01)
    pytest.fail("it did not begin")
