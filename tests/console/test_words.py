"""Every text that a template asks for is there, and none is there for nothing."""

import importlib
import pkgutil
import re
from pathlib import Path

import app.console as console
from app.api.problem_texts import PROBLEMS
from app.api.refusals import Refusal
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


def test_every_refusal_of_the_pages_own_has_its_title_and_its_words() -> None:
    for module in pkgutil.walk_packages(console.__path__, "app.console."):
        importlib.import_module(module.name)
    own = [kind for kind in Refusal.__subclasses__() if kind.__module__.startswith("app.console.")]

    assert len(own) >= 3
    for kind in own:
        words = {f"refusal.title.{kind.code}", f"refusal.{kind.code}"}
        assert words <= WORDS.keys() or kind.code in PROBLEMS
