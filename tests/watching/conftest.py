"""The whole service, as the tests of workflows have it, and deliveries as those of delivery have them."""

from tests.delivery.conftest import world
from tests.workflows.conftest import service

__all__ = ["service", "world"]
