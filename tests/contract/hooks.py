"""What schemathesis loads beside itself: cases that get somewhere, what may be refused, and a count of it all."""

import json
import os
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis import cli
from schemathesis.engine import Status, events
from schemathesis.generation.meta import StatefulPhaseData
from schemathesis.openapi.checks import RejectedPositiveData

from tests.contract.beyond import unsayable

DESCRIPTION = Path(__file__).parents[2] / "openapi" / "openapi.json"
KEY = "Idempotency-Key"
FITS = re.compile("[ -~]{1,255}")
BEGINS = "submit_referral"
REFERRAL = json.loads(DESCRIPTION.read_text())["components"]["schemas"]["ReferralSubmission"]["examples"][0]
"""What a chain of links begins with: what is drawn is mostly refused, and a refusal leads nowhere."""
KEPT = 400
"""How much of an answer is kept beside a failure."""
ASKING = frozenset(os.environ["CONTRACT_KEYS"].split())
"""The keys that ask: who rotates or revokes one of them ends what follows."""
NOBODYS = "01955f1c-0000-7000-8000-00000000ffff"
_asked = count(1)

schemathesis.openapi.format("date", strategies.dates(date(1900, 1, 1), date(2199, 12, 31)).map(str))
schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=strategies.just(UTC)).map(  # noqa: DTZ001
        lambda moment: moment.isoformat()
    ),
)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - the names that are called by
    """Give each case a key of its own: drawn ones are mostly alike, and are answered that they were used before."""
    number = next(_asked)
    if FITS.fullmatch(str((case.headers or {}).get(KEY, ""))):
        case.headers[KEY] = _own(case.headers[KEY], f"{os.getpid()}-{number}")
    if (case.path_parameters or {}).get("key_id") in ASKING:
        case.path_parameters["key_id"] = NOBODYS
    if case.meta is None or any(part.mode.is_negative for part in case.meta.components.values()):
        return
    if case.operation.definition.raw["operationId"] == BEGINS and isinstance(case.meta.phase.data, StatefulPhaseData):
        case.body = REFERRAL | {"urgency": case.body["urgency"], "sender_reference": f"{os.getpid()}/{number}"}


def _own(key: str, number: str) -> str:
    """Make a key nobody else's, as long as it was where that is long enough: its length may be what is tried."""
    return f"{key[: max(0, len(key) - len(number))]}{number}"


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ARG001 - as above
    """Let a request that fits be refused for what its schema could not say."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in {400, 422}:
        return True
    return not unsayable(json.loads(response.content), case.body)


@cli.handler()
class Counting(cli.EventHandler[Any]):
    """Counts cases, checks, answers, failures and the links that were followed, and writes them at the end."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.operations: set[str] = set()
        self.failures: list[dict[str, Any]] = []
        self.cases: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.checks: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.links: Counter[str] = Counter()

    def handle_event(self, ctx: Any, event: events.EngineEvent) -> None:  # noqa: ARG002 - the names that are called by
        """Count the cases of a scenario that has ended."""
        if isinstance(event, events.ScenarioFinished):
            self._count(event)

    def shutdown(self, ctx: Any) -> None:  # noqa: ARG002 - as above
        """Write the counts where the environment says."""
        counters = {name: getattr(self, name) for name in ("cases", "seconds", "checks", "answers", "links")}
        told = {"operations": len(self.operations), **counters, "failures": self.failures}
        Path(os.environ["CONTRACT_COUNTS"]).write_text(json.dumps(told, indent=1))

    def _count(self, event: events.ScenarioFinished) -> None:
        phase = event.phase.value
        self.seconds[phase] += event.elapsed_time
        for name, node in event.recorder.cases.items():
            interaction = event.recorder.interactions.get(name)
            if interaction is None or interaction.response is None:
                continue
            label, status = node.value.operation.label, interaction.response.status_code
            self.operations.add(label)
            self.cases[phase] += 1
            self.answers[f"{phase} {label} {status}"] += 1
            if node.transition is not None and node.is_transition_applied:
                self.links[f"{node.transition.id} {'taken' if status < 300 else 'refused'}"] += 1
            for check in event.recorder.checks.get(name, ()):
                self.checks[check.name] += 1
                if check.status is Status.FAILURE and check.failure_info is not None:
                    self.failures.append(
                        {
                            "phase": phase,
                            "check": check.name,
                            "operation": label,
                            "status": status,
                            "failure": str(check.failure_info.failure),
                            "request": check.failure_info.code_sample,
                            "answer": interaction.response.content[:KEPT].decode(errors="replace"),
                        }
                    )
