"""What the description shows is taken, and what it says comes back does: each operation is called with its examples."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.api.description.recorded import PATH
from app.domain.proposals import SecondPerson
from app.workflows.desk import Terms
from tests.description.journeys import ALONE, proposing
from tests.description.masking import Mask
from tests.description.walking import Walk, good_answers, operations, validator_of
from tests.workflows.conftest import Service

WRITE = "LINTAS_WRITE_EXAMPLES"
"""Set by `make examples`: what came back is written down anew."""


@pytest.fixture
def takes_two() -> bool:
    return False


@pytest.fixture
def terms(tmp_path: Path, takes_two: bool) -> Terms:
    two = SecondPerson(publishing=takes_two, endpoints=takes_two)
    return Terms(erasure_ledger=tmp_path / "erasures.jsonl", second_person=two)


@pytest.fixture(scope="module")
def walked() -> dict[str, Any]:
    """What the walks of this module got, for the tests after them."""
    return {"sent": set(), "answered": {}}


def kept(walk: Walk, walked: dict[str, Any]) -> None:
    walked["sent"] |= walk.sent
    mask = Mask()
    for operation_id, by_status in walk.answered.items():
        for status, said in by_status.items():
            walked["answered"].setdefault(operation_id, {}).setdefault(status, mask(said))


async def test_every_operation_takes_what_the_description_shows(service: Service, walked: dict[str, Any]) -> None:
    walk = Walk(service)

    for journey in ALONE:
        await journey(walk)

    kept(walk, walked)


@pytest.mark.parametrize("takes_two", [True])
async def test_what_takes_a_second_person_takes_the_same(service: Service, walked: dict[str, Any]) -> None:
    walk = Walk(service)

    await proposing(walk)

    kept(walk, walked)


def test_every_example_was_sent_and_every_answer_came_back(walked: dict[str, Any]) -> None:
    shown = {(operation.id, place) for operation in operations().values() for place in range(len(operation.examples))}
    bodies = {operation.id for operation in operations().values() if "requestBody" in operation.said}

    assert walked["sent"] == shown
    assert bodies == {operation_id for operation_id, _ in shown}, "a body without an example"
    assert {(id_, status) for id_, by_status in walked["answered"].items() for status in by_status} == {
        (id_, status) for id_, status, _ in good_answers()
    }


def test_what_came_back_is_as_its_schema_says(walked: dict[str, Any]) -> None:
    for operation_id, status, said in good_answers():
        validator_of(said["schema"]).validate(walked["answered"][operation_id][status])


def test_the_description_shows_what_came_back(walked: dict[str, Any]) -> None:
    if os.environ.get(WRITE):
        PATH.write_bytes(orjson.dumps(walked["answered"], option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))

    for operation_id, status, said in good_answers():
        (example,) = said["examples"].values()
        assert example["value"] == walked["answered"][operation_id][status], "`make examples` writes it anew"
