"""How a group of victims is said: urgency, case type, perpetrator, sex and age, each only where it narrows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from app.domain.boxes import Box
from app.domain.coverage import AGE, CASE_TYPE, PERPETRATOR, SEX, URGENCIES, URGENCY, Coverage
from app.domain.vocabulary import Sex, Urgency
from app.domain.wording import Text, Wording, ages, joined, lowered

EVERYONE = Text("semua korban", "every victim")
OTHER_CASE_TYPES = Text("jenis kasus lain", "other types of case")


def group(box: Box, table: Coverage, wording: Wording) -> Text:
    """Say which victims a box is about."""
    parts = list(_parts(box, table, wording))
    if not parts:
        return EVERYONE
    return Text(", ".join(part.id for part in parts), ", ".join(part.en for part in parts))


def _parts(box: Box, table: Coverage, wording: Wording) -> Iterator[Text]:
    urgencies = [one for one in URGENCIES if one in cast("frozenset[Urgency]", box[URGENCY])]
    if len(urgencies) < len(URGENCIES):
        yield joined((lowered(wording.urgency(one)) for one in urgencies), "atau", "or")
    sexes = cast("frozenset[Sex]", box[SEX])
    if len(sexes) < len(Sex):
        yield wording.sexes(sexes)
    yield from _of_age(cast("frozenset[int]", box[AGE]), table.ages)
    types = [code for code in table.case_types if code in cast("frozenset[str]", box[CASE_TYPE])]
    if len(types) < len(table.case_types):
        yield joined((_case_type(code, table, wording) for code in types), "atau", "or")
    said = cast("frozenset[bool]", box[PERPETRATOR])
    if said == frozenset({True}):
        yield Text("pelaku serumah", "perpetrator in the household")
    elif said == frozenset({False}):
        yield Text("pelaku tidak serumah", "perpetrator not in the household")


def _case_type(code: str, table: Coverage, wording: Wording) -> Text:
    return lowered(wording.case_type(code)) if code in table.named else OTHER_CASE_TYPES


def _of_age(youngest: frozenset[int], every: tuple[int, ...]) -> Iterator[Text]:
    """Say ages that follow on each other as one range."""
    if len(youngest) == len(every):
        return
    ranges: list[Text] = []
    start: int | None = None
    for place, age in enumerate(every):
        if age not in youngest:
            continue
        start = age if start is None else start
        following = every[place + 1] if place + 1 < len(every) else None
        if following is None or following not in youngest:
            said = ages(start or None, following)
            ranges += [said] if said is not None else []
            start = None
    yield joined(ranges, "atau", "or")
