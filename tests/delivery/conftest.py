"""What tests of the delivery start from: a real database, and real time."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage.sealing import KeyRing
from tests.delivery.world import RealClock, World


@pytest.fixture
def world(sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> World:
    """Empty tables, and what it takes to fill them and to deliver."""
    return World(sessions, key_ring, RealClock())
