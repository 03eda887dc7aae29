"""Draws the states of a handoff as SVG, from the table of moves: nothing is drawn that the table does not hold."""

from collections.abc import Iterator, Mapping
from html import escape
from math import hypot

from app.domain.handoff import LIVE, TRANSITIONS, Actor, HandoffEvent, HandoffState
from app.domain.labels import LABELS

S = HandoffState
# Where each state stands; a state that is not here cannot be drawn, and stops the drawing.
PLACES: dict[HandoffState, tuple[int, int]] = {
    S.OFFERED: (115, 340),
    S.ACCEPTED: (410, 340),
    S.IN_PROGRESS: (760, 340),
    S.ON_HOLD: (1120, 340),
    S.CANCEL_REQUESTED: (760, 690),
    S.EXPIRED: (262, 190),
    S.DECLINED: (115, 60),
    S.WITHDRAWN: (115, 490),
    S.HANDED_BACK: (940, 50),
    S.FAILED: (940, 230),
    S.COMPLETED: (640, 465),
    S.CANCELLED: (1120, 690),
    S.ENTERED_IN_ERROR: (235, 690),
}
WIDTH, HEIGHT = 1235, 800
BOX_WIDTH, BOX_HEIGHT = 180, 52
# Where a label would lie on another line, it moves along its own: the share of the way.
ALONG: dict[tuple[HandoffState, HandoffState], float] = {
    (S.IN_PROGRESS, S.HANDED_BACK): 0.65,
    (S.ON_HOLD, S.HANDED_BACK): 0.65,
    (S.ACCEPTED, S.CANCEL_REQUESTED): 0.6,
    (S.IN_PROGRESS, S.CANCEL_REQUESTED): 0.52,
    (S.CANCEL_REQUESTED, S.COMPLETED): 0.48,
}
STYLE = """
text{font:15px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;fill:#1b1f24}
.code{font:12.5px ui-monospace,Menlo,Consolas,'Liberation Mono',monospace;fill:#55606b}
.name{font-weight:600}.on{font-size:14px;paint-order:stroke;stroke:#fff;stroke-width:6px;stroke-linejoin:round}
.live{fill:#e8eef5;stroke:#0b5394;stroke-width:1.5}.over{fill:#f4f6f8;stroke:#7d8893;stroke-width:1.5}
path{fill:none;stroke:#3c4650;stroke-width:1.6}.clock{stroke-dasharray:2 4}.sender{stroke-dasharray:8 4}
.head{fill:#3c4650;stroke:none}.paper{fill:#fff}
@media (prefers-color-scheme:dark){text{fill:#e6e9ec}.code{fill:#a6b0ba}.on{stroke:#14171b}
.live{fill:#1d2e40;stroke:#8fc1f2}.over{fill:#1d2227;stroke:#8b96a1}path{stroke:#aeb8c2}.head{fill:#aeb8c2}
.paper{fill:#14171b}}
"""
ARROW = (
    '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
    'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="head" d="M0 0 10 5 0 10z"/></marker></defs>'
)
SAID = {
    "id": {
        "title": "Keadaan penyerahan dan langkah di antaranya",
        "legend": ("penerima", "pengirim, koordinator atau berakhirnya persetujuan", "waktu"),
        "void": "dari setiap keadaan yang berjalan: nyatakan salah masuk",
        "waiting": "selama menunggu koordinator",
        "live": "berjalan",
        "over": "berakhir",
    },
    "en": {
        "title": "The states of a handoff and the moves between them",
        "legend": ("receiver", "sender, coordinator or the end of consent", "clock"),
        "void": "from every live state: void",
        "waiting": "while a person is waited for",
        "live": "live",
        "over": "over",
    },
}


def draw(language: str) -> str:
    """Draw the table of moves, said in a language."""
    words = SAID[language]
    parts = [
        _opened(str(words["title"])),
        f"<style>{STYLE}</style>",
        ARROW,
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
    ]
    parts += _moves(language)
    parts += [_box(state, language) for state in HandoffState]
    x, y = PLACES[S.ENTERED_IN_ERROR]
    parts.append(f'<text x="{x}" y="{y - 38}" text-anchor="middle" class="on">{escape(str(words["void"]))}</text>')
    parts += _legend(words)
    return "\n".join([*parts, "</svg>\n"])


def _opened(title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="title"><title id="title">{escape(title)}</title>'
    )


