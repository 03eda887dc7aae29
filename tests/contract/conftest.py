"""What tests of the contract start from."""

from tests.api.conftest import issuer, nobody, whole_api
from tests.workflows.conftest import service

__all__ = ["issuer", "nobody", "service", "whole_api"]
