"""Processor time, which tells what work costs also where others share the machine (Linux: read from /proc)."""

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PARENT, _OWN, _OF_CHILDREN = 1, slice(11, 13), slice(13, 15)
"""Fields of /proc/PID/stat, counted from behind the command's name."""


def seconds_of(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    return sum(map(int, _fields(pid)[_OWN])) * _TICK


def seconds_of_server(pid: int) -> float:
    """Return the processor seconds that a server and its children have used, those that have ended among them."""
    own = _fields(pid)
    ticks = sum(map(int, (*own[_OWN], *own[_OF_CHILDREN])))
    return ticks * _TICK + sum(_of_children(pid))


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
