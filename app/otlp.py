"""Spans told to an OTLP/HTTP address by OpenTelemetry; imported only where the operator asks for traces."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from app.tracing import TRACEPARENT, Kind, Plain, Span, plain

SENT_EVERY = 1000.0
"""Milliseconds between two batches."""
TIMEOUT = 2.0
"""Seconds in which the address must have taken one; what it does not take is lost, and nobody waits for it."""


class _Told(Span):
    def __init__(self, span: trace.Span) -> None:
        self._span = span
        of = span.get_span_context()
        self.trace_id = f"{of.trace_id:032x}"
        self.traceparent = f"00-{of.trace_id:032x}-{of.span_id:016x}-{int(of.trace_flags) & 1:02x}"

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def say(self, **attributes: Plain) -> None:
        self._span.set_attributes(_said(attributes))

    def fail(self) -> None:
        self._span.set_status(trace.Status(trace.StatusCode.ERROR))


class Otlp:
    """Tells spans in batches, from a thread of its own."""

    def __init__(self, endpoint: str, *, share: float, process: str, instance: UUID, version: str) -> None:
        """Take the whole address, and the share of traces that are told where no caller has decided that.

        Headers that the address wants are read from OTEL_EXPORTER_OTLP_HEADERS.
        """
        said = {
            "service.name": "lintas",
            "service.version": version,
            "service.instance.id": str(instance),
            "lintas.process": process,
        }
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=Resource.create(said), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint, timeout=TIMEOUT)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SENT_EVERY))
        self._tracer = self._provider.get_tracer("lintas")

    @contextmanager
    def span(self, name: str, kind: Kind, parent: str | None, attributes: dict[str, Plain]) -> Iterator[Span]:
        """Begin a span that ends with the block."""
        with self._tracer.start_as_current_span(
            name,
            context=_context_of(parent),
            kind=trace.SpanKind[kind.upper()],
            attributes=_said(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as begun:
            yield _Told(begun)

    def traceparent(self) -> str | None:
        """Give the traceparent of what runs now; None where that is not a part of a trace."""
        current = trace.get_current_span()
        return _Told(current).traceparent if current.get_span_context().is_valid else None

    def end(self) -> threading.Thread:
        """Send what is left, in a thread that keeps nobody from ending."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        return sending


def _said(attributes: dict[str, Plain]) -> dict[str, str | int]:
    return dict(plain(name, value) for name, value in attributes.items() if value is not None)


def _context_of(parent: str | None) -> Any:
    found = TRACEPARENT.match(parent) if parent is not None else None
    if found is None:
        return None
    flags = trace.TraceFlags(int(found[3], 16) & 1)
    of = trace.SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(of))
