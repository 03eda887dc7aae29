"""Processor time, which tells what work costs also where others share the machine (Linux: read from /proc)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PARENT, _OF_CHILDREN = 1, slice(13, 15)
"""Fields of /proc/PID/stat, counted from behind the command's name."""
_SCHEDULED = 2
"""Which clock of a process it is (clock_getcpuclockid(3), for which Python has no function)."""


def seconds_of(pid: int) -> float:
    """Return the processor seconds that a process has used, far finer than the ticks of /proc; OSError if it ended."""
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def seconds_of_server(pid: int) -> float:
    """Return the processor seconds that a server and its children have used, those that have ended among them."""
    ended = sum(map(int, _fields(pid)[_OF_CHILDREN])) * _TICK
    return ended + seconds_of(pid) + sum(_of_children(pid))


def _of_children(pid: int) -> Iterator[float]:
    for place in PROC.iterdir():
        if place.name.isdigit():
            try:
                if int(_fields(int(place.name))[_PARENT]) == pid:
                    yield seconds_of(int(place.name))
            except (OSError, IndexError):
                continue  # it has ended meanwhile


def _fields(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
