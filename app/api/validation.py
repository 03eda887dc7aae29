"""What request models need to judge what was sent: the time, the reference data, and types that take JSON alone."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Protocol, Self, TypeVar, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Judging:
    """What a body is judged by: one time and one state of the reference data for the whole request."""

    now: datetime
    reference: Any


class ReferenceSource(Protocol):
    """Gives the reference data as it stands in a transaction."""

    @property
    def version(self) -> int | None:
        """Which version was read last; None before the first."""

    async def current(self, tx: AsyncSession, /, *, to_change: bool = False) -> Any:
        """Give the data, loaded anew only if it has changed; to change it is to have it alone."""


_judging: ContextVar[Judging] = ContextVar("judging")


def judging() -> Judging:
    """Give a validator what it may judge by."""
    return _judging.get()


@contextmanager
def judged_by(what: Judging) -> Iterator[None]:
    """Let validators within judge by this."""
    token = _judging.set(what)
    try:
        yield
    finally:
        _judging.reset(token)


class Body(BaseModel):
    """A request body, or a part of one: unknown fields are faults, and no error shows what was sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class JudgedBody(Body):
    """A body with rules that span its fields; what they find is said beside what is wrong with a field alone."""

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:  # noqa: ARG003
        """Find what does not hang together in what was said, however wrong the rest of it is."""
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, said: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        return together(said, read, cls.contradictions(said) if isinstance(said, Mapping) else ())


class Answer(BaseModel):
    """A response body, or a part of one."""

    model_config = ConfigDict(frozen=True)


def fault(code: str, *, at: tuple[str | int, ...] = (), limit: int | None = None) -> PydanticCustomError:
    """Make a fault to raise in a validator; `at` leads from the validated value to the faulty field within it."""
    context: dict[str, Any] = {"at": at}
    if limit is not None:
        context["limit"] = limit
    # The message is never shown: texts for people are in fault_texts.
    return PydanticCustomError(code, "see code", context)


def faults(found: Iterable[PydanticCustomError]) -> ValidationError:
    """Gather several faults into one error to raise in a validator."""
    return ValidationError.from_exception_data(
        "faults", [InitErrorDetails(type=one, loc=(), input=None) for one in found], hide_input=True
    )


T = TypeVar("T")


def together(said: Any, read: Callable[[Any], T], more: Iterable[PydanticCustomError]) -> T:
    """Read a value, or raise all that is wrong with it and `more` in one error."""
    found = [InitErrorDetails(type=one, loc=(), input=None) for one in more]
    try:
        value = read(said)
    except ValidationError as error:
        found = [_once_more(line) for line in error.errors(include_url=False)] + found
    if found:
        raise ValidationError.from_exception_data("faults", found, hide_input=True)
    return value


def _once_more(line: ErrorDetails) -> InitErrorDetails:
    context = line.get("ctx") or {}
    if line["type"] not in _BY_PYDANTIC:
        return InitErrorDetails(
            type=PydanticCustomError(line["type"], "see code", context),
            loc=line["loc"],
            input=None,
        )
    return InitErrorDetails(type=line["type"], loc=line["loc"], input=None, ctx=context)


_BY_PYDANTIC = frozenset(get_args(ErrorType))

_DAY = re.compile(r"(19|20|21)\d\d-\d\d-\d\d\Z", re.ASCII)
_MOMENT = re.compile(
    r"(19|20|21)\d\d-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)\Z", re.ASCII
)


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.match(value):
        raise fault("day_required")
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.match(value):
        raise fault("moment_required")
    return value


NoNull = SkipJsonSchema[None]
"""What a field holds that was left out, where null may not be sent: the schema does not tell of it."""


def without_default(schema: dict[str, Any]) -> None:
    """Show no default in a schema, as `json_schema_extra` of a field that NoNull may stand in."""
    schema.pop("default", None)


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the years 1900 to 2199, as text."""

Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
"""A time of the years 1900 to 2199 with an offset, as RFC 3339 writes it; never a number."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number that is a number in JSON too."""

Flag = Annotated[bool, Field(strict=True)]
"""True or false, and not 1 or "yes"."""
