"""Says what in the API's description would break a client that was made from the last released one.

A body we are sent may ask for less and take more; a body we send may promise more, and never less. A webhook's body is
one we send, so it is judged as an answer is, though it stands under `requestBody`. Webhooks are compared by the types
of news that they bring: a new type breaks nobody, one that is gone does, and so does one whose body promises less.
Whether types stand together in one webhook or each in one of its own is a matter of the file. Code lists that are open
have no `enum`; one that has is closed, and a new value in it breaks whoever reads it.

Usage: python -m openapi.changes
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CORRECTIONS: frozenset[str] = frozenset(
    {
        "POST /v1/agreements/{id}/versions/{version}/simulate body.cases[]: facts has become required",
        "POST /v1/agreements/{id}/versions/{version}/simulate body.cases[]: name has become required",
        "POST /v1/endpoints body.headers[].name: pattern is another",
        "POST /v1/endpoints body.headers[].value: pattern is another",
        "PUT /v1/agencies/{code} body.coordinator_for: pattern is another",
        "PUT /v1/agencies/{code} body.region: pattern is another",
        "PUT /v1/agencies/{code} body.status: values beyond those known",
        "PUT /v1/agencies/{code}/services/{service_type} body.area[]: pattern is another",
        "PUT /v1/endpoints/{endpoint_id}/headers body.headers[].name: pattern is another",
        "PUT /v1/endpoints/{endpoint_id}/headers body.headers[].value: pattern is another",
    }
)
"""What is said now and was refused by the released service too: the description had left it out. Empty at a release."""
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
LOWER_BOUNDS = ("minimum", "minLength", "minItems")
UPPER_BOUNDS = ("maximum", "maxLength", "maxItems")
OPTIONAL = ", which could be there"

OF_OPERATORS = "/health/"
"""Addresses that no client of an agency has to do with: nothing is promised of them (docs/api-stability.md)."""

Json = dict[str, Any]
Version = tuple[int, int, int]


def breaking(old: Json, new: Json) -> list[str]:
    """Name each change from `old` to `new` that breaks a client or a receiver made from `old`."""
    return sorted(set(Comparison(old, new).run()))


def may_break(released: str, present: str) -> bool:
    """Say whether a version announces a break with another: another major one, or for 0.x another minor one."""
    was, now = version_of(released), version_of(present)
    return now[0] > was[0] or (now[0] == was[0] == 0 and now[1] > was[1])


def version_of(text: str) -> Version:
    """Read `1.2.3`; what follows (`rc1`, `.dev2`) does not count. Raises ValueError for anything else."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise ValueError("not a version of three numbers")
    return int(found[1]), int(found[2]), int(found[3])


