"""A database that goes silent: nobody waits for it for ever, and whoever comes later finds it again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.database import Pool, is_gone, is_passing, open_engine, sessions_of
from chaos.wire import Fate, Wire

SHORT = Pool(size=2, overflow=0, statement=timedelta(milliseconds=300), answer=timedelta(milliseconds=200))
PATIENCE = 15
"""Seconds; without a limit of our own the kernel would give up after a quarter of an hour, or never."""


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    port = make_url(database_url).port or 5432
    wire = Wire(lambda: port)
    await wire.open()
    yield wire
    await wire.close()


async def ask(tx: AsyncSession) -> int:
    return int((await tx.execute(select(func.length("asked")))).scalar_one())


@pytest.mark.parametrize("fate", [Fate.SILENT, Fate.UNANSWERED])
async def test_a_statement_without_an_answer_is_given_up_and_the_next_transaction_has_one(
    wire: Wire, database_url: str, fate: Fate
) -> None:
    engine = open_engine(str(make_url(database_url).set(port=wire.port).render_as_string(False)), pool=SHORT)
    sessions = sessions_of(engine)
    async with sessions.begin() as one, sessions.begin() as other:
        assert (await ask(one), await ask(other)) == (5, 5)

    wire.lose(fate)
    wire.heal()
    with pytest.raises(TimeoutError) as given_up:
        async with asyncio.timeout(PATIENCE), sessions.begin() as tx:
            await ask(tx)
    async with asyncio.timeout(PATIENCE), sessions.begin() as tx:
        found = await ask(tx)
    await engine.dispose()

    assert is_passing(given_up.value)
    assert is_gone(given_up.value)
    assert found == 5


async def test_a_commit_without_an_answer_is_given_up(wire: Wire, database_url: str) -> None:
    engine = open_engine(str(make_url(database_url).set(port=wire.port).render_as_string(False)), pool=SHORT)

    async def commit() -> None:
        async with asyncio.timeout(PATIENCE), sessions_of(engine).begin() as tx:
            await ask(tx)
            wire.lose(Fate.UNANSWERED)

    with pytest.raises(TimeoutError) as given_up:
        await commit()
    wire.heal()
    await engine.dispose()

    assert is_passing(given_up.value)
