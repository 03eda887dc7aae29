"""What a draft would change: requests as they were decided, beside the same requests under the draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from app.domain.decision import Decision
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.routing import Rules, compile_rules

ALWAYS = date(1900, 1, 1)
MOST_EXAMPLES = 100


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a request goes, and why: the agency that is asked, or None and the reason why its coordinator is."""

    agency: str | None
    reason: str | None
    document: str | None
    clause: str | None

    @classmethod
    def of(cls, decision: Decision) -> Fate:
        """Take a decision's."""
        return cls(
            decision.agency, decision.reason.value if decision.reason else None, decision.document, decision.clause
        )

    def to_json(self) -> dict[str, object]:
        """Write it with every key, null where it does not apply."""
        return {"agency": self.agency, "reason": self.reason, "document": self.document, "clause": self.clause}


@dataclass(frozen=True, slots=True)
class Asked:
    """One service that was asked for: the facts, who was tried, and what came of it where that is kept."""

    name: str
    """The decision's id, or the case's name."""
    facts: Facts
    service: str
    tried: frozenset[str]
    was: Fate | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A way that requests would take under the draft and do not take now."""

    service: str
    before: Fate
    after: Fate

    def to_json(self) -> dict[str, object]:
        """Write it."""
        return {"service": self.service, "from": self.before.to_json(), "to": self.after.to_json()}


@dataclass(slots=True)
class Tally:
    """What came of a simulation so far; its size follows the ways that there are, not the requests."""

    examined: int = 0
    unchanged: int = 0
    cited_otherwise: int = 0
    """The same agency, or the coordinator again, for another reason or by another clause."""
    changed_already: int = 0
    """Decided otherwise today than they were, whether or not the draft becomes law."""
    moves: Counter[Move] = field(default_factory=Counter)
    examples: list[tuple[str, Move]] = field(default_factory=list)

    @property
    def moved(self) -> int:
        """Count the requests that would go elsewhere."""
        return sum(self.moves.values())


class Simulation:
    """Decides requests by the rules as they are and as they would be with a draft.

    The draft counts as if it had been in force whenever a request was received, in place of the other versions of
    its document; the registry is that of today in both.
    """

    def __init__(self, draft: Document, rules: Rules, published: Iterable[Document]) -> None:
        others = [document for document in published if document.id != draft.id]
        always = replace(draft, effective_from=ALWAYS, effective_until=None)
        self._now = rules
        self._then = compile_rules(rules.registry, [*others, always], rules.vocabulary)
        self.tally = Tally()

    def weigh(self, asked: Asked) -> Move | None:
        """Count one request, and say how the draft would send it elsewhere; None if it would not."""
        tally = self.tally
        tally.examined += 1
        after = Fate.of(self._then.decide(asked.facts, asked.service, asked.tried))
        if after == asked.was:
            tally.unchanged += 1
            return None
        before = Fate.of(self._now.decide(asked.facts, asked.service, asked.tried))
        if asked.was is not None and before.agency != asked.was.agency:
            tally.changed_already += 1
        if after == before:
            tally.unchanged += 1
            return None
        if after.agency == before.agency:
            tally.cited_otherwise += 1
            return None
        move = Move(asked.service, before, after)
        tally.moves[move] += 1
        if len(tally.examples) < MOST_EXAMPLES:
            tally.examples.append((asked.name, move))
        return move
