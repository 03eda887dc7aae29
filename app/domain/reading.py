"""Reading what others wrote, strictly: every fault is kept with its place, and none repeats what was written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from app.domain.errors import Fault
from app.domain.regions import is_location, is_region

IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
LONGEST_TEXT = 2000
MOST_ITEMS = 20_000
FIRST_YEAR, LAST_YEAR = 1900, 2200
OLDEST = 150

_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER_FOR_REGION = (
    'a region code is text and was read as a number: write it in quotes, as in "64.02" '
    "(as a number 64.10 would become 64.1, another place)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and where it stands; a reader that finds a fault notes it and returns something harmless."""

    value: object
    pointer: str = ""
    faults: list[Fault] = field(default_factory=list)

    def fault(self, code: str, message: str) -> None:
        """Note that something is wrong here."""
        self.faults.append(Fault(self.pointer, code, message))

    def _below(self, key: object, value: object) -> Entry:
        step = str(key).replace("~", "~0").replace("/", "~1")
        return Entry(value, f"{self.pointer}/{step}", self.faults)

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Entry]:
        """Read a mapping that has all required keys and none but these; a null stands for a key that is left out."""
        if not isinstance(self.value, Mapping):
            self.fault("not_a_mapping", "a mapping of keys to values is expected here")
            return {}
        found: dict[str, Entry] = {}
        for key, value in self.value.items():
            below = self._below(key, value)
            if not isinstance(key, str) or key not in {*required, *optional}:
                below.fault("unknown_key", f"this key is not known; known are {', '.join([*required, *optional])}")
            elif value is not None:
                found[key] = below
        for key in required:
            if key not in found:
                self._below(key, None).fault("required", "this is required")
        return found

    def named(self) -> dict[str, Entry]:
        """Read a mapping whose keys are names of their own."""
        if not isinstance(self.value, Mapping):
            self.fault("not_a_mapping", "a mapping of keys to values is expected here")
            return {}
        return {str(key): self._below(key, value) for key, value in self.value.items()}

    def entries(self, *, may_be_empty: bool = False) -> list[Entry]:
        """Read a list; an empty one is a fault unless it may be empty."""
        if not isinstance(self.value, list | tuple):
            self.fault("not_a_list", "a list is expected here")
            return []
        if not self.value and not may_be_empty:
            self.fault("empty", "an empty list names nothing: leave the key out to mean no limit")
        if len(self.value) > MOST_ITEMS:
            self.fault("too_many", f"more than {MOST_ITEMS} entries")
            return []
        return [self._below(place, value) for place, value in enumerate(self.value)]

    def text(self) -> str:
        """Read a text that is not blank."""
        if not isinstance(self.value, str):
            self.fault("not_text", "text is expected here; if it looks like a number or a date, write it in quotes")
            return ""
        if not self.value.strip() or len(self.value) > LONGEST_TEXT or _SURROGATE.search(self.value):
            self.fault("bad_text", f"between 1 and {LONGEST_TEXT} characters are expected here")
        return self.value

    def identifier(self) -> str:
        """Read a name that others refer to."""
        if not isinstance(self.value, str) or not IDENTIFIER.fullmatch(self.value):
            self.fault("bad_identifier", "only a-z, 0-9, '-', '_' and '.' may stand here, at most 64 of them")
            return ""
        return self.value

    def integer(self, least: int, most: int) -> int:
        """Read a whole number between two bounds; 1.0 is one, as JSON Schema has it."""
        number = self.value
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            self.fault("bad_number", f"a whole number from {least} to {most} is expected here")
            return least
        return number

    def age(self, least: int = 0) -> int:
        """Read an age in whole years."""
        return self.integer(least, OLDEST)

    def boolean(self) -> bool:
        """Read true or false."""
        if not isinstance(self.value, bool):
            self.fault("not_a_boolean", "true or false is expected here")
            return False
        return self.value

    def day(self) -> date:
        """Read a calendar day, as a date or as text."""
        day = self.value
        try:
            if isinstance(day, str):
                day = date.fromisoformat(day)
        except ValueError:
            day = None
        if not isinstance(day, date) or isinstance(day, datetime) or not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fault("bad_date", "a date is expected here, as in 2024-07-17")
            return date(FIRST_YEAR, 1, 1)
        return day

    def moment(self) -> datetime:
        """Read a point in time that says its offset."""
        try:
            moment = self.value if isinstance(self.value, datetime) else datetime.fromisoformat(str(self.value))
        except ValueError:
            moment = datetime.min  # noqa: DTZ901 - without an offset it is a fault below
        if moment.tzinfo is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.fault("bad_time", "a time with an offset is expected here, as in 2024-08-01T09:15:00+08:00")
        return moment

    def code(self, known: Collection[str], of: str) -> str:
        """Read a code out of a set."""
        if not isinstance(self.value, str) or self.value not in known:
            self.fault("unknown_code", f"this is not a known {of}")
            return ""
        return self.value

    def codes(self, known: Collection[str], of: str, *, may_be_empty: bool = False) -> list[str]:
        """Read a list of codes out of a set, each named once."""
        entries = self.entries(may_be_empty=may_be_empty)
        codes = [entry.code(known, of) for entry in entries]
        for place, entry in enumerate(entries):
            if codes[place] in codes[:place] and codes[place]:
                entry.fault("named_twice", "this is named twice in the list")
        return codes

    def region(self) -> str:
        """Read a domestic region code."""
        return self._place(abroad=False)

    def location(self) -> str:
        """Read a location: a region code or country:XX."""
        return self._place(abroad=True)

    def _place(self, *, abroad: bool) -> str:
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            self.fault("region_is_a_number", _NUMBER_FOR_REGION)
        elif not isinstance(self.value, str) or not (is_location if abroad else is_region)(self.value):
            expected = "a region code or country:XX" if abroad else "a region code"
            self.fault("bad_region", f'{expected} is expected here, as in "64.02"')
        else:
            return self.value
        return ""


def ages(found: Mapping[str, Entry]) -> tuple[int | None, int | None]:
    """Read from which age and below which age something is meant; between the two there must be somebody."""
    age_from = found["age_from"].age() if "age_from" in found else None
    age_below = found["age_below"].age(1) if "age_below" in found else None
    if age_from is not None and age_below is not None and age_from >= age_below:
        found["age_below"].fault("nobody", "age_below must lie above age_from, or it is true of nobody")
    return age_from, age_below
