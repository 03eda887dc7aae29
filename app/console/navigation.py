"""Where a person can go from every page, by their roles."""

from dataclasses import dataclass

from app.domain.caller import Caller, Role


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the main menu: a page, what it is called (a key of the words), and for whom it is."""

    path: str
    words: str
    roles: frozenset[Role]

    def is_at(self, path: str) -> bool:
        """Say whether a page lies below this one."""
        return path == self.path or path.startswith(f"{self.path}/")


_OPERATES = frozenset({Role.OPERATOR})
_SEES_TO_IT = frozenset({Role.COORDINATOR, Role.OPERATOR})

MENU: tuple[Item, ...] = (
    Item("/console/handoffs", "handoffs.navigation", frozenset({Role.RECEIVER})),
    Item("/console/referrals", "referrals.navigation", frozenset({Role.SENDER})),
    Item("/console/service-requests", "service_requests.navigation", _SEES_TO_IT),
    Item("/console/reach", "reach.navigation", _SEES_TO_IT),
    Item("/console/endpoints", "endpoints.navigation", _OPERATES),
    Item("/console/agreements", "agreements.navigation", _OPERATES),
    Item("/console/audit", "audit.navigation", _OPERATES),
    Item("/console/persons", "persons.navigation", _OPERATES),
)
"""The main menu, in its order."""


def menu_of(caller: Caller) -> list[Item]:
    """List where a person can go."""
    return [item for item in MENU if caller.may(*item.roles)]
