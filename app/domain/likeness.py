"""What two referrals of one person have in common, however each was written down.

It serves to warn, never to decide: spellings that are one here may be two people, and two here may be one person.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.domain.facts import Facts
from app.domain.regions import is_country, regency_of

IDENTIFYING = frozenset({"victim.name", "victim.birth_date", "victim.national_id"})
"""The personal fields that a likeness is made of."""


class LikenessKind(StrEnum):
    """In what two referrals are alike."""

    IDENTITY_NUMBER = "identity_number"
    NAME_BIRTH_YEAR_REGENCY = "name_birth_year_regency"


@dataclass(frozen=True, slots=True)
class Likeness:
    """One thing that tells a person apart, in the one form that all ways of writing it come to."""

    kind: LikenessKind
    value: str


def likenesses(personal: Mapping[str, Any], facts: Facts, *, received_at: datetime) -> frozenset[Likeness]:
    """List what a referral has in common with any other of the same person, as far as it is known.

    Where an age alone is known, both years count in which the person can have been born. The regency is that of the
    domicile, else of the present place.
    """
    found = set()
    number = _number(personal.get("victim.national_id"))
    if number is not None:
        found.add(Likeness(LikenessKind.IDENTITY_NUMBER, number))
    name, regency = plain_name(personal.get("victim.name")), _regency(facts)
    if name is not None and regency is not None:
        found |= {
            Likeness(LikenessKind.NAME_BIRTH_YEAR_REGENCY, f"{name}|{year}|{regency}")
            for year in _birth_years(personal.get("victim.birth_date"), facts.age, received_at)
        }
    return frozenset(found)


_NUMBER = re.compile(r"[^0-9A-Z]+")
_SHORTEST_NUMBER = 6


def _number(said: Any) -> str | None:
    if not isinstance(said, str):
        return None
    number = _NUMBER.sub("", unicodedata.normalize("NFKC", said).upper())
    # 0000000000000000 and 9999 are written where a number is asked for and none is known.
    return number if len(number) >= _SHORTEST_NUMBER and len(set(number)) > 1 else None


def _birth_years(birth_date: Any, age: int | None, received_at: datetime) -> range:
    if isinstance(birth_date, str):
        year = int(birth_date[:4])
        return range(year, year + 1)
    if age is None:
        return range(0)
    latest = received_at.year - age
    return range(latest - 1, latest + 1)


def _regency(facts: Facts) -> str | None:
    for place in (facts.domicile, facts.current):
        if place is not None:
            return place if is_country(place) else regency_of(place)
    return None


_TITLES = frozenset(
    [
        "h",
        "hj",
        "haji",
        "hajah",
        "dr",
        "drs",
        "dra",
        "drg",
        "ir",
        "prof",
        "kh",
        "ny",
        "nyonya",
        "tn",
        "tuan",
        "nn",
        "nona",
        "sdr",
        "sdri",
        "bapak",
        "bpk",
        "ibu",
        "almh",
        "alm",
    ]
)
_OF = frozenset({"bin", "binti"})
_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        spelling: name
        for name, spellings in {
            "muhammad": "mohammad mohamad muhamad moh muh mohd moch much mhd mochammad mochamad muchammad",
            "siti": "sitti sity",
            "ahmad": "achmad akhmad akhmat achmat",
            "abdul": "abdoel abd",
            "nur": "noer noor nor",
        }.items()
        for spelling in spellings.split()
    }
)
_NO_NAME = frozenset(
    [
        "anonim",
        "anonymous",
        "nn",
        "noname",
        "tanpanama",
        "tidakada",
        "tidakdiketahui",
        "tidaktahu",
        "belumdiketahui",
        "unknown",
        "rahasia",
        "dirahasiakan",
        "disamarkan",
        "korban",
        "inisial",
        "xxx",
        "test",
        "tes",
    ]
)
_SHORTEST_NAME = 3


def plain_name(said: Any) -> str | None:
    """Give a name without what writers do differently: case, accents, titles, degrees, `bin`, spaces; None if none.

    What is written in place of a name is none, nor are initials.
    """
    if not isinstance(said, str):
        return None
    # Degrees follow a comma; an apostrophe is left out where Nur'aini is written Nuraini.
    plain = unicodedata.normalize("NFKD", said.partition(",")[0]).casefold()
    letters = "".join(one for one in plain if not unicodedata.combining(one) and one not in "'`\u2018\u2019\u02bc")
    words = re.findall(r"[^\W\d_]+", letters)
    if "".join(words) in _NO_NAME:
        return None
    while len(words) > 1 and words[0] in _TITLES:
        words.pop(0)
    name = "".join(_SPELLINGS.get(word, word) for word in words if word not in _OF)
    return name if len(name) >= _SHORTEST_NAME and name not in _NO_NAME else None
