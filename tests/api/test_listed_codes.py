"""Every code that the documents list is answered somewhere, and every one that is left out says why."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest

from app.api.docs.library import WRITTEN
from app.api.problems import NEVER_ANSWERED, ROWS
from app.domain.proposals import SecondPerson
from app.workflows.desk import Terms
from tests.told import answers
from tests.workflows.conftest import PPU, Service, of
from tests.workflows.second_person import URL, a_person

PROJECT = Path(__file__).parents[2]
OF_NO_OPERATION = {
    "malformed_request": "not HTTP: the server refuses it before it has an operation",
    "headers_too_large": "not HTTP: the server refuses it before it has an operation",
    "method_not_allowed": "an address that takes other methods has no operation for this one",
    "unknown_agency": "the sandbox's own control, and the commands",
}
TAKES_TOO_LONG = {"body_too_slow": "half a minute"}


def listed() -> list[str]:
    text = (WRITTEN / "errors.md").read_text("utf-8")
    return re.findall(r"^\| \d{3} \| `(\w+)` \|", text, re.MULTILINE)


def nodes(below: str) -> Iterator[ast.AST]:
    for path in (PROJECT / below).rglob("*.py"):
        if path not in (Path(__file__), PROJECT / "app/api/description/problem_examples.py"):
            yield from ast.walk(ast.parse(path.read_text("utf-8")))


@cache
def named_in(below: str) -> frozenset[str]:
    """Give what stands in code as a text, is called, or is raised."""
    found = set()
    for node in nodes(below):
        match node:
            case ast.Constant(value=str(text)):
                found.add(text)
            case ast.Call(func=ast.Attribute(attr="raises"), args=[ast.Name(id=name), *_]):
                found.add(name)
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                found.add(name)
            case ast.Raise(exc=ast.Name(id=name)) | ast.Raise(exc=ast.Attribute(attr=name)):
                found.add(name)
            case ast.Attribute(value=ast.Name(id=name), attr="code"):
                found.add(name)
    return frozenset(found)


def test_a_listed_code_belongs_to_an_operation_or_says_why_not() -> None:
    told = set().union(*(codes for by_status in answers().values() for codes in by_status.values()))

    assert set(listed()) == told | OF_NO_OPERATION.keys()
    assert not {kind.code for kind in NEVER_ANSWERED} & told


def test_every_error_that_is_listed_is_raised_by_the_code() -> None:
    raised = named_in("app")

    assert [kind.__name__ for kind in ROWS if kind not in NEVER_ANSWERED and kind.__name__ not in raised] == []


def test_every_listed_code_is_met_by_a_test() -> None:
    by_code = {kind.code: kind.__name__ for kind in ROWS}
    met = named_in("tests") | {
        code for file in (Path(__file__),) for code in re.findall(r'"(\w+)"\)', file.read_text())
    }

    assert [code for code in listed() if not {code, by_code.get(code)} & met and code not in TAKES_TOO_LONG] == []


@pytest.fixture
def terms() -> Terms:
    return Terms(second_person=SecondPerson(endpoints=True))


async def test_what_has_ended_cannot_be_changed_any_more(service: Service) -> None:
    referral = await service.submit()
    path = f"/referrals/{referral['id']}"
    cancelled = await service.call(PPU, "POST", f"{path}/cancel", json=None)
    assert cancelled.status_code == 200, cancelled.text

    late = await service.call(PPU, "POST", f"{path}/cancel")

    assert (late.status_code, late.json()["code"]) == (409, "referral_not_open")
    assert late.json()["current_state"] == "cancelled"


async def test_a_request_that_waits_for_nobody_is_acknowledged_by_nobody(service: Service) -> None:
    referral = await service.submit()

    answer = await service.call("dp3a-kukar", "POST", f"/service-requests/{of(referral)['id']}/acknowledge")

    assert (answer.status_code, answer.json()["code"]) == (409, "request_not_waiting")


async def test_a_proposal_is_decided_once(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    proposal = await first.proposes("POST", "/endpoints", json={"url": URL})
    await second.decide(proposal["id"], "refuse")

    again = await second.decide(proposal["id"], "confirm")

    assert (again.status_code, again.json()["code"]) == (409, "proposal_ended")
    assert again.json()["current_state"] == "refused"


async def test_a_field_at_fault_is_named(service: Service) -> None:
    answer = await service.call(PPU, "POST", "/referrals", json={"sender_reference": str(uuid4())})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
