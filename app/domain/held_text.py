"""All that is held on a person, as the person reads it: in Indonesian or English, in plain text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.audit_story import ACTIONS, PURPOSES, REFUSED, RESULTS, Said
from app.domain.held_words import CODED, LABELS, WORDS
from app.domain.purposes import Purpose
from app.domain.vocabulary import Term, UrgencyTerm, Vocabulary

INDENT = "  "

TITLE = Said("SEMUA YANG DISIMPAN LINTAS TENTANG ANDA", "ALL THAT LINTAS HOLDS ON YOU")
NOTHING = Said("tidak ada", "nothing")
ERASED = Said(
    "Data pribadi sudah dihapus; yang tersisa tidak menyebut siapa pun.",
    "Personal data is erased; what is left names nobody.",
)
SECTIONS: Mapping[str, Said] = MappingProxyType(
    {
        "referral": Said("Rujukan", "The referral"),
        "personal": Said("Data pribadi", "Personal data"),
        "facts": Said("Fakta untuk menentukan penerima", "Facts by which receivers were decided"),
        "service_requests": Said("Layanan yang diminta", "Services that were asked for"),
        "rights": Said("Permintaan atas hak Anda", "What was asked for by your rights"),
        "legal_holds": Said("Penahanan demi hukum", "Legal holds"),
        "looks": Said("Siapa melihat atau mengubah apa", "Who looked at or changed what"),
    }
)
LEFT_OUT = frozenset({"result"})
"""What only a program reads; the JSON has it."""


def written(
    held: Mapping[str, Any],
    *,
    english: bool,
    zone: ZoneInfo,
    vocabulary: Vocabulary,
    name_of: Callable[[str], str | None] = lambda _: None,
) -> str:
    """Write out what `export_referral` gives, by the clock of a zone; `name_of` names places and agencies."""
    return "\n".join([*HeldReader(english, zone, vocabulary, name_of).lines(held), ""])


class HeldReader:
    """Says what is held, in one language."""

    def __init__(
        self, english: bool, zone: ZoneInfo, vocabulary: Vocabulary, name_of: Callable[[str], str | None]
    ) -> None:
        self._english = english
        self._zone = zone
        self._name_of = name_of
        sets: tuple[Mapping[Any, Term | UrgencyTerm], ...] = (
            vocabulary.service_types,
            vocabulary.case_types,
            vocabulary.incident_places,
            vocabulary.relations_to_perpetrator,
            vocabulary.urgencies,
        )
        named = [term for terms in sets for term in terms.values()]
        self._terms = {str(term.code): (term.en if english else term.id) for term in named}

    def lines(self, held: Mapping[str, Any]) -> Iterator[str]:
        """Write out what `export_referral` gives."""
        yield self._in(TITLE)
        yield f"{self.label('exported_at')}: {self._value(held['exported_at'])}"
        if held["referral"]["erased_at"]:
            yield self._in(ERASED)
        for section, title in SECTIONS.items():
            yield ""
            yield self._in(title).upper()
            content = held[section]
            if not content:
                yield f"{INDENT}{self._in(NOTHING)}"
            elif section == "looks":
                yield from (f"{INDENT}{line}" for entry in content for line in self._look(entry))
            else:
                yield from self._said(content, 1)

    def said(self, name: str, value: Any) -> str:
        """Say the value of a field, a line for each part that it has."""
        if isinstance(value, Mapping) or _is_list_of_mappings(value):
            return "\n".join(self._said(value, 0))
        return self._indented(name, value, "")

    def _look(self, entry: Mapping[str, Any]) -> Iterator[str]:
        who = entry["agency_name"] or entry["agency_code"] or "Lintas"
        action = ACTIONS.get(entry["action"])
        result = RESULTS.get(entry["result"])
        what = self._in(action) if action else f"{self._in(REFUSED)}: {entry['action'].replace('_', ' ')}"
        ended = self._in(result) if result else str(entry["result"])
        why = f", {self._in(PURPOSES[Purpose(entry['purpose'])])}" if entry["purpose"] in set(Purpose) else ""
        yield f"{self._value(entry['at'])}  {who}: {what}{why} ({ended})"
        if entry["fields"]:
            yield f"{INDENT}{', '.join(map(self.label, entry['fields']))}"

    def _said(self, value: Any, depth: int) -> Iterator[str]:
        room = INDENT * depth
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if name in LEFT_OUT or inner is None or inner in ([], {}):
                    continue
                if _is_agency(inner):
                    yield f"{room}{self.label(name)}: {inner['name']}"
                elif isinstance(inner, Mapping) or _is_list_of_mappings(inner):
                    yield f"{room}{self.label(name)}:"
                    yield from self._said(inner, depth + 1)
                else:
                    yield f"{room}{self.label(name)}: {self._indented(name, inner, room)}"
        else:
            for one in value:
                first, *rest = list(self._said(one, depth + 1)) or [""]
                yield f"{room}- {first.strip()}"
                yield from rest

    def _indented(self, name: str, value: Any, room: str) -> str:
        several = isinstance(value, Sequence) and not isinstance(value, str)
        said = [self._coded(one) if name in CODED else self._value(one) for one in (value if several else [value])]
        return ", ".join(said).replace("\n", f"\n{room}{INDENT}")

    def _coded(self, value: Any) -> str:
        code = str(value)
        if code in self._terms:
            return self._terms[code]
        if code in WORDS:
            return self._in(WORDS[code])
        return self._name_of(code) or self._value(value)

    def label(self, name: str) -> str:
        """Say what a field is called."""
        if name in LABELS:
            return self._in(LABELS[name])
        if name.startswith("services.") and name.endswith(".note"):
            service = name.removeprefix("services.").removesuffix(".note")
            return f"{self.label('note')} ({self._terms.get(service, service)})"
        if name.endswith("_note"):
            return f"{self.label('note')} ({name.rpartition('.')[2].removesuffix('_note')})"
        return name.replace("_", " ")

    def _value(self, value: Any) -> str:
        if isinstance(value, bool):
            yes, no = ("yes", "no") if self._english else ("ya", "tidak")
            return yes if value else no
        said = str(value)
        moment = _moment(said)
        if moment is not None:
            return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M %Z}"
        return said

    def _in(self, said: Said) -> str:
        return said.en if self._english else said.id


def _is_agency(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"code", "name"}


def _is_list_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, Mapping) for one in value)


def _moment(said: str) -> datetime | None:
    if len(said) < len("2025-01-01T00:00Z") or said[4:5] != "-" or "T" not in said:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
