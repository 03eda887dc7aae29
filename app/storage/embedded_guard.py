"""The process between Lintas and its embedded PostgreSQL, which ends the server as soon as Lintas has ended.

Run as a script (`python -I -S embedded_guard.py JSON`) with the standard library alone. Its standard input is a pipe
from Lintas: the pipe's end is the order to stop, whether Lintas closed it or was killed. The guard holds the lock of
the data directory until the server has gone. On Linux the kernel ends the server should the guard itself be killed.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

LOOK_EVERY = 0.25
# Fast shutdown rolls back and checkpoints; immediate leaves the rest to crash recovery, which loses nothing either.
STOPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, None))
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the server that the JSON argument describes until the parent has gone."""
    order = json.loads(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Lintas drains first and then closes the pipe: a signal sent to everything at once must not overtake it.
        signal.signal(number, _stay)
    if os.getppid() != order["parent"]:
        return 1
    server = _launch(order)
    while server.poll() is None:
        ended, _, _ = select.select([sys.stdin], [], [], LOOK_EVERY)
        # A forked child of Lintas may hold the pipe open, so the parent is asked for as well.
        if ended or os.getppid() != order["parent"]:
            _stop(server)
    return 0 if server.returncode == 0 else 1


def _launch(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the command comes from the parent, which built it itself
        order["command"],
        cwd=order["cwd"],
        env=order["env"],
        stdin=subprocess.DEVNULL,
        preexec_fn=_tie_to_this_process(),  # noqa: PLW1509 - the guard has one thread, and nothing else runs after setuid
        **order["identity"],
    )


def _tie_to_this_process() -> Callable[[], None] | None:
    """Give the step that, after the change of user, has the kernel stop the server when the guard dies."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # noqa: PLC0415 - some builds of Python lack it, and the pipe does without

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    guard = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != guard:  # it died before the kernel knew
            os._exit(1)

    return tie


def _stop(server: subprocess.Popen[bytes]) -> None:
    for number, patience in STOPS:
        server.send_signal(number)
        try:
            server.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return


def _stay(_number: int, _frame: object) -> None:
    """Do nothing; unlike SIG_IGN, a handler is not inherited by the server."""


if __name__ == "__main__":
    sys.exit(main())
