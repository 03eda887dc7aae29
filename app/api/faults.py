"""From what pydantic found to faults by JSON Pointer, with codes of our own and no value that was sent."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from app.api.fault_texts import FAULTS
from app.api.language import Language
from app.domain.errors import Fault

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
NUMBER = re.compile(r"[0-9]{1,6}\Z")
MOST_FINDINGS = 20
LIMITS = (
    "max_length",
    "min_length",
    "ge",
    "gt",
    "le",
    "lt",
    "multiple_of",
    "max_digits",
    "decimal_places",
    "whole_digits",
    "limit",
)

CODES: Mapping[str, str] = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "none_required": "null_required",
    "string_type": "text_required",
    "string_sub_type": "text_required",
    "string_unicode": "wrong_format",
    "string_pattern_mismatch": "wrong_format",
    "string_not_ascii": "wrong_format",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "too_short": "too_short",
    "too_long": "too_long",
    "bytes_too_short": "too_short",
    "bytes_too_long": "too_long",
    "int_type": "whole_number_required",
    "int_parsing": "whole_number_required",
    "int_from_float": "whole_number_required",
    "int_parsing_size": "number_out_of_range",
    "float_type": "number_required",
    "float_parsing": "number_required",
    "decimal_type": "number_required",
    "decimal_parsing": "number_required",
    "finite_number": "not_finite",
    "bool_type": "true_or_false_required",
    "bool_parsing": "true_or_false_required",
    "enum": "one_of",
    "literal_error": "one_of",
    "union_tag_invalid": "one_of",
    "union_tag_not_found": "required",
    "greater_than": "not_above",
    "greater_than_equal": "below_least",
    "less_than": "not_below",
    "less_than_equal": "above_most",
    "multiple_of": "not_multiple",
    "decimal_max_digits": "out_of_range",
    "decimal_max_places": "out_of_range",
    "decimal_whole_digits": "out_of_range",
    "uuid_type": "uuid_required",
    "uuid_parsing": "uuid_required",
    "uuid_version": "uuid_required",
    "url_type": "url_required",
    "url_parsing": "url_required",
    "url_syntax_violation": "url_required",
    "url_too_long": "too_long",
    "url_scheme": "url_required",
    "timezone_naive": "wrong_format",
    "timezone_aware": "moment_required",
    "timezone_offset": "moment_required",
    "date_past": "in_future",
    "date_future": "in_past",
    "datetime_past": "in_future",
    "datetime_future": "in_past",
    "set_item_not_hashable": "wrong_type",
    "json_invalid": "not_json",
    "json_type": "wrong_type",
}
BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("date_", "day_required"),
    ("datetime_", "moment_required"),
    ("time_delta_", "duration_required"),
    ("time_", "wrong_format"),
    ("model_", "object_required"),
    ("dataclass_", "object_required"),
    ("dict_", "object_required"),
    ("mapping_", "object_required"),
    ("typed_dict_", "object_required"),
    ("list_", "list_required"),
    ("tuple_", "list_required"),
    ("set_", "list_required"),
    ("frozen_set_", "list_required"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault with where it is: a pointer into the body, or a parameter's name; limits fill its text."""

    code: str
    pointer: str | None = None
    parameter: str | None = None
    message: str | None = None
    limits: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, fault: Fault) -> "Finding":
        """Take a fault the domain found."""
        return cls(fault.code, pointer=shown(fault.pointer), message=fault.message or None)

    def as_json(self, language: Language) -> dict[str, str]:
        """Say it to a person, in one language."""
        where = {"parameter": self.parameter} if self.parameter is not None else {"pointer": self.pointer or ""}
        return {**where, "code": self.code, "detail": self._detail(language)}

    def _detail(self, language: Language) -> str:
        text = FAULTS.get(self.code)
        if text is None:
            return self.message or getattr(FAULTS["invalid"], language.value)
        try:
            detail: str = getattr(text, language.value).format_map(self.limits)
        except KeyError:
            detail = self.message or getattr(FAULTS["invalid"], language.value)
        return detail


def findings(errors: Iterable[Mapping[str, Any]], body: Any) -> list[Finding]:
    """Turn pydantic's errors into findings, in their order, each place and code once, and no more than are shown."""
    found: dict[tuple[str | None, str | None, str], Finding] = {}
    for error in errors:
        if _is_echo(error, body):
            continue
        finding = _finding(error, body)
        found.setdefault((finding.pointer, finding.parameter, finding.code), finding)
        if len(found) > MOST_FINDINGS:
            break
    return few(one for one in found.values() if not _is_hidden_none(one, found.values()))


