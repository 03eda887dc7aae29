"""Whatever the contract allows or forbids is asked with every role's key: no 500, and no answer outside it."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from schemathesis.generation import GenerationMode

from app.domain.caller import Role
from app.domain.proposals import SecondPerson
from app.workflows.desk import Terms
from tests.api.theirs import everything_of_theirs
from tests.conftest import KeyFactory
from tests.contract.asking import at, checks_for, drawn, operations, request_of, undocumented, unguarded
from tests.workflows.conftest import PPU, Service

OF = 2
"""How many cases are drawn for the last of them to be asked: the first is as small as can be."""


@pytest.fixture
def terms() -> Terms:
    """An operator who has a second person confirm where news goes."""
    return Terms(second_person=SecondPerson(endpoints=True))


@pytest.fixture
async def keys(a_key: KeyFactory, service: Service) -> Mapping[str, str | None]:  # noqa: ARG001 - it enters the agency
    """A key for each role of an agency that has one of everything, one for all of them, and none."""
    each = {role.value: await a_key(PPU, role) for role in Role}
    return {**each, "every role": await a_key(PPU, *Role), "nobody": None}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_every_answer_is_one_that_the_contract_tells_of(
    whole_api: FastAPI,
    nobody: httpx.AsyncClient,
    service: Service,
    keys: Mapping[str, str | None],
    mode: GenerationMode,
) -> None:
    things = await everything_of_theirs(service)
    answered = 0

    for operation in operations(whole_api.openapi()):
        for case in drawn(operation, mode, OF)[-1:]:
            for whose, key in keys.items():
                request = request_of(at(case, things), key)
                if request is None:
                    continue
                answer = await nobody.send(request)
                case.validate_response(answer, checks=checks_for(case))
                assert not undocumented(case, answer), (operation.label, whose, undocumented(case, answer))
                assert not unguarded(answer), (operation.label, whose, unguarded(answer))
                answered += 1

    assert answered > 400
