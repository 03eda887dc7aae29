"""What is planted, and the search for it in every form in which it could be somewhere."""

import base64
import hashlib
import struct
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache

MARK = "Kenari7f3aQzWx"
"""Stands in every text that is planted, with a number behind it that says where it was planted."""
NATIONAL_ID = "6402069907310042"
PHONE = "081339077451"
CITIZENSHIP = "TV"
BIRTH_DATE, INCIDENT_DATE, GIVEN_ON = date(1957, 11, 23), date(2019, 1, 6), date(2018, 10, 27)
POLICE_REPORTED_AT, CONSENT_GIVEN_AT = "2019-01-08T03:14:07+08:00", "2018-12-29T05:51:43+08:00"

DIGITS = (NATIONAL_ID, PHONE.removeprefix("0"))
DAYS = (BIRTH_DATE, INCIDENT_DATE, GIVEN_ON)
MOMENTS = ("2019-01-08T03:14:07", "2019-01-07T19:14:07", "2018-12-29T05:51:43", "2018-12-28T21:51:43")
"""As they were sent, and in UTC."""


class Canaries:
    """Gives each place a text of its own to plant, and remembers where it was planted."""

    def __init__(self) -> None:
        self.places: list[str] = []

    def text(self, place: str) -> str:
        """Give the text for a place; the last part of its name says what else belongs into it."""
        self.places.append(place)
        mark = f"{MARK}{len(self.places):04d}"
        if place.endswith("phone"):
            return f"{PHONE} {mark}"
        return f"{mark}@contoh.example" if place.endswith("email") else mark

    def planted_at(self, place: str) -> bool:
        """Say whether something was planted there."""
        return place in self.places

    def places_in(self, text: str) -> set[str]:
        """Name the places whose texts are in this, plain."""
        return {place for number, place in enumerate(self.places, 1) if f"{MARK}{number:04d}" in text}


def found_in(content: bytes | str) -> list[str]:
    """Name the forms in which anything that was planted is there; nothing is what it should be."""
    plain = content.encode() if isinstance(content, str) else content
    folded = plain.lower()
    exact = (name for name, form in exact_forms() if form in plain)
    return sorted({*exact, *(name for name, form in folded_forms() if form in folded)})


@cache
def folded_forms() -> Sequence[tuple[str, bytes]]:
    """List the forms that are found whatever the case of their letters."""
    found = [*_spellings(MARK), *((name, form) for digits in DIGITS for name, form in _spellings(digits))]
    for digits in DIGITS:
        found += [
            (f"{digits} by {size}, {between!r}", _grouped(digits, size, between))
            for size in (3, 4)
            for between in (" ", "-", ".")
        ]
    for day in DAYS:
        found += [*_spellings(day.isoformat()), *((f"{day}", form) for form in _as_dates(day))]
    for moment in MOMENTS:
        found += [(moment, moment.encode()), (moment, moment.replace("T", " ").encode())]
    found += [
        (f"{kind} of {value}", kind(value.encode()).hexdigest().encode())
        for kind in (hashlib.md5, hashlib.sha1, hashlib.sha256)
        for value in (NATIONAL_ID, PHONE, BIRTH_DATE.isoformat())
    ]
    found += [("citizenship", f"citizenship{between}{CITIZENSHIP}".encode()) for between in ('":"', '": "', "=", ": ")]
    return [(name, form.lower()) for name, form in found]


@cache
def exact_forms() -> Sequence[tuple[str, bytes]]:
    """List the forms whose letters mean something else in another case, and bytes."""
    texts = [MARK, MARK.lower(), MARK.upper(), *DIGITS, *(day.isoformat() for day in DAYS)]
    found = [(f"base64 of {text}", form) for text in texts for form in _in_base64(text)]
    for value in (NATIONAL_ID,):
        found += [(f"{value} as a number", struct.pack(order, int(value))) for order in (">q", "<q")]
    return found


def _spellings(text: str) -> Iterator[tuple[str, bytes]]:
    yield text, text.encode()
    yield f"{text} reversed", text[::-1].encode()
    for case in {text, text.lower(), text.upper()}:
        yield f"{text} as hexadecimal", case.encode().hex().encode()
        yield f"{text} percent-encoded", "".join(f"%{ord(letter):02x}" for letter in case).encode()
        yield f"{text} escaped", "".join(f"\\u{ord(letter):04x}" for letter in case).encode()
        yield f"{text} escaped", "".join(f"\\x{ord(letter):02x}" for letter in case).encode()
        yield f"{text} as entities", "".join(f"&#{ord(letter)};" for letter in case).encode()
        yield f"{text} as entities", "".join(f"&#x{ord(letter):x};" for letter in case).encode()
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le"):
        yield f"{text} in {encoding}", text.encode(encoding)


def _in_base64(text: str) -> Iterator[bytes]:
    """Give what is the same of a text in Base64, at each of the three places where it can begin."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + text.encode())
        # What the letters beside it share a character with is cut off.
        inner = coded[(0, 2, 3)[before] : (len(text) + before) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _grouped(digits: str, size: int, between: str) -> bytes:
    return between.join(digits[start : start + size] for start in range(0, len(digits), size)).encode()


def _as_dates(day: date) -> Iterator[bytes]:
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%m/%d/%Y"):
        yield day.strftime(form).encode()
    for month in ("Januari", "January", "Oktober", "October", "November"):
        if month[:2] == day.strftime("%B")[:2]:
            yield f"{day.day} {month} {day.year}".encode()
