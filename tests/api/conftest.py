"""What tests of the API over its real routes start from."""

from tests.workflows.conftest import service

__all__ = ["service"]
