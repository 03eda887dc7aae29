"""One sandbox for all of these tests, reset before each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox.integrator import Integrator, Told, started


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What `lintas sandbox` said, which runs on."""
    with started(tmp_path_factory.mktemp("sandbox").resolve()) as told:
        yield told


@pytest.fixture
async def integrator(told: Told) -> AsyncIterator[Integrator]:
    """Whoever tries their client out, in a world as it was at first."""
    one = Integrator(told)
    await one.done("POST", "/reset")
    yield one
    await one.aclose()
