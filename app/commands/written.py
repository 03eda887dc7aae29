"""Files that a person gives a command: read strictly, and what is wrong with them said line by line."""

import sys
from collections.abc import Iterable
from pathlib import Path

import orjson
import typer

from app.api.problem_texts import PROBLEMS
from app.commands.running import CannotGoOn
from app.domain.agreement import Document, parse_document
from app.domain.errors import DocumentInvalid, DocumentRefused, DomainError
from app.domain.regions import Regions
from app.domain.vocabulary import Vocabulary
from app.reference.load import places, shipped
from app.reference.yaml_text import LARGEST, Loaded, Unreadable, load_yaml

SHOWN = 100


def load_document(file: Path) -> Loaded:
    """Read a document's text, YAML or JSON, into plain values, or say why not and end with 2."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 8)
        # What is cut off is too large whatever it says: the reader counts the bytes.
        return load_yaml(content.decode("utf-8-sig", errors="ignore" if len(content) > LARGEST else "strict"))
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        tell([f"{file}: tidak dapat dibaca / cannot be read: {_reason(error)}"])
        raise typer.Exit(2) from None


def _reason(error: OSError | UnicodeDecodeError | Unreadable) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "bukan teks UTF-8 / not UTF-8 text"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)


def parse_written(file: Path, loaded: Loaded, vocabulary: Vocabulary, regions: Regions) -> Document:
    """Read a document, or say all that is wrong with it, with the lines, and end with 2."""
    try:
        return parse_document(loaded.value, vocabulary, regions)
    except DocumentInvalid as invalid:
        tell(f"{file}: {fault}" for fault in places(invalid.faults[:SHOWN], loaded))
        raise typer.Exit(2) from None


def read_document(file: Path) -> Document:
    """Read a document by what ships with Lintas, or say what is wrong with it and end with 2."""
    reference = shipped()
    return parse_written(file, load_document(file), reference.vocabulary, reference.regions)


def why(error: DomainError) -> CannotGoOn:
    """Put an error in words; what refuses a document is told before, finding by finding."""
    if isinstance(error, DocumentRefused):
        for finding in error.findings:
            tell([f"{finding['message_id']}", f"{finding['message_en']}"])
            if finding["witness"]:
                tell([f"  {orjson.dumps(finding['witness']).decode()}"])
    said = PROBLEMS[error.code].detail
    return CannotGoOn(said.id.format_map(vars(error)), said.en.format_map(vars(error)))


def tell(lines: Iterable[str]) -> None:
    """Say lines beside the output proper."""
    sys.stderr.writelines(f"{line}\n" for line in lines)
