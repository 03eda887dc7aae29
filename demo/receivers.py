"""The receivers of all agencies: started together, given their orders, asked for their records, ended together."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.receiver import HOST, Orders

PROJECT = Path(__file__).parents[1]
ENDS_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Verified:
    """A webhook as the receiver's own record has it."""

    id: str
    type: str
    data: Mapping[str, Any]


class Receivers:
    """A process for each agency; none of them outlives this one, for they end when their input does."""

    def __init__(self, directory: Path, agencies: Iterable[str]) -> None:
        self._directory = directory
        self.plans = directory / "plans"
        self.plans.mkdir(parents=True)
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._ports: dict[str, int] = {}
        try:
            for agency in agencies:
                self._processes[agency] = self._start(agency)
        except BaseException:
            self.stop()
            raise

    def _start(self, agency: str) -> subprocess.Popen[str]:
        with self._log(agency).open("w") as log:
            # In a session of its own: Ctrl-C is for us to hear, and we end the receivers.
            return subprocess.Popen(
                [sys.executable, "-m", "demo.receiver"],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    @property
    def agencies(self) -> list[str]:
        """List the agencies that have a receiver."""
        return list(self._processes)

    def url(self, agency: str) -> str:
        """Give the address an agency's receiver listens on, once it does."""
        if agency not in self._ports:
            out = self._processes[agency].stdout
            said = out.readline() if out else ""
            if not said.strip().isdigit():
                raise RuntimeError(f"the receiver of {agency} did not start: {self._log(agency).read_text()}")
            self._ports[agency] = int(said)
        return f"http://{HOST}:{self._ports[agency]}/"

    def order(
        self, agency: str, *, key: str, secret: str, port: int, failures: int = 0, drops: str | None = None
    ) -> None:
        """Tell a receiver who it is; from now on it takes webhooks."""
        orders = Orders(agency, key, secret, port, str(self._record(agency)), str(self.plans), failures, drops)
        into = self._processes[agency].stdin
        if into is not None:
            into.write(json.dumps(asdict(orders)) + "\n")
            into.flush()

    def plan(self, referral_id: str, does: Mapping[str, Mapping[str, str]]) -> None:
        """Say what each agency does with an offer of each service of a referral; who is not named accepts."""
        written = self.plans / f"{referral_id}.new"
        written.write_text(json.dumps(does))
        written.rename(self.plans / referral_id)

    def verified(self, agency: str) -> list[Verified]:
        """Read an agency's own record."""
        record = self._record(agency)
        if not record.exists():
            return []
        lines = (json.loads(line) for line in record.read_text().splitlines())
        return [Verified(line["id"], line["type"], line["data"]) for line in lines]

    def complaints(self) -> list[str]:
        """List what the receivers had to complain of, and how often."""
        said = Counter(
            f"{agency}: {line}" for agency in self._processes for line in self._log(agency).read_text().splitlines()
        )
        return [f"{line} ({times} times)" if times > 1 else line for line, times in said.items()]

    def stop(self) -> None:
        """End all of them."""
        for process in self._processes.values():
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.close()
        for process in self._processes.values():
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _log(self, agency: str) -> Path:
        return self._directory / f"{agency}.log"

    def _record(self, agency: str) -> Path:
        return self._directory / f"{agency}.jsonl"
