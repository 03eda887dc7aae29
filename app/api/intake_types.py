"""The types of a referral's fields: codes, regions, agencies and times, each judged as it is read."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.api.plain_text import line, lines
from app.api.validation import Day, Moment, fault, judging, together
from app.domain.regions import NATION, is_country, is_location
from app.domain.vocabulary import Sex
from app.storage.reference import Reference

# Nobody in Indonesia is later in the day than the east: what is in the future there is so everywhere.
EAST, WEST = ZoneInfo("Asia/Jayapura"), ZoneInfo("Asia/Jakarta")
SKEW = timedelta(minutes=5)


class RequestedBy(StrEnum):
    """Who asked for help."""

    VICTIM = "victim"
    FAMILY = "family"
    FRIEND = "friend"
    NEIGHBOUR = "neighbour"
    POLICE = "police"
    HEALTH_WORKER = "health_worker"
    TEACHER = "teacher"
    COMMUNITY = "community"
    AGENCY = "agency"
    ANONYMOUS = "anonymous"
    OTHER = "other"


def reference() -> Reference:
    """Give the reference data that this request is judged by."""
    found = judging().reference
    if not isinstance(found, Reference):
        raise TypeError("the reference data was not loaded")
    return found


def today(zone: ZoneInfo = EAST) -> date:
    """Give the day it is: in the east, unless said, the latest that it is anywhere in Indonesia."""
    return judging().now.astimezone(zone).date()


def as_day(said: Any) -> date | None:
    """Read a day of the years that are taken, as far as it is one."""
    try:
        day = date.fromisoformat(said) if isinstance(said, str) and len(said) == 10 else None
    except ValueError:
        return None
    return day if day is not None and day.year >= 1900 else None


def age_on(birth_date: date, day: date) -> int:
    """Count whole years of age; one who was born on 29 February has a birthday on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def _code_of(set_of: Callable[[Reference], object]) -> Callable[[str], str]:
    def known(code: str) -> str:
        if code not in set_of(reference()):  # type: ignore[operator]
            raise fault("unknown_code")
        return code

    return known


def _region(code: str) -> str:
    if not is_location(code) or is_country(code) or code == NATION or not reference().regions.knows(code):
        raise fault("unknown_region")
    return code


def _location(code: str) -> str:
    return code if is_location(code) and is_country(code) else _region(code)


def _agency(code: str) -> str:
    if code not in reference().registry.agencies:
        raise fault("unknown_agency")
    return code


def _past_day(day: date) -> date:
    if day > today():
        raise fault("in_future")
    return day


def _past_moment(moment: datetime) -> datetime:
    if moment > judging().now + SKEW:
        raise fault("in_future")
    return moment


def _future_moment(moment: datetime) -> datetime:
    if moment <= judging().now:
        raise fault("in_past")
    return moment


def _once(said: Any, read: ValidatorFunctionWrapHandler) -> Any:
    listed = said if isinstance(said, list | tuple) else ()
    again = [place for place, item in enumerate(listed) if isinstance(item, str) and item in listed[:place]]
    return together(said, read, [fault("twice", at=(place,)) for place in again])


class _Once(WrapValidator):
    """A list that names nothing twice, and whose schema says so."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "uniqueItems": True}


once = _Once(_once)
"""Refuses a list that names something twice, each place that does."""


def _sex(code: str) -> str:
    if code not in (*Sex, "unknown"):
        raise fault("unknown_code")
    return code


Code = Annotated[str, StringConstraints(min_length=1, max_length=60)]
EventTypes = Annotated[tuple[Code, ...], Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True})]
"""Types of news, each once; which there are is for the workflow to say."""
ServiceType = Annotated[Code, AfterValidator(_code_of(lambda known: known.vocabulary.service_types))]
CaseType = Annotated[Code, AfterValidator(_code_of(lambda known: known.vocabulary.case_types))]
IncidentPlace = Annotated[Code, AfterValidator(_code_of(lambda known: known.vocabulary.incident_places))]
SexCode = Annotated[Code, AfterValidator(_sex)]
Relation = Annotated[Code, AfterValidator(_code_of(lambda known: known.vocabulary.relations_to_perpetrator))]
Location = Annotated[Code, AfterValidator(_location)]
"""A region code as text ("64.02.06"), or "country:XX" for a place abroad."""
Region = Annotated[Code, AfterValidator(_region)]
AgencyCode = Annotated[Code, AfterValidator(_agency)]
PastDay = Annotated[Day, AfterValidator(_past_day)]
FutureMoment = Annotated[Moment, AfterValidator(_future_moment)]
PastMoment = Annotated[Moment, AfterValidator(_past_moment)]

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), BeforeValidator(line)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000), BeforeValidator(lines)]
Story = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50_000), BeforeValidator(lines)
]
