"""Runs every example of the documents against a Lintas of its own, document by document, and says which do not hold.

A comment before a block says what it is, where it is not a command that succeeds:
`<!-- refused: 422 -->` its last answer has this status; `<!-- answer -->` the answer of the block before, shortened;
`<!-- run: beside -->` it goes on running while the others follow; `<!-- not run: why -->` it cannot be run here.
With --word-for-word DOCUMENT in a clean clone, nothing is put in the place of what the document says.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.examples import Example, examples, faults_of_answer, unclear
from docs.house import ROOT, USUAL, House, house, running, sandbox

SHELL = shutil.which("bash") or ""
PRELUDE = """
set -eu -o pipefail
statuses=$(mktemp)
curl() {
  local ended=0
  command curl --dump-header "$statuses.one" "$@" || ended=$?
  grep -a '^HTTP/' "$statuses.one" >> "$statuses" || true
  return $ended
}
"""
MARK = "== example "


def run(document: list[Example], there: House) -> Iterator[str]:
    """Run a document's commands in one shell, and find what did not go as it says."""
    commands = [one for one in document if one.is_run]
    script = PRELUDE + "".join(
        f": > $statuses\n{there.said(one.text)}\n"
        f"printf '\\n{MARK}{number} %s\\n' \"$(tail -n 1 $statuses | cut -d ' ' -f 2)\"\n"
        for number, one in enumerate(commands)
    )
    done = subprocess.run(  # noqa: S603 - the documents are ours
        [SHELL, "-c", script],
        cwd=there.directory,
        env=there.environment(),
        text=True,
        capture_output=True,
        timeout=600,
        check=False,
    )
    *parts, rest = re.split(rf"\n{MARK}\d+ (\d*)\n", done.stdout)
    said = list(zip(parts[0::2], parts[1::2], strict=True))
    for number, one in enumerate(commands):
        if number == len(said):
            yield f"{one.place}: ended with {done.returncode}\n{done.stderr.strip()[-800:]}\n{rest.strip()[-800:]}"
            return
        output, status = said[number]
        if (one.refused and status != one.refused) or (not one.refused and status >= "400"):
            yield f"{one.place}: answered {status}, and not {one.refused or '2xx'}\n{output.strip()[-400:]}"
        at = document.index(one) + 1
        if at < len(document) and document[at].is_answer:
            yield from faults_of_answer(document[at], output)


def documents() -> list[Path]:
    """List what is looked at."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "id").glob("*.md"))]


def check_all(chosen: list[Path]) -> list[str]:
    """Run every document, each with a Lintas of its own."""
    faults: list[str] = []
    for path in chosen:
        document = examples(path, str(path.relative_to(ROOT)))
        found = list(unclear(document))
        ran = sum(one.is_run for one in document)
        if ran:
            with sandbox() if path.stem == "sandbox" else house() as there:
                found += run(document, there)
        skipped = sum(bool(one.why_not) for one in document)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {ran} run, {skipped} not, {len(found)} faults\n")
        sys.stdout.flush()
        faults += found
    return faults


def word_for_word(path: Path) -> list[str]:
    """Follow a document in this clone as it stands: its own `make run`, its own port, its own keys."""
    document = examples(path, path.name)
    (beside,) = [one for one in document if one.note == "run: beside"]
    there = House(ROOT, USUAL, ROOT / ".venv" / "bin")
    with running(["bash", "-c", f"exec {beside.text.strip()}"], there):
        return list(run(document, there))


def main() -> int:
    """Check, and say what does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="*", type=Path)
    parser.add_argument("--word-for-word", type=Path)
    given = parser.parse_args()
    if not SHELL or shutil.which("curl") is None:
        sys.stderr.write("this needs bash and curl, which the documents' commands are written for\n")
        return 2
    if given.word_for_word:
        faults = word_for_word(given.word_for_word.resolve())
    else:
        faults = check_all([path.resolve() for path in given.documents] or documents())
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
