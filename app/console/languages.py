"""The language of a page: as the person chose it here, else as their browser asks."""

from starlette.requests import Request

from app.api.language import Language, chosen
from app.console.words import WORDS

COOKIE = "__Host-lintas-language"


def language_of(request: Request) -> Language:
    """Say in which language to answer."""
    kept = request.cookies.get(COOKIE, "")
    if kept in {*Language}:
        return Language(kept)
    return chosen(",".join(request.headers.getlist("accept-language")))


def said(key: str, language: Language, **values: object) -> str:
    """Say what a key stands for; KeyError where there is no such key."""
    text: str = getattr(WORDS[key], language.value)
    return text.format_map(values) if values else text
