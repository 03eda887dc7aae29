"""The service of these tests, with an erasure ledger."""

from pathlib import Path

import pytest

from app.workflows.desk import Terms
from tests.workflows.conftest import service

__all__ = ["service"]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where erasures are written down."""
    return tmp_path / "erasures.jsonl"


@pytest.fixture
def terms(ledger: Path) -> Terms:
    """An operator who keeps a ledger."""
    return Terms(erasure_ledger=ledger)
