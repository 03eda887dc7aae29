"""A text that comes to be in a model is planted at once, or has to be said what it is."""

from typing import Any

import pytest

from app.main import create_app
from app.service import compose
from app.settings import Settings
from app.storage.sealing import KeyRing
from tests.leaks.bodies import JUDGED, KNOWN, NO_PERSONS, Contract
from tests.leaks.canaries import Canaries

SUBMIT = "/v1/referrals"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What the service says of itself."""
    service = compose(Settings(), url="postgresql://localhost/none", key_ring=KeyRing.generate("none"), name="contract")
    return create_app(service).openapi()


def with_a_field(document: dict[str, Any], **schema: Any) -> Contract:
    """The contract, had the victim one field more."""
    schemas = document["components"]["schemas"]
    victim = schemas["Victim"]
    more = victim | {"properties": victim["properties"] | {"nickname": {"anyOf": [schema, {"type": "null"}]}}}
    return Contract(document | {"components": {"schemas": schemas | {"Victim": more}}})


def test_a_new_text_of_a_referral_is_planted_without_anybody_thinking_of_it(document: dict[str, Any]) -> None:
    canaries = Canaries()

    body = with_a_field(document, type="string", maxLength=300).filled(canaries, "POST", SUBMIT)

    assert canaries.places_in(body["victim"]["nickname"]) == {f"POST {SUBMIT} victim.nickname"}


@pytest.mark.parametrize("form", [{"format": "date"}, {"pattern": "^[0-9]+$"}])
def test_a_new_text_that_has_a_form_of_its_own_stops_the_search_until_it_is_said_what_is_planted(
    document: dict[str, Any], form: dict[str, str]
) -> None:
    contract = with_a_field(document, type="string", **form)

    with pytest.raises(AssertionError, match=r"say in KNOWN what is planted in victim\.nickname"):
        contract.filled(Canaries(), "POST", SUBMIT)


def test_what_is_known_of_texts_is_of_texts_that_are_there(document: dict[str, Any]) -> None:
    contract = Contract(document)
    bodies = [
        (path, contract.texts_of(schema))
        for method, path, _ in contract.operations()
        if (schema := contract.body_of(method, path)) is not None
    ]
    there = {(path, text) for path, texts in bodies for text in texts}

    flags_and_lists = {"urgency", "requested_by", "consent.basis", "victim.guardian.is_perpetrator"}
    assert set(KNOWN) - {text for _, text in there} == flags_and_lists
    assert {f"{path} {text}" for path, text in there} >= set(JUDGED)
    assert all(any(path.startswith(one) for path, _ in bodies) for one in NO_PERSONS)