def moves() -> dict[tuple[HandoffState, HandoffState], list[HandoffEvent]]:
    """List the moves drawn as arrows, by where they begin and end; voiding, which leaves all states alike, is none."""
    if {state for state, event in TRANSITIONS if event is HandoffEvent.VOID} != LIVE:
        raise LookupError("voiding no longer leaves every live state: it has to be drawn")
    found: dict[tuple[HandoffState, HandoffState], list[HandoffEvent]] = {}
    for (state, event), move in TRANSITIONS.items():
        if event is not HandoffEvent.VOID:
            found.setdefault((state, move.to), []).append(event)
    return found


def _moves(language: str) -> Iterator[str]:
    labels = []
    pairs = moves()
    for (start, end), events in pairs.items():
        move = TRANSITIONS[start, events[0]]
        side = 13 if (end, start) in pairs else 0
        x1, y1, x2, y2 = _between(start, end, side)
        kind = "clock" if move.who == {Actor.CLOCK} else "" if Actor.RECEIVER in move.who else "sender"
        named = f' class="{kind}"' if kind else ""
        yield f'<path{named} d="M{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}" marker-end="url(#head)"/>'
        along = ALONG.get((start, end), 0.5)
        said = ", ".join(getattr(LABELS["handoff_event"][event.value], language) for event in events)
        x, y = x1 + (x2 - x1) * along, y1 + (y2 - y1) * along + _off(x2 - x1, y2 - y1)
        labels.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" class="on">{escape(said)}</text>')
        if move.while_waiting:
            labels.append(
                f'<text x="{x:.0f}" y="{y + 17:.0f}" text-anchor="middle" class="on">'
                f"{escape(str(SAID[language]['waiting']))}</text>"
            )
    yield from labels


def _off(x: float, y: float) -> int:
    """Say how far a label stands below its line: on it where it is steep, and beside it where it lies."""
    if abs(y) > 1:
        return 5
    return -8 if x > 0 else 19


def _between(start: HandoffState, end: HandoffState, side: int) -> tuple[float, float, float, float]:
    """Run a line from box to box; with a side, beside the middle, so that the way back has room."""
    (left, top), (right, bottom) = PLACES[start], PLACES[end]
    length = hypot(right - left, bottom - top)
    across, down = (bottom - top) / length * side, -(right - left) / length * side
    x1, y1, x2, y2 = left + across, top + down, right + across, bottom + down
    before, after = _to_edge(x2 - x1, y2 - y1), _to_edge(x1 - x2, y1 - y2)
    return (
        x1 + (x2 - x1) * before,
        y1 + (y2 - y1) * before,
        x2 + (x1 - x2) * after,
        y2 + (y1 - y2) * after,
    )


def _to_edge(x: float, y: float) -> float:
    """Say which share of a way out of a box lies within it."""
    return min(BOX_WIDTH / 2 / abs(x) if x else 1, BOX_HEIGHT / 2 / abs(y) if y else 1)


def _box(state: HandoffState, language: str) -> str:
    x, y = PLACES[state]
    name = getattr(LABELS["handoff_state"][state.value], language)
    kind = "live" if state in LIVE else "over"
    return (
        f'<rect class="{kind}" x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="{26 if kind == "over" else 6}"/>'
        f'<text x="{x}" y="{y - 3}" text-anchor="middle" class="name">{escape(name)}</text>'
        f'<text x="{x}" y="{y + 15}" text-anchor="middle" class="code">{state.value}</text>'
    )


def _legend(words: Mapping[str, object]) -> Iterator[str]:
    said = words["legend"]
    y = HEIGHT - 40
    x = 30
    for kind, word in zip(("", "sender", "clock"), said if isinstance(said, tuple) else (), strict=True):
        named = f' class="{kind}"' if kind else ""
        yield f'<path{named} d="M{x} {y} {x + 44} {y}" marker-end="url(#head)"/>'
        yield f'<text x="{x + 54}" y="{y + 5}">{escape(word)}</text>'
        x += 80 + int(7.6 * len(word))
    for kind in ("live", "over"):
        yield f'<rect class="{kind}" x="{x}" y="{y - 11}" width="34" height="22" rx="{11 if kind == "over" else 4}"/>'
        yield f'<text x="{x + 44}" y="{y + 5}">{escape(str(words[kind]))}</text>'
        x += 70 + int(7.6 * len(str(words[kind])))
