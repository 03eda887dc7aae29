"""A request as a part of its caller's trace: by the traceparent that it carries, or one of our own."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from app import tracing
from app.api.middleware import method_of


class Traced:
    """Tells of each request, but those for health; what was asked is not told, nor by whom."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/health/"):
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        status = 499

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = method_of(scope)
        with tracing.span(method, "server", parent=_given(scope), http__request__method=method) as span:
            try:
                with bound_contextvars(trace_id=span.trace_id):
                    await self.app(scope, receive, answered)
            finally:
                route = getattr(scope.get("route"), "path_format", None) or "unmatched"
                desk = state.get("desk")
                span.name(f"{method} {route}")
                span.say(
                    http__route=route,
                    http__response__status_code=status,
                    lintas__request_id=state.get("request_id"),
                    lintas__referral_id=next(iter(desk.told_of), None) if desk is not None else None,
                )
                if status >= 500:
                    span.fail()


def _given(scope: Scope) -> str | None:
    given = [value for name, value in scope["headers"] if name == b"traceparent"]
    text = given[0].decode("latin-1") if len(given) == 1 else ""
    return text if tracing.is_traceparent(text) else None
