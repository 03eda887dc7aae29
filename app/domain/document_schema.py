"""The JSON Schema of a document, generated from the code sets and limits that its reader goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.agreement import LARGEST
from app.domain.clauses import Basis, Where
from app.domain.document import FORMAT, DocumentKind
from app.domain.reading import IDENTIFIER, LONGEST_TEXT, MOST_ITEMS, OLDEST
from app.domain.registry import TIME_ZONES
from app.domain.vocabulary import Sex, Urgency, Vocabulary

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
REGION = "^(ID|[0-9]{2}(\\.[0-9]{2}(\\.[0-9]{2}(\\.[0-9]{4})?)?)?)$"
DAY = "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
CLOCK = "PT(?=[0-9])([0-9]{1,5}H)?([0-9]{1,5}M)?"
NOT_NOTHING = "(?=.*[1-9])"
FLAGS = ("abroad", "cross_province", "cross_regency", "perpetrator_in_household")


def document_schema(vocabulary: Vocabulary) -> Schema:
    """Describe documents as JSON Schema 2020-12; what it lets pass, the reader may still refuse for its meaning."""
    clauses = [_assign(), _deny(), _duty()]
    return {
        "$schema": DRAFT,
        "$id": "urn:lintas:agreement:1",
        "title": "Agreement or baseline",
        "description": "Perjanjian atau alur dasar / an agreement or baseline, as routing.md describes it.",
        **_object(
            {
                "format": {"const": FORMAT},
                "id": _ref("identifier"),
                "version": _integer(1, LARGEST),
                "kind": {"enum": [kind.value for kind in DocumentKind]},
                "precedence": {**_integer(0, LARGEST), "description": "The lower number decides first."},
                "title": _object({"id": _ref("text"), "en": _ref("text")}),
                "effective": {
                    **_object({"from": _ref("day")}, {"until": _ref("day")}),
                    "description": "Local days from (included) until (not included), in the document's time zone.",
                },
                "timezone": {"type": "string", "minLength": 1, "examples": sorted(set(TIME_ZONES.values()))},
                "parties": _list(_object({"agency": _ref("identifier"), "territory": _list(_ref("region"))})),
                "clauses": _list({"oneOf": clauses}),
            },
            {
                "covers": _object(
                    {},
                    {
                        "domicile": _list(_ref("region")),
                        "abroad": {"type": "boolean"},
                        "victims": _list(_object({}, _of_victims())),
                    },
                ),
                "signed_on": _ref("day"),
                "joint_leave_counts": {"type": "boolean"},
                "access_after_completion": {
                    **_ref("duration"),
                    "description": "How long the agency that completed a handoff still sees its case.",
                },
            },
        ),
        "$defs": _definitions(vocabulary),
    }


def _definitions(vocabulary: Vocabulary) -> Schema:
    return {
        "identifier": {"type": "string", "pattern": f"^{IDENTIFIER.pattern}$"},
        "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": "\\S"},
        "region": {
            "type": "string",
            "pattern": REGION,
            "description": 'Text in quotes, never a number: "64.02".',
        },
        "day": {"type": "string", "format": "date", "pattern": DAY},
        "age": _integer(0, OLDEST),
        "age_below": _integer(1, OLDEST),
        "duration": {"type": "string", "pattern": f"^{NOT_NOTHING}({CLOCK}|P[0-9]{{1,3}}D)$", "examples": ["PT72H"]},
        "respond": {"type": "string", "pattern": f"^{NOT_NOTHING}({CLOCK}|P[0-9]{{1,3}}WD)$", "examples": ["P3WD"]},
        "service_type": _codes(vocabulary.service_types),
        "case_type": _codes(vocabulary.case_types),
        "agency_kind": {"enum": list(vocabulary.agency_kinds)},
        "urgency": {"enum": [urgency.value for urgency in Urgency]},
        "sex": {"enum": [sex.value for sex in Sex]},
        "basis": {"enum": [basis.value for basis in Basis]},
        "when": _object({}, {**_of_victims(), **_of_cases()}),
        "cite": {
            **_object(
                {"source": _ref("text"), "confirmed": {"type": "boolean"}},
                {"confirmed_by": _ref("text"), "confirmed_on": _ref("day")},
                description="`confirmed`: the cited text was read and says so; by whom and when, where that is known.",
            ),
            "if": {"properties": {"confirmed": {"const": False}}},
            "then": {"properties": {"confirmed_by": {"type": "null"}, "confirmed_on": {"type": "null"}}},
        },
        "to": {
            **_object(
                {},
                {
                    "where": {"enum": [where.value for where in Where]},
                    "agency": _ref("identifier"),
                    "kinds": _set(_ref("agency_kind")),
                },
            ),
            "oneOf": [_given("where"), _given("agency")],
        },
    }


def _of_victims() -> Schema:
    return {
        "sexes": _set(_ref("sex")),
        "age_from": _ref("age"),
        "age_below": _ref("age_below"),
        "case_types": _set(_ref("case_type")),
    }


def _of_cases() -> Schema:
    return {
        "services": _set(_ref("service_type")),
        "urgency": _set(_ref("urgency")),
        **{flag: {"type": "boolean"} for flag in FLAGS},
    }


def _clause(kind: str, required: Schema, optional: Schema | None = None) -> Schema:
    always = {"key": _ref("identifier"), "kind": {"const": kind}, "cite": _ref("cite"), "when": _ref("when")}
    return _object({**always, **required}, optional)


def _assign() -> Schema:
    basis = {"basis": _set(_ref("basis")), "respond": _ref("respond")}
    return {
        **_clause("assign", {"to": _ref("to"), "rank": _integer(0, LARGEST)}, basis),
        "if": {"properties": {"to": _given("where")}},
        "then": _given("basis"),
    }


def _deny() -> Schema:
    return _clause("deny", {})


def _duty() -> Schema:
    return _clause("duty", {"duty": _ref("identifier"), "within": _ref("duration")})


def _object(required: Schema, optional: Schema | None = None, **more: str) -> Schema:
    """Describe a mapping with no keys but these; an optional one may be null, which stands for leaving it out."""
    nullable = {key: {"anyOf": [schema, {"type": "null"}]} for key, schema in (optional or {}).items()}
    return {
        "type": "object",
        "properties": {**required, **nullable},
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _given(key: str) -> Schema:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": MOST_ITEMS}


def _set(items: Schema) -> Schema:
    return {**_list(items), "uniqueItems": True}


def _integer(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _codes(terms: Mapping[str, Any]) -> Schema:
    return {"enum": list(terms), "description": _labels(terms)}


def _labels(terms: Mapping[str, Any]) -> str:
    return "; ".join(f"{code}: {term.id} / {term.en}" for code, term in terms.items())
