"""Who is behind a connection on this machine, as Linux tells it."""

from pathlib import Path


def process_behind(port: int) -> int | None:
    """Give the process whose end of a loopback connection has this port; None where there is none to be seen."""
    inode = _socket_at(port)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(str(descriptor.readlink()) == wanted for descriptor in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    return None


def _socket_at(port: int) -> str | None:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port and fields[9] != "0":
            return fields[9]
    return None
