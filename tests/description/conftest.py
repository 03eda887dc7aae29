"""What tests of the API's description start from."""

from tests.workflows.conftest import service

__all__ = ["service"]
