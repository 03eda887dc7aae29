"""What the console says, in Indonesian and English, one subject a module."""

from collections.abc import Mapping
from types import MappingProxyType

from app.api.problem_texts import Text
from app.console.words import (
    actions,
    coordinating,
    entry,
    frame,
    handoff,
    handoffs,
    operating,
    referrals,
    refusals,
    sign_in,
    supplying,
)

PARTS: tuple[Mapping[str, Text], ...] = (
    frame.WORDS,
    actions.WORDS,
    refusals.WORDS,
    sign_in.WORDS,
    handoffs.WORDS,
    handoff.WORDS,
    coordinating.WORDS,
    supplying.WORDS,
    entry.WORDS,
    referrals.WORDS,
    operating.WORDS,
)
WORDS: Mapping[str, Text] = MappingProxyType({key: text for part in PARTS for key, text in part.items()})
"""All of it, by keys such as `handoffs.title`."""
