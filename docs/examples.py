"""The examples in the documents: which blocks there are, what their comments say, and whether an answer is as shown."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
NOTES = re.compile(r"(refused: (?P<status>\d{3})|answer|run: beside|not run: (?P<why>.+))\Z")


@dataclass(frozen=True, slots=True)
class Example:
    """A block of a document: where it stands, what it holds, and what its comment says."""

    place: str
    language: str
    text: str
    note: str = ""

    @property
    def why_not(self) -> str | None:
        """Give the reason for which it is not run; None if it is."""
        found = NOTES.match(self.note)
        return found["why"] if found else None

    @property
    def refused(self) -> str | None:
        """Give the status that its last answer has; None if it succeeds."""
        found = NOTES.match(self.note)
        return found["status"] if found else None

    @property
    def is_run(self) -> bool:
        """Say whether it is a command that is run after those before it."""
        return self.language == "sh" and not self.why_not and self.note != "run: beside"

    @property
    def is_answer(self) -> bool:
        """Say whether it shows the answer to the block before."""
        return self.language == "json" and self.note == "answer"


def examples(path: Path, name: str) -> list[Example]:
    """List the blocks of a document."""
    text, found = path.read_text("utf-8"), []
    for block in BLOCK.finditer(text):
        note = (block["note"] or "").strip()
        note = "" if note == "end" or note.startswith("generated:") else note
        line = text.count("\n", 0, block.start("language")) + 1
        found.append(Example(f"{name}:{line}", block["language"], block["text"], note))
    return found


def unclear(found: list[Example]) -> Iterator[str]:
    """Find blocks that are neither run nor say why not, and answers that are not JSON or to nothing."""
    for before, example in zip([None, *found], found, strict=False):
        if example.note and not NOTES.match(example.note):
            yield f"{example.place}: nobody knows the note `{example.note}`"
        if example.why_not:
            continue
        if example.is_answer:
            if before is None or not before.is_run:
                yield f"{example.place}: an answer to nothing that is run"
            try:
                json.loads(example.text)
            except ValueError as error:
                yield f"{example.place}: not JSON ({error})"
        elif example.language != "sh":
            yield f"{example.place}: not run, and it does not say why (`<!-- not run: why -->`)"


def faults_of_answer(example: Example, output: str) -> Iterator[str]:
    """Find what an answer that is shown says otherwise than the last one that came."""
    answers = list(_objects(output))
    if not answers:
        yield f"{example.place}: no JSON came that it could be the answer of"
        return
    for fault in differences(json.loads(example.text), answers[-1], ""):
        yield f"{example.place}: {fault}"


def differences(shown: object, came: object, at: str) -> Iterator[str]:
    """Compare what is shown with what came: members may be left out, and three dots stand for anything that follows."""
    if isinstance(shown, dict) and isinstance(came, dict):
        for name, value in shown.items():
            if name in came:
                yield from differences(value, came[name], f"{at}/{name}")
            elif name != "...":
                yield f"{at}/{name} did not come"
    elif isinstance(shown, list) and isinstance(came, list):
        if len(shown) > len(came):
            yield f"{at} has {len(came)} entries, and not {len(shown)}"
        for number, (one, other) in enumerate(zip(shown, came, strict=False)):
            yield from differences(one, other, f"{at}/{number}")
    elif shown != came and not _stands_for(shown, came):
        yield f"{at or '/'} came as {came!r}"


def _stands_for(shown: object, came: object) -> bool:
    """Tell whether a text that ends in three dots can be what came: of an id only its kind is shown."""
    if not (isinstance(shown, str) and shown.endswith("...") and isinstance(came, str)):
        return False
    return came.startswith(shown[: shown.rfind(":") + 1])


def _objects(output: str) -> Iterator[object]:
    decoder, at = json.JSONDecoder(), 0
    while (at := output.find("{", at)) != -1:
        try:
            found, at = decoder.raw_decode(output, at)
        except ValueError:
            at += 1
        else:
            yield found