class Comparison:
    """Two descriptions, laid side by side."""

    def __init__(self, old: Json, new: Json) -> None:
        self.old = old
        self.new = new

    def run(self) -> Iterator[str]:
        """Go through operations and webhooks."""
        for path, was in self.old.get("paths", {}).items():
            if path.startswith(OF_OPERATORS):
                continue
            for method in (method for method in METHODS if method in was):
                now = self.new.get("paths", {}).get(path, {}).get(method)
                yield from self._operation(f"{method.upper()} {path}", was[method], now)
        yield from self._webhooks()

    def _operation(self, where: str, was: Json, now: Json | None) -> Iterator[str]:
        if now is None:
            yield f"{where}: is gone"
            return
        if was.get("operationId") != now.get("operationId"):
            yield f"{where}: operationId is another, which renames a method of generated clients"
        if any(way not in now.get("security", []) for way in was.get("security", [])):
            yield f"{where}: a way to be let in, or its scope, is gone"
        yield from self._parameters(where, was, now, sent_by_us=False)
        yield from self._request(where, was, now, sent_by_us=False)
        yield from self._responses(where, was, now)

    def _webhooks(self) -> Iterator[str]:
        """Go through what is sent, by its types; what only some types of a webhook held is gone if none has it now."""
        present = {type_: post for _, post, types in _news(self.new) for type_ in types}
        for name, was, types in _news(self.old):
            lost = [type_ for type_ in types if type_ not in present]
            yield from (f"webhook {type_}: is gone" for type_ in lost)
            kept = [type_ for type_ in types if type_ in present]
            found = [set(self._posted(f"webhook {name}", was, present[type_])) for type_ in kept]
            of_all = set.intersection(*found) if found else set()
            for one in set().union(*found):
                if OPTIONAL not in one or one in of_all:
                    yield one

    def _posted(self, where: str, was: Json, now: Json) -> Iterator[str]:
        yield from self._parameters(where, was, now, sent_by_us=True)
        yield from self._request(where, was, now, sent_by_us=True)

    def _parameters(self, where: str, was: Json, now: Json, *, sent_by_us: bool) -> Iterator[str]:
        before, after = self._named(self.old, was), self._named(self.new, now)
        for (place, name), parameter in after.items():
            old = before.get((place, name))
            required = parameter.get("required", False)
            if not sent_by_us and required and not (old and old.get("required", False)):
                yield f"{where}: {place} parameter {name} has become required"
        for (place, name), parameter in before.items():
            at = f"{where}: {place} parameter {name}"
            new = after.get((place, name))
            if new is None:
                yield f"{at} is gone"
                continue
            if sent_by_us and parameter.get("required", False) and not new.get("required", False):
                yield f"{at} is no longer always sent"
            yield from self._schema(at, parameter.get("schema", {}), new.get("schema", {}), sent_by_us, frozenset())

    def _named(self, document: Json, operation: Json) -> dict[tuple[str, str], Json]:
        found = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
        return {(parameter["in"], parameter["name"]): parameter for parameter in found}

    def _request(self, where: str, was: Json, now: Json, *, sent_by_us: bool) -> Iterator[str]:
        old, new = (
            resolved(self.old, was.get("requestBody", {})),
            resolved(self.new, now.get("requestBody", {})),
        )
        if not sent_by_us and new.get("required", False) and not old.get("required", False):
            yield f"{where}: a body has become required"
        yield from self._content(f"{where} body", old, new, sent_by_us=sent_by_us)

    def _responses(self, where: str, was: Json, now: Json) -> Iterator[str]:
        for code, said in was.get("responses", {}).items():
            if not code.startswith("2"):
                # A client lives with any refusal: what it must know stands in the problem's `code`.
                continue
            if code not in now.get("responses", {}):
                yield f"{where}: no longer answers {code}"
                continue
            old, new = resolved(self.old, said), resolved(self.new, now["responses"][code])
            for header in old.get("headers", {}).keys() - new.get("headers", {}).keys():
                yield f"{where} {code}: header {header} is gone"
            yield from self._content(f"{where} {code}", old, new, sent_by_us=True)

    def _content(self, where: str, was: Json, now: Json, *, sent_by_us: bool) -> Iterator[str]:
        before, after = was.get("content", {}), now.get("content", {})
        for media, content in before.items():
            if media not in after:
                yield f"{where}: is no longer {media}"
                continue
            yield from self._schema(
                where, content.get("schema", {}), after[media].get("schema", {}), sent_by_us, frozenset()
            )
        if sent_by_us:
            for media in after.keys() - before.keys():
                yield f"{where}: may be {media} now"

    def _schema(
        self, where: str, was: Any, now: Any, sent_by_us: bool, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        if not isinstance(was, dict) or not isinstance(now, dict):
            if was != now and (was is False) != (now is False):
                yield f"{where}: whether anything may stand there is another"
            return
        pair = (was.get("$ref", ""), now.get("$ref", ""))
        if pair in seen:
            return
        seen = seen | {pair} if any(pair) else seen
        old, new = resolved(self.old, was), resolved(self.new, now)
        # What a reader knows must hold all that a writer writes: the reader is the client where we send, else we are.
        known, written = (old, new) if sent_by_us else (new, old)
        if "anyOf" in old or "anyOf" in new:
            yield from self._choices(where, old, new, sent_by_us, seen)
            return
        yield from _values(where, known, written)
        yield from self._properties(where, old, new, sent_by_us, seen)
        if not sent_by_us and new.get("additionalProperties") is False and "additionalProperties" not in old:
            yield f"{where}: takes no further properties"
        for inner in ("items", "additionalProperties"):
            if inner in old and inner in new:
                yield from self._schema(f"{where}[]", old[inner], new[inner], sent_by_us, seen)

    def _choices(
        self, where: str, old: Json, new: Json, sent_by_us: bool, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        """Each form that is written must be one that is known; one with no break to any known form says nothing."""
        before, after = old.get("anyOf", [old]), new.get("anyOf", [new])
        for choice in after if sent_by_us else before:
            best: list[str] | None = None
            for other in before if sent_by_us else after:
                was, now = (other, choice) if sent_by_us else (choice, other)
                found = list(self._schema(where, was, now, sent_by_us, seen))
                if best is None or len(found) < len(best):
                    best = found
            yield from best or ()

    def _properties(
        self, where: str, old: Json, new: Json, sent_by_us: bool, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            if name not in after:
                yield f"{where}: {name} is gone" + (OPTIONAL if sent_by_us and name not in must_before else "")
            else:
                yield from self._schema(f"{where}.{name}", schema, after[name], sent_by_us, seen)
        if sent_by_us:
            for name in (must_before - must_after) & after.keys():
                yield f"{where}: {name} is no longer always there"
        else:
            for name in must_after - must_before:
                yield f"{where}: {name} has become required"


def _news(document: Json) -> Iterator[tuple[str, Json, list[str]]]:
    """Give each webhook: its name, what is posted, and the types of news that it brings."""
    for name, webhook in document.get("webhooks", {}).items():
        post = webhook["post"]
        body = resolved(document, post.get("requestBody", {})).get("content", {}).get("application/json", {})
        told = resolved(document, body.get("schema", {})).get("properties", {}).get("type", {})
        types = [told["const"]] if "const" in told else told.get("enum", told.get("examples", [name]))
        yield name, post, types


def _values(where: str, known: Json, written: Json) -> Iterator[str]:
    """Name what is written and was not known: types, values, lengths."""
    types, others = _types(known), _types(written)
    if types and (not others or not others <= types | ({"integer"} if "number" in types else set())):
        yield f"{where}: type may be another"
        return
    listed = written.get("enum", [written["const"]] if "const" in written else None)
    values = known.get("enum", [known["const"]] if "const" in known else None)
    if values is not None and (listed is None or any(value not in values for value in listed)):
        yield f"{where}: values beyond those known"
    for key in ("format", "pattern"):
        fits = key == "pattern" and listed and all(re.search(known.get(key, ""), str(one)) for one in listed)
        if key in known and known[key] != written.get(key) and not fits:
            yield f"{where}: {key} is another"
    for key in LOWER_BOUNDS:
        if key in known and written.get(key, float("-inf")) < known[key]:
            yield f"{where}: {key} is crossed"
    for key in UPPER_BOUNDS:
        if key in known and written.get(key, float("inf")) > known[key]:
            yield f"{where}: {key} is crossed"


def _types(schema: Json) -> set[str]:
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def resolved(document: Json, schema: Json) -> Json:
    """Follow references inside a document to what they name."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        schema = found
    return schema


def released() -> Path:
    """Find the last released description."""
    return max((HERE / "released").glob("*.json"), key=lambda path: version_of(path.stem))


def main() -> int:
    """Compare the present description with the last released one; 1 where it breaks unannounced."""
    last = released()
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changed = breaking(
        json.loads(last.read_text(encoding="utf-8")),
        json.loads((HERE / "openapi.json").read_text(encoding="utf-8")),
    )
    found = [line for line in changed if line not in CORRECTIONS]
    for line in found:
        print(line)
    if not found or may_break(last.stem, project["version"]):
        return 0
    print(
        f"\n{len(found)} changes break clients of {last.stem}, and version {project['version']} does not say so: keep "
        "what was promised, or raise the major version (the minor one while it is 0.x) in pyproject.toml.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
