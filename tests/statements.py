"""What the database is asked while a test does something."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """List what the database is asked while the block runs, without the values."""
    did: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        did.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield did
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
