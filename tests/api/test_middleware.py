"""What every answer carries, and what the log says of it."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from prometheus_client import generate_latest
from pydantic import BaseModel

from app import metrics
from app.api.dependencies import RequestId
from app.api.route import v1_router
from app.domain.caller import Role
from app.observability import configure_logging, hear_what_nobody_catches
from tests.conftest import ClientFactory, KeyFactory

router = v1_router("people")


@router.get("/people/{name}")
async def read_person(name: str, request_id: RequestId, q: str = "") -> dict[str, str]:
    """Read about a person, unless it breaks."""
    if name == "broken":
        raise LookupError(f"canary-message {name} {q}")
    return {"request_id": request_id}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(level="DEBUG", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook = hook


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("given", [str(uuid4()), uuid4().hex, "01JQZXW8M4T6Y2B3C5D7E9F0GH"])
async def test_a_well_formed_request_id_is_taken_and_answered_back(
    a_client: ClientFactory, a_key: KeyFactory, given: str
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.get("/v1/people/x", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given
    assert answer.json() == {"request_id": given}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Siti Aminah",
        "3201234567890123",
        "32012345678901233201234567890124",
        "32012345-6789-0123-3201-234567890124",
        "32012345678901233201234567",
        "a" * 33,
        "x\ty",
        "' OR 1=1",
    ],
)
async def test_anything_else_is_replaced(a_client: ClientFactory, a_key: KeyFactory, given: str) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.get("/v1/people/x", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 36


async def test_every_answer_keeps_browsers_and_caches_away(a_client: ClientFactory) -> None:
    client = await a_client(router)

    for path in ("/v1/people/x", "/nowhere", "/health/live", "/openapi.json"):
        headers = (await client.get(path, headers={"Origin": "https://elsewhere.test"})).headers
        # The contract is everybody's, and is asked for anew each time.
        assert headers["Cache-Control"] == ("public, no-cache" if path == "/openapi.json" else "no-store")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Access-Control-Allow-Origin" not in headers
        assert len(headers.get_list("Cache-Control")) == 1


async def test_the_log_names_the_route_and_nothing_that_was_sent(
    a_client: ClientFactory, a_key: KeyFactory, log: io.StringIO
) -> None:
    key = await a_key("dp3a-kukar", Role.SENDER)
    client = await a_client(router, key=key)

    answers = [
        await client.get("/v1/people/canary-path?q=canary-query", headers={"User-Agent": "canary-agent"}),
        await client.get("/canary-unknown"),
        await client.request("CANARY-METHOD", "/v1/people/x"),
        await client.get("/v1/people/broken"),
    ]

    assert [answer.status_code for answer in answers] == [200, 404, 405, 500]
    assert "canary" not in log.getvalue().lower()
    assert key not in log.getvalue()
    first, *_ = [line for line in lines(log) if line["event"] == "request"]
    assert first["route"] == "/v1/people/{name}"
    assert (first["status"], first["agency"], first["method"]) == (200, "dp3a-kukar", "GET")
    assert first["request_id"] == answers[0].headers["X-Request-Id"]
    (broke,) = [line for line in lines(log) if line["event"] == "request_broke"]
    assert broke["error"] == "LookupError"
    assert "read_person" in str(broke["frames"])
    assert broke["request_id"] == answers[3].headers["X-Request-Id"]


@pytest.mark.parametrize("method", ["CANARYSITI", "CANARY-3201010101010001"])
async def test_a_method_that_somebody_made_up_stands_in_no_log_and_in_no_metric(
    a_client: ClientFactory, log: io.StringIO, method: str
) -> None:
    client = await a_client(router)

    answer = await client.request(method, "/v1/people/x")

    assert answer.status_code == 405
    assert method not in log.getvalue()
    assert method not in generate_latest(metrics.REGISTRY).decode()


def test_a_field_of_unknown_name_or_kind_is_withheld(log: io.StringIO) -> None:
    structlog.get_logger().info("looked", referral_id=uuid4(), name="Siti", state={"name": "Siti"}, count=2)

    (line,) = lines(log)
    assert line["withheld"] == 2
    assert line["count"] == 2
    assert len(str(line["referral_id"])) == 36
    assert "Siti" not in log.getvalue()


def test_other_libraries_are_heard_without_what_they_fill_in(log: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    library.warning("cannot read %s", "Siti")
    library.warning("cannot read: Siti")
    library.error("broke for %s", "Siti", exc_info=ValueError("Siti"))
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)

    first, second, third, fourth = lines(log)
    assert first["event"] == "cannot read %s"
    assert second["event"] == "cannot read"
    assert third["error"] == "ValueError"
    assert fourth["event"] == "Started server process [7]"
    assert "Siti" not in log.getvalue()


def test_what_nobody_caught_is_logged_by_name_alone(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    error = LookupError("Siti")
    sys.excepthook(type(error), error, error.__traceback__)

    (line,) = lines(log)
    assert (line["event"], line["error"], line["level"]) == ("uncaught", "LookupError", "critical")
    assert "Siti" not in log.getvalue() + capsys.readouterr().err


@pytest.fixture
def hooks(log: io.StringIO) -> Iterator[io.StringIO]:
    """The log, with what nobody catches in it."""
    before = sys.unraisablehook, threading.excepthook, warnings.showwarning
    hear_what_nobody_catches()
    yield log
    sys.unraisablehook, threading.excepthook, warnings.showwarning = before


class Unread(BaseModel):
    name: int


class BreaksWhenClearedAway:
    def __del__(self) -> None:
        raise LookupError("Siti")


def test_what_breaks_in_a_thread_or_when_it_is_cleared_away_is_logged_by_name_alone(
    hooks: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(name: str) -> None:
        raise LookupError(name)

    thread = threading.Thread(target=breaks, args=("Siti",))
    thread.start()
    thread.join()
    BreaksWhenClearedAway()

    assert [(line["event"], line["error"]) for line in lines(hooks)] == [
        ("uncaught", "LookupError"),
        ("unraisable", "LookupError"),
    ]
    assert "Siti" not in hooks.getvalue() + "".join(capfd.readouterr())


def test_a_warning_is_logged_by_its_kind_and_place_and_without_the_value_it_names(
    hooks: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        Unread.model_construct(name="Siti").model_dump_json()  # type: ignore[arg-type]

    (line,) = lines(hooks)
    assert (line["event"], line["kind"]) == ("warned", "UserWarning")
    assert "pydantic" in str(line["at"])
    assert "Siti" not in hooks.getvalue() + "".join(capfd.readouterr())


def test_what_is_written_for_a_person_at_a_terminal_holds_no_more(log: io.StringIO) -> None:
    configure_logging(level="DEBUG", console=True, stream=log)
    error = LookupError("Siti")

    structlog.get_logger().error("broke", name="Siti", referral={"name": "Siti"}, count=1, exc_info=error)
    logging.getLogger("some.library").error("broke for %s", "Siti", exc_info=error)

    assert "LookupError" in log.getvalue()
    assert "Siti" not in log.getvalue()


async def test_head_is_answered_wherever_get_is_with_the_same_headers_and_no_body(
    a_client: ClientFactory, a_key: KeyFactory, log: io.StringIO
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    for path, status in (
        ("/v1/people/x", 200),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/openapi.json", 200),
        ("/docs", 200),
        ("/v1/nowhere", 404),
    ):
        got, head = await client.get(path), await client.head(path)
        assert (got.status_code, head.status_code) == (status, status), path
        assert head.content == b""
        assert int(head.headers["Content-Length"]) > 0
        assert set(head.headers) == set(got.headers)
    logged = [line["route"] for line in lines(log) if line["event"] == "request" and line["method"] == "HEAD"]
    assert logged[0] == "/v1/people/{name}"
