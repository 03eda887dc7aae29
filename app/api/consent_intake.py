"""Whose consent a case has, as a sender's system writes it: its basis, its time, what it is for and not for."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from app.api.intake_types import AgencyCode, FutureMoment, Line, PastMoment, Relation, ServiceType, Text, once
from app.api.validation import Body, Flag, JudgedBody, fault
from app.domain.consent import Consent as SaidConsent
from app.domain.consent import ConsentBasis, Law, is_excluded

_BASES = frozenset(basis.value for basis in ConsentBasis) - {ConsentBasis.NONE.value}
_ONLY_WITH: Mapping[str, frozenset[str]] = {
    "relation": frozenset({ConsentBasis.GUARDIAN.value}),
    "law": frozenset({ConsentBasis.CHILD_BEST_INTEREST.value, ConsentBasis.LEGAL_DUTY.value}),
    "expires_at": _BASES,
    "agencies": _BASES,
}
"""With which bases a member of a consent goes alone."""


class Contact(Body):
    """A way to reach somebody safely. `instructions` says when and how, and what must not be said to others."""

    phone: Line | None = None
    email: Line | None = None
    address: Text | None = None
    instructions: Text | None = None


class Guardian(Body):
    """Who cares for the victim. Unless `is_perpetrator` is false, receivers are told not to contact them.

    One who is the perpetrator or in conflict cannot consent, and no receiver is shown how to reach them.
    """

    name: Line | None = None
    relation: Relation | None = None
    contact: Contact | None = None
    is_perpetrator: Flag | None = None
    in_conflict: Flag | None = Field(
        None, description="Their interest is against the victim's: they shield who did it."
    )


class Consent(JudgedBody):
    """On what basis the case may be passed on. Basis `none` must be said: then only an emergency moves.

    A child's own word alone (basis `victim`, age below 18) moves nothing but an emergency: it takes a parent or
    guardian, or the best interest of the child where the guardian is the perpetrator or in conflict.
    """

    basis: ConsentBasis
    given_at: PastMoment | None = None
    relation: Relation | None = Field(None, description="What the guardian who gave it is to the victim. Sealed.")
    law: Law | None = Field(None, description="The law that a best interest of the child or a legal duty rests on.")
    expires_at: FutureMoment | None = Field(
        None, description="When it ends; the sender is reminded before. Absent: until it is withdrawn."
    )
    services: Annotated[tuple[ServiceType, ...], Field(min_length=1), once] | None = Field(
        None, description="The services it is for; absent is all that are asked for."
    )
    services_refused: Annotated[tuple[ServiceType, ...], Field(max_length=30), once] = Field(
        (), description="The services it is not for; these move in no emergency either."
    )
    agencies: Annotated[tuple[AgencyCode, ...], Field(min_length=1, max_length=200), once] | None = Field(
        None, description="The only agencies it is for; absent is any that is not refused."
    )
    agencies_refused: Annotated[tuple[AgencyCode, ...], Field(max_length=200), once] = ()

    @classmethod
    def contradictions(cls, said: Mapping[str, Any]) -> Iterable[PydanticCustomError]:
        """Find a consent without a time, one that is none and yet for something, and what is both in it and out."""
        # What is no text is refused by its own name; everything else is judged all the same.
        basis = given if isinstance(given := said.get("basis"), str) else None
        if basis in _BASES and said.get("given_at") is None:
            yield fault("required", at=("given_at",))
        if basis in (*_BASES, ConsentBasis.NONE.value):
            wrong = (name for name, bases in _ONLY_WITH.items() if said.get(name) is not None and basis not in bases)
            yield from (fault("contradiction", at=(name,)) for name in wrong)
        for chosen, refused in (("services", "services_refused"), ("agencies", "agencies_refused")):
            listed, out = _list(said, chosen), _list(said, refused)
            yield from (fault("contradiction", at=(refused, place)) for place, one in enumerate(out) if one in listed)

    def said(self, guardian: Guardian | None) -> SaidConsent:
        """Give what routing and access go by."""
        return SaidConsent(
            basis=self.basis,
            services=None if self.services is None else frozenset(self.services),
            services_refused=frozenset(self.services_refused),
            expires_at=self.expires_at,
            law=self.law,
            guardian_excluded=guardian is not None and is_excluded(guardian.model_dump()),
        )


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    listed = said.get(name)
    return listed if isinstance(listed, list) else []
