"""Runs many commands as processes of their own, each forked off one that has read the program: a start each is dear.

It reads one JSON line for each command, `[file for the output, arguments]`, and answers with its exit code.
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from app import cli


def _run(output: str, arguments: list[str]) -> NoReturn:
    there = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(there, stream)
    sys.argv = ["lintas", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        # As the interpreter ends: what is no number is said on standard error.
        if ended.code is not None and not isinstance(ended.code, int):
            sys.stderr.write(f"{ended.code}\n")
            ended.code = 1
        _leave(ended.code or 0)
    except BaseException:  # noqa: BLE001 - what the interpreter would do
        sys.excepthook(*sys.exc_info())
        _leave(1)
    _leave(0)


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Run what is asked for until standard input ends."""
    for line in sys.stdin:
        output, arguments = json.loads(line)
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        child = os.fork()
        if child == 0:
            _run(output, arguments)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
