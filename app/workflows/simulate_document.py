"""A draft is tried on what was decided: which requests would go elsewhere. Nothing is written, nothing unsealed."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.facts import Facts
from app.domain.simulation import Asked, Fate, Simulation
from app.reference.cases import Case
from app.storage import past_decisions
from app.storage.past_decisions import PastDecision, Period, Place

A_WHILE = 50
"""After so many decisions others on the same event loop have their turn."""


async def simulate_period(
    session: AsyncSession, simulation: Simulation, period: Period, *, after: Place | None, limit: int
) -> Place | None:
    """Weigh the next decisions of a period, at most `limit`, and give the place to go on from; None at its end."""
    seen, last = 0, after
    async for past in past_decisions.of_period(session, period, after=after, limit=limit):
        simulation.weigh(_asked(past))
        seen, last = seen + 1, (past.decided_at, past.id)
        if seen % A_WHILE == 0:
            await asyncio.sleep(0)
    return last if seen == limit else None


def simulate_cases(simulation: Simulation, cases: Iterable[Case]) -> None:
    """Weigh each service of some cases."""
    for case in cases:
        for service in case.services:
            simulation.weigh(Asked(case.name, case.facts, service, case.tried))


def _asked(past: PastDecision) -> Asked:
    facts = replace(Facts.from_json(past.facts), consent=past.consent)
    was = Fate(past.agency, past.reason, past.document, past.clause)
    return Asked(str(past.id), facts, past.service_type, frozenset(past.tried), was)
