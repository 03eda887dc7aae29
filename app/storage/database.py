"""The database: one engine for each process, one session for each transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary, WeakSet

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, event, func, make_url, select, true
from sqlalchemy.engine import ExceptionContext
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
    answer: timedelta = timedelta(seconds=3)
    """How much later than its own limit a statement's answer may come, before the connection counts as lost."""
    lock: timedelta = timedelta(seconds=5)
    idle_in_transaction: timedelta = timedelta(seconds=30)
    through_pgbouncer: bool = False
    """Behind a pooler that hands out a connection for each transaction, nothing may outlive one."""


_OF_LIBPQ = frozenset(
    {"channel_binding", "connect_timeout", "fallback_application_name", "gssencmode", "pgbouncer", "sslcompression"}
)
"""Words that providers write into addresses for other drivers: asyncpg would hand them to the server, which refuses."""


def normalised(url: str) -> str:
    """Turn any address of a PostgreSQL into the one that asyncpg reads, password and TLS included.

    TLS is asked for as libpq does (`sslmode=require`) or as SQLAlchemy does (`ssl=require`).
    """
    found = make_url(url)
    if found.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError("the database must be a PostgreSQL")
    query = {"sslmode" if name == "ssl" else name: value for name, value in found.query.items()}
    query = {name: value for name, value in query.items() if name not in _OF_LIBPQ and "keepalive" not in name}
    return found.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


def open_engine(url: str, *, application_name: str = "lintas", pool: Pool | None = None) -> AsyncEngine:
    """Open an engine; it connects when first used, and no error of it shows a parameter."""
    of = pool or Pool()
    limits = {
        "statement_timeout": _milliseconds(of.statement),
        "lock_timeout": _milliseconds(of.lock),
        "idle_in_transaction_session_timeout": _milliseconds(of.idle_in_transaction),
    }
    settings = {"application_name": application_name}
    connecting: dict[str, Any] = {
        "timeout": of.connect.total_seconds(),
        # The server's own limits end nothing where the network has gone silent, and nobody else would say so.
        "command_timeout": (of.statement + of.answer).total_seconds(),
        "server_settings": settings,
    }
    if of.through_pgbouncer:
        connecting |= _NOTHING_CACHED
    else:
        settings |= {**limits, "timezone": "UTC", "jit": "off"}
    engine = create_async_engine(
        _place(url),
        pool_size=of.size,
        max_overflow=of.overflow,
        pool_timeout=of.wait.total_seconds(),
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"dsn": normalised(url), **connecting},
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_what_is_silent)
    _remember_connections(engine)
    if of.through_pgbouncer:
        _limit_each_transaction(engine, limits)
    return engine


def open_for_migrations(url: str) -> AsyncEngine:
    """Open an engine for migrations: no limits, and no statement outlives the tables that it was prepared for."""
    connecting = {"server_settings": {"application_name": "lintas migrate"}, **_NOTHING_CACHED}
    return create_async_engine(
        _place(url), poolclass=NullPool, hide_parameters=True, connect_args={"dsn": normalised(url), **connecting}
    )


def _place(url: str) -> URL:
    """Give the address without its query, which the driver reads from the whole address better than SQLAlchemy."""
    return make_url(normalised(url)).set(drivername=DRIVER, query={})


_NOTHING_CACHED: Mapping[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: f"lintas_{uuid4().hex}",
}


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Make sessions; `sessions.begin()` is one transaction."""
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


async def wait_for_locks(session: AsyncSession, longest: timedelta) -> None:
    """Have this transaction wait no longer for a lock; without end where that is nothing."""
    await session.execute(select(func.set_config("lock_timeout", _milliseconds(longest), true())))


async def may_idle(session: AsyncSession, longest: timedelta) -> None:
    """Let this transaction wait this long for what is done outside of the database."""
    setting = "idle_in_transaction_session_timeout"
    await session.execute(select(func.set_config(setting, _milliseconds(longest), true())))


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


def is_gone(error: BaseException) -> bool:
    """Say whether it was the database or the way to it that failed, so that nothing else would succeed now either."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlstate", None)
        return code not in OF_ONE and (error.connection_invalidated or _code_passes(code))
    return is_passing(error) and getattr(error, "sqlstate", None) not in OF_ONE


OF_ONE = frozenset({"40001", "40P01", "55P03", "57014", "25P03"})
"""What one transaction met and another may well not: a conflict, a lock, its own deadline."""
PASSING = OF_ONE | frozenset({"25006"})
PASSING_CLASSES = frozenset({"08", "53", "57", "58"})


def _code_passes(code: str | None) -> bool:
    return code is not None and (code in PASSING or code[:2] in PASSING_CLASSES)


def break_off(engine: AsyncEngine) -> int:
    """Drop every connection of an engine at once, whatever it waits for, which fails; give their number.

    What was not committed never was; whether a commit that was under way came through, nobody can say.
    """
    connections = [one for one in _CONNECTIONS.get(engine.sync_engine, ()) if not one.is_closed()]
    for connection in connections:
        connection.terminate()
    return len(connections)


_CONNECTIONS: WeakKeyDictionary[Engine, WeakSet[Any]] = WeakKeyDictionary()
"""The driver's own connections of each engine, those that are in use included."""


def _remember_connections(engine: AsyncEngine) -> None:
    opened: WeakSet[Any] = WeakSet()
    _CONNECTIONS[engine.sync_engine] = opened

    @event.listens_for(engine.sync_engine, "connect")
    def _(connection: Any, _: Any) -> None:
        opened.add(connection.driver_connection)


def _give_up_what_is_silent(context: ExceptionContext) -> None:
    """Give up, with a connection that did not answer in time, all that were opened before: each would cost as long."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = True


def _limit_each_transaction(engine: AsyncEngine, limits: dict[str, str]) -> None:
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration / timedelta(milliseconds=1)))


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()
