"""What an operation does in one line, taken from how it is described."""

import re

_END = re.compile(r"(?<=[\w)`'])[.;:](?=\s|\Z)")


def summary_of(description: str) -> str:
    """Give the first clause of a description: `Decline an offer`."""
    return _END.split(" ".join(description.split()), maxsplit=1)[0]
