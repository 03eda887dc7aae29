"""The version a change was made from, so that nobody overwrites what they have not seen."""

from dataclasses import dataclass

from app.domain.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions a caller is content to change; None is whichever is there."""

    versions: frozenset[int] | None

    def check(self, version: int) -> None:
        """Let the change go on if it was made from this version, else PreconditionFailed."""
        if self.versions is not None and version not in self.versions:
            raise PreconditionFailed
