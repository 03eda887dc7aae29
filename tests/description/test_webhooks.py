"""What the description shows of each webhook is what the real dispatcher posts."""

import json
import os
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.api.description.recorded import NEWS
from app.api.webhook_contract import fields_of
from app.domain.addresses import Reach
from app.domain.events import EventType
from app.domain.proposals import SecondPerson
from app.workflows.desk import Terms
from tests.delivery.receivers import Received
from tests.description.masking import Mask
from tests.description.news import listening, schema_of, tell_everything
from tests.description.test_examples import WRITE
from tests.told import description
from tests.workflows.conftest import Service


@pytest.fixture
def terms() -> Terms:
    return Terms(reach=Reach((ip_network("127.0.0.0/8"),)), second_person=SecondPerson(publishing=True))


async def test_news_of_every_type_is_posted_as_the_description_shows(service: Service) -> None:
    async with listening(service) as posted:
        await tell_everything(service, posted)
        await posted.wait_for(*EventType)

        came = {type_.value: posted.first(type_.value) for type_ in EventType}
        everything = posted.all()

    bodies = {type_: Mask()(json.loads(one.body)) for type_, one in came.items() if one is not None}
    if os.environ.get(WRITE):
        NEWS.write_bytes(orjson.dumps(bodies, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    for one in everything:
        as_described(one)
    assert bodies == orjson.loads(NEWS.read_bytes()), "`make examples` writes it anew"


def as_described(came: Received) -> None:
    body = json.loads(came.body)
    type_ = body["type"]
    operation = description()["webhooks"][type_]["post"]
    Draft202012Validator(schema_of(type_), format_checker=FormatChecker()).validate(body)
    assert body["data"].keys() <= fields_of(EventType(type_))["properties"].keys(), type_
    for header in operation["parameters"]:
        assert header["required"] == (header["name"] in came.headers)
        if header["required"]:
            a_text: dict[str, Any] = header["schema"]
            Draft202012Validator(a_text, format_checker=FormatChecker()).validate(came.headers[header["name"]])
