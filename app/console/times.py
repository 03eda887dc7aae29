"""Moments as people read them: in the time zone of their agency, and as how much time is left."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.api.language import Language
from app.console.languages import said

MONTHS = {
    Language.INDONESIAN: (
        *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
        *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
    ),
    Language.ENGLISH: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
CLOCK = {Language.INDONESIAN: "{at:%H.%M}", Language.ENGLISH: "{at:%H:%M}"}


def moment(when: datetime, zone: str, language: Language) -> str:
    """Write a moment with the abbreviation of its zone: 4 Maret 2025 pukul 09.00 WITA."""
    at = when.astimezone(ZoneInfo(zone))
    clock = CLOCK[language].format(at=at)
    joined = " pukul " if language is Language.INDONESIAN else " at "
    return f"{day(when, zone, language)}{joined}{clock} {at.tzname()}"


def day(when: datetime, zone: str, language: Language) -> str:
    """Write the day of a moment."""
    at = when.astimezone(ZoneInfo(zone))
    return f"{at.day} {MONTHS[language][at.month - 1]} {at.year}"


def span(length: timedelta, language: Language) -> str:
    """Write a span by its two largest parts, to the minute."""
    minutes = int(abs(length).total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "day"), (hours, "hour"), (0 if days else minutes % 60, "minute")]
    shown = [(count, name) for count, name in parts if count]
    if not shown:
        return said("times.now", language)
    return " ".join(
        said(f"times.{name}" if count == 1 else f"times.{name}s", language, count=count) for count, name in shown
    )


def time_left(until: datetime, now: datetime, language: Language) -> str:
    """Write how much time is left, or how long ago it ran out."""
    left = until - now
    if abs(left) < timedelta(minutes=1):
        return said("times.now", language)
    return said("times.left" if left > timedelta(0) else "times.over", language, span=span(left, language))
