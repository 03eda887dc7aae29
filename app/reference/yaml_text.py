"""Reading YAML that others wrote: no tags, no duplicate keys, nothing that grows or nests without bound."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import yaml

LARGEST = 1 << 20
DEEPEST = 40
MOST_REPEATED = 100_000
"""How many values aliases may add to those that are written."""
LONGEST_PLAIN = 64
"""Digits of a number or date: a number to the base of sixty takes ever longer to read, the longer it is."""

_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp"))


class Unreadable(ValueError):
    """The text is not YAML as it may be written here; the line counts from one."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a YAML text says, and on which line each part of it stands, by JSON Pointer."""

    value: object
    lines: Mapping[str, int]

    def line(self, pointer: str) -> int | None:
        """Return the line of a part, or of the closest part around it."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer)


def load_yaml(text: str, *, largest: int = LARGEST) -> Loaded:
    """Read one YAML document, or say why not and on which line (Unreadable)."""
    try:
        if len(text.encode()) > largest:
            raise Unreadable(f"the text is larger than {largest} bytes")
        written = _check_events(text)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except UnicodeEncodeError as error:
        raise Unreadable("this is not text") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(error.problem or "this is not YAML", mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise Unreadable("this is not YAML") from error
    building = _Building(written + MOST_REPEATED)
    value = building.build(node, "", 0) if node is not None else None
    return Loaded(value, building.lines)


def _check_events(text: str) -> int:
    """Refuse what is not allowed before anything is built, and count the values that are written."""
    depth = written = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            raise Unreadable("tags are not allowed", line)
        written += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise Unreadable(f"nested more than {DEEPEST} levels deep", line)
    return written


@dataclass(slots=True)
class _Building:
    """Builds plain values from composed nodes, counting what aliases repeat."""

    most_nodes: int
    lines: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def build(self, node: yaml.Node, pointer: str, depth: int) -> object:
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > self.most_nodes:
            raise Unreadable(f"more than {self.most_nodes} values, aliases counted each time", line)
        if depth > DEEPEST:
            raise Unreadable("an alias inside what it names, or too deep nesting", line)
        self.lines[pointer] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, f"{pointer}/{place}", depth + 1) for place, item in enumerate(node.value)]
        return _scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[Hashable, object]:
        found: dict[Hashable, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                raise Unreadable("a key must be a plain text; << is not allowed", line)
            key = _scalar(key_node, line)
            if not isinstance(key, Hashable) or key in found:
                raise Unreadable("this key stands here twice", line)
            step = str(key).replace("~", "~0").replace("/", "~1")
            found[key] = self.build(value_node, f"{pointer}/{step}", depth + 1)
            self.lines[f"{pointer}/{step}"] = line
        return found


def _scalar(node: yaml.Node, line: int) -> object:
    if node.tag not in _PLAIN:
        raise Unreadable("this kind of value is not allowed here", line)
    if node.tag != "tag:yaml.org,2002:str" and len(node.value) > LONGEST_PLAIN:
        raise Unreadable("a number or date this long is not allowed; if it is text, write it in quotes", line)
    try:
        value: object = yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Unreadable("this value cannot be read; if it is text, write it in quotes", line) from error
    return value
