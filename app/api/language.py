"""The language a person reads: Indonesian unless they ask for English."""

from enum import StrEnum


class Language(StrEnum):
    """A language that texts for people are kept in."""

    INDONESIAN = "id"
    ENGLISH = "en"


DEFAULT = Language.INDONESIAN
_NAMES = {"id": Language.INDONESIAN, "in": Language.INDONESIAN, "en": Language.ENGLISH, "*": DEFAULT}


def chosen(accept_language: str) -> Language:
    """Choose by an Accept-Language header: the highest weight, then the first named."""
    best, weight = DEFAULT, 0.0
    for part in accept_language[:500].split(","):
        tag, _, parameters = part.partition(";")
        language = _NAMES.get(tag.strip().lower().partition("-")[0])
        asked = _weight(parameters)
        if language is not None and asked > weight:
            best, weight = language, asked
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
