"""What the service says about itself: one JSON line for each thing that happened, and nothing about anybody."""

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

LONGEST = 300
"""Characters of a value that are shown; a longer one is no name, code or number."""

FIELDS = frozenset(
    {
        "action",
        "address",
        "again_in",
        "agency",
        "clock_id",
        "clocks",
        "attempt",
        "attempts",
        "component",
        "count",
        "delivery_id",
        "detail",
        "due_at",
        "duration_ms",
        "endpoint_id",
        "entries",
        "erasure_id",
        "cause",
        "at",
        "digest",
        "error",
        "event_id",
        "event_type",
        "failed",
        "failed_probes",
        "frames",
        "handoff_id",
        "head",
        "key_id",
        "kind",
        "lag_ms",
        "linked_at",
        "method",
        "milliseconds",
        "month",
        "next_probe_at",
        "outcome",
        "place",
        "port",
        "reason",
        "recovery_id",
        "referral_id",
        "referrals",
        "registry_version",
        "request_id",
        "role",
        "seconds",
        "segment",
        "signature",
        "route",
        "service_request_id",
        "service_type",
        "signal",
        "state",
        "status",
        "table",
        "taken",
        "trace_id",
        "version",
        "why",
        "worker",
    }
)
"""The fields that may be logged. A field of another name is withheld: personal data is never in reach of a log."""

_OWN = frozenset({"event", "level", "timestamp", "logger"})
_SPOKEN = ("uvicorn", "alembic")
"""Libraries whose messages hold nothing from a request; of all others the message's template alone is kept."""


def configure_logging(*, level: str = "INFO", console: bool = False, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging through one chain, as JSON or, for a person, as text."""
    out = stream or sys.stdout
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named_fields_alone,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, exception_by_name, *shared, _for_stdlib],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[template_alone, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("sqlalchemy.engine", "httpx", "httpcore", "alembic.runtime.plugins"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Whoever breaks unseen by us is told of by name too.
    sys.excepthook = _log_uncaught


def hear_what_nobody_catches() -> None:
    """Have what breaks in a thread or while it is cleared away, and whatever warns, told by name too.

    Left to themselves, all of these print what they hold to standard error.
    """
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_of_thread
    warnings.showwarning = _log_warning


def named_fields_alone(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep the fields that have a known name and a plain value; of the rest say how many there were."""
    kept = {name: _plain(name, value) for name, value in event.items() if _may_stay(name, value)}
    withheld = len(event) - len(kept)
    return kept | ({"withheld": withheld} if withheld else {})


def exception_by_name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turn an exception into its class and the places it passed: its message may hold anything."""
    found = event.pop("exc_info", None)
    error = found if isinstance(found, BaseException) else sys.exc_info()[1] if found else None
    if error is not None:
        event.update(told_of(error))
    return event


def template_alone(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep of another library's message the template that its author wrote, not what was filled in."""
    record: logging.LogRecord = event["_record"]
    if not record.name.startswith(_SPOKEN) or record.exc_info:
        event["event"] = record.msg if isinstance(record.msg, str) and record.args else _first_words(record)
    event["logger"] = record.name
    if record.exc_info and record.exc_info[1] is not None:
        event.update(told_of(record.exc_info[1]))
    record.exc_info, record.exc_text, record.stack_info = None, None, None
    event.pop("exc_info", None)
    return event


def told_of(error: BaseException) -> dict[str, str]:
    """Give the fields that tell of an exception without its message, also where logging was never set up."""
    return {"error": type(error).__name__, "frames": frames(error)}


def frames(error: BaseException, *, most: int = 12) -> str:
    """Name the places an exception passed, the innermost last: file, line, function, and no value."""
    passed = traceback.extract_tb(error.__traceback__)[-most:]
    return " > ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in passed)


def _first_words(record: logging.LogRecord) -> str:
    # A ready-made sentence may hold values: what it says in front of the first of them is enough to find it.
    return str(record.msg).split(":", 1)[0][:80]


def _may_stay(name: str, value: Any) -> bool:
    if name.startswith("_"):
        return True
    if name not in FIELDS and name not in _OWN:
        return False
    return value is None or isinstance(value, str | int | float | bool | UUID | Enum | datetime | date)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value[:LONGEST] if isinstance(value, str) and name != "frames" else value


def _short(filename: str) -> str:
    for mark in ("site-packages/", "/app/", "/tests/"):
        _, found, rest = filename.rpartition(mark)
        if found:
            return rest if mark == "site-packages/" else f"{mark.strip('/')}/{rest}"
    return filename.rpartition("/")[2]


def _for_stdlib(
    logger: WrappedLogger, name: str, event: EventDict
) -> tuple[tuple[EventDict], Mapping[str, Mapping[str, Any]]]:
    return structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, name, event)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("uncaught", exc_info=error.with_traceback(trace))


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    if unraisable.exc_value is not None:
        structlog.get_logger().error("unraisable", exc_info=unraisable.exc_value)


def _log_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        structlog.get_logger().critical("uncaught", exc_info=ended.exc_value)


def _log_warning(
    message: Warning | str,  # noqa: ARG001 - it may name a value, as pydantic's does
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - as the hook is called
    line: str | None = None,  # noqa: ARG001
) -> None:
    structlog.get_logger().warning("warned", kind=category.__name__, at=f"{_short(filename)}:{lineno}")
