"""The diagram of a handoff's states holds every state and every move, in both languages, and lies in the documents."""

from xml.etree import ElementTree as ET

import pytest

from app.domain.handoff import LIVE, TRANSITIONS, HandoffEvent, HandoffState
from app.domain.labels import LABELS
from docs.diagram import PLACES, draw, moves
from docs.house import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def drawn(language: str) -> ET.Element:
    return ET.fromstring(draw(language))  # noqa: S314 - drawn here


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_state_is_a_box_with_its_name_and_code(language: str) -> None:
    said = [text.text for text in drawn(language).iter(f"{SVG}text")]

    for state in HandoffState:
        assert said.count(state.value) == 1
        assert getattr(LABELS["handoff_state"][state.value], language) in said


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_move_is_an_arrow_with_its_events(language: str) -> None:
    picture = drawn(language)
    arrows = [path for path in picture.iter(f"{SVG}path") if path.get("marker-end")]
    said = " ".join(text.text or "" for text in picture.iter(f"{SVG}text"))

    assert len(arrows) == len(moves()) + 3  # and the three of the legend
    for _, event in TRANSITIONS:
        if event is not HandoffEvent.VOID:
            assert getattr(LABELS["handoff_event"][event.value], language) in said


def test_what_is_live_and_what_is_over_look_different() -> None:
    boxes = [box.get("class") for box in drawn("en").iter(f"{SVG}rect")]

    assert boxes.count("live") == len(LIVE) + 1
    assert boxes.count("over") == len(HandoffState) - len(LIVE) + 1


def test_no_two_states_stand_in_one_place() -> None:
    assert set(PLACES) == set(HandoffState)
    assert len(set(PLACES.values())) == len(PLACES)


@pytest.mark.parametrize(
    ("language", "path"), [("id", "docs/id/handoff-states.svg"), ("en", "docs/handoff-states.svg")]
)
def test_the_documents_show_what_the_table_of_moves_says(language: str, path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == draw(language)
