"""An agency's own system, in a process of its own: it checks each webhook, keeps it, and answers its handoffs.

It says on standard output which port it listens on, reads its orders as one JSON line, and ends when its input does.
"""

import contextlib
import http.client
import json
import queue
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

HOST = "127.0.0.1"
ACCEPT, DECLINE, SILENT = "accept", "decline", "silent"
"""What an agency may do with an offer."""
OFFERED, NEEDS_COORDINATOR = "handoff.offered", "service_request.needs_coordinator"
VERIFICATION = "endpoint.verification"
PLAN_WITHIN, LOOK_EVERY = 30.0, 0.02
AGAIN_AFTER, TIMES = 0.3, 10
PASSING = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Orders:
    """Who the receiver is, and how it is to behave."""

    agency: str
    key: str
    secret: str
    port: int
    """Of Lintas, on this machine."""
    record: str
    """The file that every verified webhook is kept in, a JSON line each."""
    plans: str
    """The directory in which a file named by each referral says who declines what, and who stays silent."""
    failures: int = 0
    """How often the first emergency's offer is answered with 500."""
    drops: str | None = None
    """A type of news of which the first is answered with 2xx and forgotten."""


class Lintas:
    """The API as this agency calls it: one connection, its own key, and patience where Lintas asks for it."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=30)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def get(self, path: str) -> dict[str, Any]:
        """Read something."""
        return self._call("GET", path, None, {})

    def post(self, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """Do something once, however often it has to be said."""
        content = json.dumps(body).encode() if body else None
        return self._call("POST", path, content, {"Idempotency-Key": path.replace("/", "-")})

    def _call(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        for _ in range(TIMES):
            try:
                self._connection.request(method, f"/v1{path}", content, self._headers | headers)
                answer = self._connection.getresponse()
                status, text = answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                status, text = 503, b""
            if status not in PASSING:
                break
            time.sleep(AGAIN_AFTER)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path} was answered with {status}: {text.decode()[:300]}")
        found: dict[str, Any] = json.loads(text)
        return found


class Receiver:
    """What the agency's system remembers and does."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._webhook = Webhook(orders.secret)
        self._lintas = Lintas(orders.port, orders.key)
        self._record = Path(orders.record).open("a", encoding="utf-8")  # noqa: SIM115 - kept open while it runs
        self._seen: set[str] = set()
        self._failed: dict[str, int] = {}
        self._dropped: str | None = None
        self._lock = threading.Lock()
        self._todo: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take one post and give the status to answer with; what is new is kept before it is answered."""
        try:
            news: dict[str, Any] = self._webhook.verify(body, headers)
        except WebhookVerificationError as error:
            complain(f"a webhook was refused: {error}")
            return 401
        id_ = headers["webhook-id"]
        with self._lock:
            if id_ in self._seen:
                return 204
            if self._fails(id_, news):
                return 500
            if self._drops(id_, news):
                return 204
            self._seen.add(id_)
            if news["type"] == VERIFICATION:
                # It holds what proves that this address is ours: not for a record.
                self._todo.put(news)
                return 204
            self._record.write(json.dumps({"id": id_, **news}) + "\n")
            self._record.flush()
        self._todo.put(news)
        return 204

    def _fails(self, id_: str, news: dict[str, Any]) -> bool:
        emergency = news["type"] == OFFERED and news["data"]["urgency"] == "emergency"
        if not emergency or (self._failed and id_ not in self._failed):
            return False
        times = self._failed.get(id_, 0)
        self._failed[id_] = times + 1
        return times < self._orders.failures

    def _drops(self, id_: str, news: dict[str, Any]) -> bool:
        if self._dropped is None and news["type"] == self._orders.drops:
            self._dropped = id_
        return id_ == self._dropped

    def answer_all(self) -> None:
        """Answer, one after the other, what was taken; never ends."""
        while True:
            news = self._todo.get()
            try:
                if news["type"] == VERIFICATION:
                    endpoint_id, challenge = news["data"]["endpoint_id"], news["data"]["challenge"]
                    self._lintas.post(f"/endpoints/{endpoint_id}/verify", {"challenge": challenge})
                elif news["type"] == OFFERED:
                    self._answer_offer(news["data"]["handoff_id"])
                elif news["type"] == NEEDS_COORDINATOR:
                    self._acknowledge(news["data"]["service_request_id"])
            except Exception as error:  # noqa: BLE001 - the next one is answered all the same
                complain(f"{news['type']}: {error}")

    def _answer_offer(self, handoff_id: str) -> None:
        path = f"/handoffs/{handoff_id}"
        handoff = self._lintas.get(path)
        # The sender and a coordinator are told of an offer too, and an agency may hear of one twice.
        if handoff["agency"] != self._orders.agency or "accept" not in handoff["available_actions"]:
            return
        does = self._planned(handoff["referral_id"]).get(handoff["service_type"], {}).get(self._orders.agency, ACCEPT)
        if does == DECLINE:
            self._lintas.post(f"{path}/decline", {"reason": "no_capacity"})
        elif does == ACCEPT:
            self._lintas.post(f"{path}/accept")
            self._lintas.post(f"{path}/start")
            self._lintas.post(f"{path}/complete", {"outcome": "service_given"})

    def _planned(self, referral_id: str) -> dict[str, dict[str, str]]:
        """Wait until somebody at the agency knows what to do: the sender has the 201 a moment after the webhook."""
        plan = Path(self._orders.plans, referral_id)
        until = time.monotonic() + PLAN_WITHIN
        while not plan.exists():
            if time.monotonic() > until:
                raise RuntimeError(f"there is no plan for the referral {referral_id}")
            time.sleep(LOOK_EVERY)
        found: dict[str, dict[str, str]] = json.loads(plan.read_text())
        return found

    def _acknowledge(self, request_id: str) -> None:
        path = f"/service-requests/{request_id}"
        request = self._lintas.get(path)
        if self._orders.agency in request["coordinators"] and request["acknowledged_at"] is None:
            self._lintas.post(f"{path}/acknowledge")


def complain(what: str) -> None:
    """Write to the receiver's log, which is empty if all is well."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def main() -> None:
    """Run until standard input ends."""

    class Post(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            if status != 204:
                self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            complain(f"a post could not be taken: {sys.exc_info()[1]!r}")

    server = Server((HOST, 0), Post)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        return
    receiver = Receiver(Orders(**json.loads(line)))
    threading.Thread(target=receiver.answer_all, daemon=True).start()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()


if __name__ == "__main__":
    main()
