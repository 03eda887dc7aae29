"""Where a process gets the keys of its ring from, once, when it starts: a file, the environment, or a KMS."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.storage.ring_keys import HeldKeys, KeyRingInvalid, RingKeys


class KeySource(Protocol):
    """Fetches the keys of a ring. It may take its time and go over the network: nothing waits for it but the start."""

    async def fetch(self) -> RingKeys:
        """Give the keys, else KeyRingInvalid with a sentence that shows none of them."""


@dataclass(frozen=True, slots=True)
class EnvironmentKeys:
    """Keys that were handed over as JSON, by a variable."""

    text: str = field(repr=False)

    async def fetch(self) -> RingKeys:
        """Read the JSON."""
        return HeldKeys.parse(self.text)


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys in a file, as JSON."""

    path: Path

    async def fetch(self) -> RingKeys:
        """Read the file."""
        return HeldKeys.parse(read_ring_file(self.path))


def read_ring_file(path: Path) -> str:
    """Read the file of a ring, else KeyRingInvalid."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        raise KeyRingInvalid("berkas gantungan kunci bukan teks\nthe key ring file is no text") from None
    except OSError as error:
        raise KeyRingInvalid(
            f"berkas gantungan kunci tidak dapat dibaca: {error.strerror}\n"
            f"the key ring file cannot be read: {error.strerror}"
        ) from None
