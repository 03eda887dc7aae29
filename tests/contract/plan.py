"""How schemathesis asks with one role's key: all checks, and what each of them takes for an answer that may be."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.caller import Role
from app.reference.load import load_vocabulary
from tests.contract.asking import CONFIG

PHASES = ("examples", "coverage", "fuzzing", "stateful")
STEPS = 40
"""How far a chain of links goes."""
CHAINS = 8
"""How many chains are drawn for each case of an operation."""
HUNG = 20
"""Seconds after which an answer counts as none."""
ACCEPTANCE = [200, 201, 202, 204, 401, 403, 404, 409, 410, 412, 428]
"""What a request that fits may hear: who asks, of what and in which state is no matter of a schema."""
LACKING = [400, 401, 403, 404, 422, 428]
"""What a request without a header that it needs may hear."""
VOCABULARY = load_vocabulary()
CODES: Mapping[str, Sequence[str]] = {
    "version": ("*",),
    "service_type": sorted(VOCABULARY.service_types),
    "case_type": sorted(VOCABULARY.case_types),
    "place": sorted(VOCABULARY.incident_places),
    "relation": sorted(VOCABULARY.relations_to_perpetrator),
    "region": ("64.02.06", "64.09.04", "64.09", "64"),
    "agency": ("dp3ap2kb-ppu", "dinsos-kukar", "uptd-ppa-ppu"),
}
BODIES: Mapping[str, str] = {
    "services[*].type": "service_type",
    "services_already_given[*].type": "service_type",
    "case.types[*]": "case_type",
    "case.place": "place",
    "case.relation_to_perpetrator": "relation",
    "locations.incident": "region",
    "locations.domicile": "region",
    "locations.current": "region",
    "avoid_regions[*]": "region",
    "conflicts[*]": "agency",
    "consent.services[*]": "service_type",
    "consent.services_refused[*]": "service_type",
    "consent.agencies[*]": "agency",
    "consent.agencies_refused[*]": "agency",
    "agency": "agency",
    "region": "region",
}
"""Where bodies have codes of a vocabulary that no schema can list whole, since it grows."""


def settings(
    operations: Sequence[Mapping[str, Any]],
    things: Mapping[str, Sequence[str]],
    *,
    role: Role | str | None,
    examples: int,
) -> dict[str, Any]:
    """Say what schemathesis reads from its file, for the key of one role; None is the key with every role.

    The coverage of a schema asks each operation about seventy cases. What is open to any role is covered with the key
    that has every role, and of what is closed to a role a few cases show that it is.
    """
    codes = {**CODES, **things}
    bound = {f"path.{name}": {"dictionary": name, "probability": 0.6} for name in things}
    bound |= {f"body.{place}": {"dictionary": name, "probability": 0.8} for place, name in BODIES.items()}
    bound["header.If-Match"] = {"dictionary": "version", "probability": 0.6}
    uncovered = [] if role is None else [one["operationId"] for one in operations if role not in one.get("x-roles", ())]
    return {
        "continue-on-failure": True,
        # What is there changes with each request: nothing found can be replayed, or shrunk.
        "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
        "phases": {"stateful": {"max-steps": STEPS, "generation": {"max-examples": CHAINS * examples}}},
        "checks": {
            "negative_data_rejection": CONFIG["checks"]["negative_data_rejection"],
            "positive_data_acceptance": {"expected-statuses": ACCEPTANCE},
            "missing_required_header": {"expected-statuses": LACKING},
            "max_response_time": HUNG,
        },
        "dictionaries": {name: {"values": list(values)} for name, values in codes.items()},
        "parameters": bound,
        "operations": [{"include-operation-id": uncovered, "phases": {"coverage": {"enabled": False}}}]
        if uncovered
        else [],
        "auth": {"wfc": {"path": "keys.json", "user": "ours", "peers": ["ours", "strangers"]}},
    }


def toml(said: Mapping[str, Any]) -> str:
    """Write settings as TOML, whose inline tables are JSON with another sign between name and value."""
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in said.items())


def keys(ours: str, strangers: str) -> str:
    """Name the two who ask, by the format of Web Fuzzing Commons."""
    return json.dumps(
        {
            "auth": [
                {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {key}"}]}
                for name, key in (("ours", ours), ("strangers", strangers))
            ]
        }
    )


def _key(name: str) -> str:
    return json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value)
