"""Who calls: an agency, through a credential that carries roles, and may be narrowed to some of their scopes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

Scope = str
"""One thing that can be asked, such as handoffs:accept."""


class Role(StrEnum):
    """What a credential may be used for."""

    SENDER = "sender"
    RECEIVER = "receiver"
    COORDINATOR = "coordinator"
    OPERATOR = "operator"
    PROTECTION_OFFICER = "protection_officer"
    """Answers for the rights of persons: restricts, exports, holds and erases what is kept on them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An agency acting through one of its credentials: a key, a certificate, or a token of its issuer."""

    agency_code: str
    roles: frozenset[Role]
    key_id: UUID
    """Which of the credentials, as the audit names it."""
    scopes: frozenset[Scope] | None = None
    """What it is narrowed to; None is all that its roles may do."""
    acting: frozenset[Role] = field(default=frozenset(), compare=False)
    """Those of its roles that what it asks for is open to; none where nothing in particular is asked."""
    request_id: str | None = field(default=None, compare=False)
    """The request in which it acts."""
    lineage_id: UUID | None = field(default=None, compare=False)
    """The first of the keys that this one was rotated from, which stays the same; None is the key itself."""
    person: str | None = field(default=None, compare=False)
    """Who acts by name, where what they call with says so."""
    ends_soon_at: datetime | None = field(default=None, compare=False)
    """When the key expires, if that is soon; real time."""

    @property
    def holder_id(self) -> UUID:
        """Give what stays the same for whoever holds the key, however often it is rotated."""
        return self.lineage_id or self.key_id

    @property
    def may_receive(self) -> bool:
        """Say whether the key may see what its agency's handoffs disclose."""
        return Role.RECEIVER in self.roles

    def may(self, *roles: Role) -> bool:
        """Say whether the key carries one of these roles."""
        return not self.roles.isdisjoint(roles)

    def reaches(self, scope: Scope) -> bool:
        """Say whether the credential, narrowed or not, still holds a scope."""
        return self.scopes is None or scope in self.scopes
