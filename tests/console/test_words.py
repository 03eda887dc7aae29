"""Every text that a template asks for is there, and none is there for nothing."""

import re
from pathlib import Path

import app.console as console
from app.console.words import PARTS, WORDS

HERE = Path(console.__path__[0])
ASKED = re.compile(r"""["']([a-z_]+(?:\.[a-z_]+)+)["']""")
BUILT = re.compile(r"""["']([a-z_]+\.[a-z_.]*)["'] ~|f["']([a-z_]+\.[a-z_.]*){""")


def written() -> str:
    files = [*HERE.glob("templates/*.html"), *(one for one in HERE.rglob("*.py") if "words" not in one.parts)]
    return "\n".join(one.read_text("utf-8") for one in files)


def test_no_two_subjects_give_the_same_key_a_text() -> None:
    assert sum(map(len, PARTS)) == len(WORDS)


def test_every_text_is_asked_for_somewhere() -> None:
    text = written()
    asked = set(ASKED.findall(text))
    beginnings = ("done.", "times.", *{one or other for one, other in BUILT.findall(text)})

    assert not [key for key in WORDS if key not in asked and not key.startswith(beginnings)]


def test_every_text_that_a_template_asks_for_is_there() -> None:
    templates = "\n".join(one.read_text("utf-8") for one in HERE.glob("templates/*.html"))

    assert set(re.findall(r"""\bt\(["']([a-z_.]+)["']\s*[,)]""", templates)) <= WORDS.keys()
