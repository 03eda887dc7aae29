"""Text that people write: one spelling of each letter, something to see, and nothing that works on its reader."""

import re
from typing import Any
from unicodedata import category, normalize

from app.api.validation import fault

# What turns the direction of all that follows, so that a line reads as another than was written.
TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# Letters by their category, and blank on every screen.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
BREAKS = frozenset("\n\t")
_LINE_END = re.compile("\r\n?")


def line(value: Any) -> Any:
    """Take text of one line: in NFC, without control characters, with something to see."""
    return _checked(value, frozenset()) if isinstance(value, str) else value


def lines(value: Any) -> Any:
    """Take text of any number of lines, which end as they do on the net; otherwise as `line`."""
    return _checked(_LINE_END.sub("\n", value), BREAKS) if isinstance(value, str) else value


def _checked(text: str, allowed: frozenset[str]) -> str:
    normal = normalize("NFC", text)
    if normal.isascii() and normal.isprintable():
        return normal
    for letter in set(normal) - allowed:
        if letter in TURNING or category(letter) == "Cc" or (not allowed and category(letter) in ("Zl", "Zp")):
            raise fault("control_character")
    if normal.strip() and not any(map(_is_visible, set(normal))):
        raise fault("nothing_visible")
    return normal


def _is_visible(letter: str) -> bool:
    return letter not in BLANK and category(letter)[0] in "LNPS"
