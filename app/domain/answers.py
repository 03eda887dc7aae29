"""Three lines of few values as one: what clauses say to a service, an urgency and whether the perpetrator is near."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.masks import Flag, Line
from app.domain.vocabulary import Urgency

ByUrgency = Mapping[Urgency, tuple[int, int]]
"""By urgency, who allows it without the perpetrator in the household, and who with."""


class Services(dict[str, ByUrgency]):
    """What clauses say, by service; a service that nobody names gets the answer of those who ask for none."""

    def __init__(self, named: Mapping[str, ByUrgency], other: ByUrgency) -> None:
        super().__init__(named)
        self._other = other

    def __missing__(self, service: str) -> ByUrgency:
        return self._other


class Answers:
    """Puts a mask for every service, urgency and perpetrator together beforehand."""

    def __init__(self, services: Line, urgency: Line, perpetrator: Flag) -> None:
        self._services, self._urgency, self._perpetrator = services, urgency, perpetrator

    def within(self, clauses: int) -> Services:
        """Return who of some clauses allows what."""
        services = {service: self._by_urgency(clauses & mask) for service, mask in self._services.named.items()}
        return Services(services, self._by_urgency(clauses & self._services.free))

    def _by_urgency(self, clauses: int) -> ByUrgency:
        without, near = (clauses & self._perpetrator.allows(said) for said in (False, True))
        return {
            urgency: (without & self._urgency.allows(urgency), near & self._urgency.allows(urgency))
            for urgency in Urgency
        }
