"""Places as a person looks for them: by name, with the larger places that they lie in; countries by name too."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.api.language import Language
from app.api.problem_texts import Text
from app.domain.regions import COUNTRY, NATION, ancestry, is_country
from app.storage.reference import Reference

MOST = 8
"""How many places are shown of those that are meant by a name."""
SHORTEST, LONGEST = 2, 100

COUNTRIES: Mapping[str, Text] = {
    "AE": Text("Uni Emirat Arab", "United Arab Emirates"),
    "AU": Text("Australia", "Australia"),
    "BH": Text("Bahrain", "Bahrain"),
    "BN": Text("Brunei Darussalam", "Brunei Darussalam"),
    "CN": Text("Tiongkok", "China"),
    "DE": Text("Jerman", "Germany"),
    "EG": Text("Mesir", "Egypt"),
    "GB": Text("Inggris", "United Kingdom"),
    "HK": Text("Hong Kong", "Hong Kong"),
    "IN": Text("India", "India"),
    "IT": Text("Italia", "Italy"),
    "JO": Text("Yordania", "Jordan"),
    "JP": Text("Jepang", "Japan"),
    "KH": Text("Kamboja", "Cambodia"),
    "KR": Text("Korea Selatan", "South Korea"),
    "KW": Text("Kuwait", "Kuwait"),
    "LA": Text("Laos", "Laos"),
    "LB": Text("Lebanon", "Lebanon"),
    "LY": Text("Libia", "Libya"),
    "MM": Text("Myanmar", "Myanmar"),
    "MO": Text("Makau", "Macau"),
    "MY": Text("Malaysia", "Malaysia"),
    "NL": Text("Belanda", "Netherlands"),
    "NZ": Text("Selandia Baru", "New Zealand"),
    "OM": Text("Oman", "Oman"),
    "PG": Text("Papua Nugini", "Papua New Guinea"),
    "PH": Text("Filipina", "Philippines"),
    "PL": Text("Polandia", "Poland"),
    "QA": Text("Qatar", "Qatar"),
    "SA": Text("Arab Saudi", "Saudi Arabia"),
    "SD": Text("Sudan", "Sudan"),
    "SG": Text("Singapura", "Singapore"),
    "SY": Text("Suriah", "Syria"),
    "TH": Text("Thailand", "Thailand"),
    "TL": Text("Timor-Leste", "Timor-Leste"),
    "TR": Text("Turki", "Turkey"),
    "TW": Text("Taiwan", "Taiwan"),
    "US": Text("Amerika Serikat", "United States"),
    "VN": Text("Vietnam", "Vietnam"),
    "YE": Text("Yaman", "Yemen"),
}
"""The countries that are found by name; every other one by its two letters (ISO 3166-1), as in `country:FR`."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place to choose: its code, its name, how fine it is, and the larger places it lies in, the nearest first."""

    code: str
    name: str
    level: str
    within: str


def search(reference: Reference, written: str, language: Language) -> list[Place]:
    """List the places that are meant by a name or a code, the likeliest first."""
    sought = " ".join(written.split())
    if not SHORTEST <= len(sought) <= LONGEST:
        return []
    countries = _countries(sought)
    regions = [region.code for region in reference.region_names.search(sought)]
    return [place(reference, code, language) for code in [*countries, *regions][:MOST]]


def place(reference: Reference, code: str, language: Language) -> Place:
    """Name a place by its code; one that is not known stands for itself."""
    if is_country(code):
        letters = code.removeprefix(COUNTRY)
        name = getattr(COUNTRIES[letters], language.value) if letters in COUNTRIES else letters
        return Place(code, name, "country", "")
    known = reference.regions.by_code
    held = [known[one] for one in ancestry(code) if one != NATION and one in known]
    if not held or held[0].code != code:
        return Place(code, code, "", "")
    return Place(code, held[0].name, held[0].level.value, ", ".join(one.name for one in held[1:]))


def _countries(sought: str) -> list[str]:
    wanted = sought.casefold()
    exact = sought.removeprefix(COUNTRY)
    if sought.startswith(COUNTRY) and len(exact) == 2 and exact.isascii() and exact.isupper() and exact != "ID":
        return [sought]
    return [
        f"{COUNTRY}{code}"
        for code, name in COUNTRIES.items()
        if any(said.casefold().startswith(wanted) for said in name) and len(wanted) > SHORTEST
    ]