def few(found: Iterable[Finding]) -> list[Finding]:
    """Keep as many as anybody reads, and say that there are more."""
    kept = list(islice(found, MOST_FINDINGS + 1))
    if len(kept) <= MOST_FINDINGS:
        return kept
    of_the_body = kept[0].parameter is None
    more = Finding("more_faults", pointer="" if of_the_body else None, parameter=None if of_the_body else "")
    return [*kept[:MOST_FINDINGS], more]


def pointer(parts: Sequence[str | int]) -> str:
    """Write a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def shown(written: str) -> str:
    """Cut a JSON Pointer where a part of it is neither the name of a field nor a number: it may be anything."""
    parts = takewhile(lambda part: FIELD_NAME.match(part) or NUMBER.match(part), written.split("/")[1:])
    return "".join(f"/{part}" for part in parts)


def code_of(kind: str) -> str:
    """Give our code for a kind of pydantic error; a kind that is none of pydantic's is a code already."""
    if kind in CODES:
        return CODES[kind]
    return next((code for beginning, code in BEGINNINGS if kind.startswith(beginning)), kind)


def _finding(error: Mapping[str, Any], body: Any) -> Finding:
    location = tuple(error["loc"])
    context = error.get("ctx") or {}
    kind = str(error["type"])
    code = code_of(kind)
    if code not in FAULTS and code in _PYDANTICS:
        code = "wrong_type" if kind.endswith("_type") else "invalid"
    limits = _limits(context)
    if location and location[0] != "body":
        name = str(location[1]) if len(location) > 1 else str(location[0])
        return Finding(code, parameter=name if _is_ours(name) else "", limits=limits)
    inside = (*location[1:], *context.get("at", ()))
    return Finding(code, pointer=pointer(_walk(inside, body, kind)), limits=limits)


def _is_echo(error: Mapping[str, Any], body: Any) -> bool:
    """Tell a list that is called too short only because faulty items of it were not counted."""
    if error["type"] != "too_short":
        return False
    at = body
    for part in _walk(error["loc"][1:], body, error["type"]):
        try:
            at = at[part]
        except (LookupError, TypeError):
            return False
    return isinstance(at, list) and len(at) >= error["ctx"]["min_length"]


def _is_hidden_none(finding: Finding, found: Iterable[Finding]) -> bool:
    """Tell what a field's `NoNull` would have taken from what is wrong with the field: null may not be sent."""
    return finding.code == "null_required" and any(
        other is not finding
        and (other.pointer == finding.pointer or str(other.pointer).startswith(f"{finding.pointer}/"))
        for other in found
    )


def _walk(location: Sequence[Any], body: Any, kind: str) -> list[str | int]:
    """Follow a location through the body: what is not there names a branch of a union, not a field."""
    path: list[str | int] = []
    at = body
    for place, part in enumerate(location):
        last = place == len(location) - 1
        if isinstance(at, dict) and part in at:
            if not FIELD_NAME.match(str(part)):
                break
            path.append(part)
            at = at[part]
        elif isinstance(at, list) and isinstance(part, int) and part < len(at):
            path.append(part)
            at = at[part]
        elif last and kind not in _OF_THE_WHOLE and isinstance(at, dict) and FIELD_NAME.match(str(part)):
            path.append(part)
    return path


def _limits(context: Mapping[str, Any]) -> dict[str, str]:
    limits = {name: str(context[name]) for name in LIMITS if isinstance(context.get(name), int | float)}
    filled = {"limit": next(iter(limits.values()))} if limits else {}
    # The codes an enum or a literal allows come from our own schema, never from the request.
    if isinstance(expected := context.get("expected") or context.get("expected_tags"), str):
        filled["expected"] = expected.replace("'", "").replace(" or ", ", ")
    for name in ("line", "column"):
        if isinstance(context.get(name), int):
            filled[name] = str(context[name])
    return filled


def _is_ours(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,60}", name))


_OF_THE_WHOLE = frozenset(
    {"none_required", "union_tag_invalid", "model_type", "dict_type", "list_type", "model_attributes_type"}
)
_PYDANTICS = frozenset(get_args(ErrorType))
