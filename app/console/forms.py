"""What a form sent: its fields, read strictly, and taken into the same models as the API's bodies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from app.api.faults import Finding, findings
from app.api.json_body import DEEPEST
from app.api.language import Language
from app.api.refusals import Refusal
from app.domain.errors import FaultsFound
from app.domain.versions import Expected

MOST_FIELDS = 500
NUMBER = re.compile(r"[0-9]{1,9}\Z")
CSRF, FORM_KEY = "csrf", "form_key"
"""Hidden fields of every form: what binds it to its session, and what makes it count once."""
OURS = frozenset({CSRF, FORM_KEY})

Model = TypeVar("Model", bound=BaseModel)


class FormUnreadable(Refusal):
    """What was sent is no form as this service takes it."""

    code = "malformed_request"


class FormExpired(Refusal):
    """The form is not of this session, or came from elsewhere; nothing was changed."""

    code = "form_expired"


class FormFaults(Exception):
    """Fields of the form need correction; for the page to show the form again with what is wrong."""

    def __init__(self, found: Sequence[Finding]) -> None:
        super().__init__("fields need correction")
        self.found = found

    @classmethod
    def of(cls, error: FaultsFound) -> "FormFaults":
        """Take the faults that a workflow found."""
        return cls([Finding.of(fault) for fault in error.faults])

    def texts(self, language: Language, asked: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """Say for each field, by its name in the form, what is wrong with it; "" is the form as a whole.

        `asked` says of fields that were left empty what to do, since a summary stands apart from its fields.
        """
        said: dict[str, str] = {}
        for one in self.found:
            name = name_of(one.pointer or "")
            left_empty = one.code == "required" and name in asked
            said.setdefault(name, asked[name] if left_empty else one.as_json(language)["detail"])
        return said


@dataclass(frozen=True, slots=True)
class PostedForm:
    """The fields of a form, without the hidden ones that are the frame's own."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str, usual: str = "") -> str:
        """Give what was put into a field, without the spaces around it; the first of several."""
        return self.fields.get(name, (usual,))[0].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Give all that was chosen of several."""
        return self.fields.get(name, ())

    def day(self, name: str) -> str:
        """Give a day that was put into three fields as 2025-03-04, whether there is such a day or not; "" is none."""
        day, month, year = (self.get(f"{name}.{part}") for part in ("day", "month", "year"))
        return f"{year:0>4}-{month:0>2}-{day:0>2}" if day or month or year else ""

    def values(self) -> dict[str, Any]:
        """Give the fields as a body of the API: `victim.age` within `victim`, `case.types[]` a list, empty ones out.

        A checkbox of the value `true` is true; `review_on.day`, `.month` and `.year` are a day together.
        """
        body: dict[str, Any] = {}
        days = {name.rpartition(".")[0] for name in self.fields if name.endswith(".year")}
        fields = {name: given for name, given in self.fields.items() if name.rpartition(".")[0] not in days}
        for name, given in (fields | {name: (self.day(name),) for name in days}).items():
            listed = name.endswith("[]")
            filled = [one.strip() for one in given if one.strip()]
            if not filled:
                continue
            *outer, last = name.removesuffix("[]").split(".")
            at = body
            for part in outer:
                inner = at.setdefault(part, {})
                if not isinstance(inner, dict):
                    raise FormUnreadable
                at = inner
            at[last] = filled if listed else _plain(filled[0])
        return body

    def into(self, model: type[Model], *, values: Mapping[str, Any] | None = None) -> Model:
        """Take the fields, or `values` made of them, into a model of the API; FormFaults where they do not fit."""
        body = self.values() if values is None else dict(values)
        try:
            return model.model_validate(body)
        except ValidationError as error:
            errors = [{**line, "loc": ("body", *line["loc"])} for line in error.errors(include_url=False)]
            raise FormFaults(findings(errors, body)) from None

    def version(self, name: str = "version") -> Expected:
        """Give the version that a page was made of; what is no number is none that there could be."""
        said = self.get(name)
        return Expected(frozenset({int(said)} if NUMBER.match(said) else ()))


def _plain(value: str) -> str | bool:
    return True if value == "true" else value


def name_of(pointer: str) -> str:
    """Give the name of the field that a JSON Pointer leads to: /victim/age is victim.age, /case/types/0 case.types."""
    parts = [part for part in pointer.split("/")[1:] if not part.isdigit()]
    return ".".join(parts)


def read_form(request: Request, body: bytes) -> dict[str, list[str]]:
    """Read a form as a browser sends it, or FormUnreadable."""
    if not body:
        return {}
    kinds = request.headers.getlist("content-type")
    if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise FormUnreadable
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise FormUnreadable from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value or name.count(".") >= DEEPEST:
            raise FormUnreadable
        # A browser ends lines as no other does.
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields


async def posted(request: Request) -> PostedForm:
    """Give the form that was sent."""
    form: PostedForm = getattr(request.state, "form", PostedForm())
    return form


Form = Annotated[PostedForm, Depends(posted)]
