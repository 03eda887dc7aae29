"""What is done once a transaction is committed, and not at all where it never is."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

_TO_DO = "lintas_after_commit"


def after_commit(session: AsyncSession, do: Callable[[], None]) -> None:
    """Have something done as soon as this session's transaction is committed; it must not fail, and not wait."""
    session.sync_session.info.setdefault(_TO_DO, []).append(do)


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    waiting: list[Callable[[], None]] = session.info.pop(_TO_DO, [])
    for do in waiting:
        do()


@event.listens_for(Session, "after_rollback")
def _rolled_back(session: Session) -> None:
    _forget(session)


def _forget(session: Session) -> Any:
    return session.info.pop(_TO_DO, None)
