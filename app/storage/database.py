"""The database: one engine for each process, one session for each transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

DRIVER = "postgresql+asyncpg"


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections a process holds, and how long anything may take in them."""

    size: int = 10
    overflow: int = 10
    wait: timedelta = timedelta(seconds=5)
    connect: timedelta = timedelta(seconds=5)
    statement: timedelta = timedelta(seconds=15)
    lock: timedelta = timedelta(seconds=5)
    idle_in_transaction: timedelta = timedelta(seconds=30)
    through_pgbouncer: bool = False
    """Behind a pooler that hands out a connection for each transaction, nothing may outlive one."""


def normalised(url: str) -> str:
    """Turn any address of a PostgreSQL into one for asyncpg, password included."""
    found = make_url(url)
    if found.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError("the database must be a PostgreSQL")
    return found.set(drivername=DRIVER).render_as_string(hide_password=False)


def open_engine(url: str, *, application_name: str = "lintas", pool: Pool | None = None) -> AsyncEngine:
    """Open an engine; it connects when first used, and no error of it shows a parameter."""
    of = pool or Pool()
    limits = {
        "statement_timeout": _milliseconds(of.statement),
        "lock_timeout": _milliseconds(of.lock),
        "idle_in_transaction_session_timeout": _milliseconds(of.idle_in_transaction),
    }
    settings = {"application_name": application_name}
    connecting: dict[str, Any] = {"timeout": of.connect.total_seconds(), "server_settings": settings}
    if of.through_pgbouncer:
        connecting |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"lintas_{uuid4().hex}",
        }
    else:
        settings |= {**limits, "timezone": "UTC", "jit": "off"}
    engine = create_async_engine(
        normalised(url),
        pool_size=of.size,
        max_overflow=of.overflow,
        pool_timeout=of.wait.total_seconds(),
        pool_recycle=1800,
        hide_parameters=True,
        connect_args=connecting,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
    )
    if of.through_pgbouncer:
        _limit_each_transaction(engine, limits)
    return engine


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Make sessions; `sessions.begin()` is one transaction."""
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


def is_passing(error: BaseException) -> bool:
    """Say whether the database failed in a way that passes, so that the same again may well succeed."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _code_passes(getattr(error.orig, "sqlstate", None))
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, PoolTimeoutError)
    if isinstance(error, OSError):
        return error.filename is None
    # What the driver raises while it connects comes as it is.
    return _code_passes(getattr(error, "sqlstate", None))


PASSING = frozenset({"40001", "40P01", "55P03", "57014", "25P03", "25006"})
PASSING_CLASSES = frozenset({"08", "53", "57", "58"})


def _code_passes(code: str | None) -> bool:
    return code is not None and (code in PASSING or code[:2] in PASSING_CLASSES)


def _limit_each_transaction(engine: AsyncEngine, limits: dict[str, str]) -> None:
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration / timedelta(milliseconds=1)))


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()
