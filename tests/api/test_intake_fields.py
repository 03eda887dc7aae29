"""Every field that a referral may come with is in one class, and the class is what its receivers then see."""

from collections import Counter
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.api.amendment import ReferralAmendment
from app.api.intake import ReferralSubmission
from app.api.routing import RoutingPreview
from app.domain import disclosure
from app.domain.intake_fields import FIELDS, SEALED, FieldClass, class_of, personal_field
from app.reference.load import shipped


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Find the models that a field may hold, alone, in a list, or beside null."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple, list, dict, frozenset):
        return [model for part in get_args(annotation) for model in models_in(part)]
    return []


def leaves(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """List every path of a model down to what holds a value."""
    for name, field in model.model_fields.items():
        within = models_in(field.annotation)
        for inner in within:
            yield from leaves(inner, f"{above}{name}.")
        if not within:
            yield f"{above}{name}"


def test_every_field_of_a_referral_is_in_exactly_one_class() -> None:
    classed = Counter(path for paths in FIELDS.values() for path in paths)

    assert set(classed) == set(leaves(ReferralSubmission))
    assert [path for path, times in classed.items() if times > 1] == []


@pytest.mark.parametrize("model", [ReferralAmendment, RoutingPreview])
def test_what_is_amended_or_tried_out_says_nothing_of_a_person_that_is_in_no_class(model: type[BaseModel]) -> None:
    # A preview lists the services as codes, and who was tried; nothing of it is kept.
    assert set(leaves(model)) - set(class_of) <= {"services", "tried"}


def test_a_field_in_a_field_in_a_list_is_found() -> None:
    found = set(leaves(ReferralSubmission))

    assert {"victim.guardian.contact.phone", "services.note", "services_already_given.note"} <= found


def test_the_sealed_classes_are_what_receivers_of_their_services_are_shown() -> None:
    for path, class_ in class_of.items():
        if class_ not in SEALED:
            continue
        field, needed = personal_field(path), disclosure.SERVICE_NEEDS.values()
        assert field in disclosure.PERSONAL_FIELDS, path
        assert (field in disclosure.BEFORE_ACCEPTING) is (class_ is FieldClass.TO_DECIDE), path
        everyone = class_ in (FieldClass.TO_DECIDE, FieldClass.TO_SERVE)
        assert (field in disclosure.ONCE_ACCEPTED) is everyone, path
        assert (field in disclosure.SENDERS_OWN) is (class_ is FieldClass.SENDERS_OWN), path
        by_service = any(field in fields for fields in needed)
        assert by_service is (class_ is FieldClass.BY_SERVICE), path


def test_no_personal_field_is_shown_that_no_field_of_a_referral_fills() -> None:
    assert {personal_field(path) for path, class_ in class_of.items() if class_ in SEALED} == set(
        disclosure.PERSONAL_FIELDS
    )


def test_every_service_type_has_a_profile() -> None:
    assert set(disclosure.SERVICE_NEEDS) == set(shipped().vocabulary.service_types)
