"""How an agency is told: by webhook, by mail, or in the console where its people look.

An endpoint's address says which of the first two it is. Sources: RFC 6068 (mailto), RFC 5321 (4.1.2, 4.5.3.1).
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from app.domain.errors import Fault

LONGEST_LOCAL, LONGEST_MAILBOX = 64, 254
MAILTO = "mailto:"

_LOCAL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_+-]|\.(?!\.))*(?<!\.)")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LAST_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class Channel(StrEnum):
    """A way to tell an agency something."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    CONSOLE = "console"
    """Nothing is sent: its people look there themselves."""


def channel_of(url: str) -> Channel:
    """Say by which way an endpoint of this URL is told."""
    return Channel.MAIL if url[: len(MAILTO)].lower() == MAILTO else Channel.WEBHOOK


def mailbox_of(url: str) -> str:
    """Give the mail address of a mailto URL that has no faults."""
    return url[len(MAILTO) :]


def faults_of_mailbox(url: str) -> Iterator[Fault]:
    """Say what keeps a mailto URL from being an endpoint, never repeating it.

    It is one plain address: no second recipient, no headers, nothing that would have to be quoted or escaped.
    """
    address = mailbox_of(url)
    local, _, host = address.rpartition("@")
    labels = host.split(".")
    whole = len(address) <= LONGEST_MAILBOX and len(local) <= LONGEST_LOCAL and len(labels) > 1
    if not (whole and _LOCAL.fullmatch(local) and all(map(_LABEL.fullmatch, labels)) and _is_name(labels[-1])):
        yield Fault("/url", "mail_address", "this is not one plain mail address, such as mailto:office@agency.example")


def _is_name(last: str) -> bool:
    # What ends in a number is the address of a host and no name.
    return _LAST_LABEL.fullmatch(last) is not None
