"""How a change that waits for a second person is shown, and answered with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.validation import Answer
from app.domain.proposals import Hands, Proposal
from app.domain.webhook import PUBLIC_PREFIX


class HandsView(Answer):
    """Who did something."""

    agency: str
    key_id: UUID
    person: str | None = Field(description="Where what was called with says so.")

    @classmethod
    def of(cls, hands: Hands) -> "HandsView":
        """Show who it was."""
        return cls(agency=hands.agency_code, key_id=hands.key_id, person=hands.person)


class ProposalView(Answer):
    """A change that waits for a second person, or did."""

    id: UUID
    kind: str = Field(
        examples=[
            "document.publish",
            "endpoint.register",
            "endpoint.change",
            "endpoint.rotate_secret",
            "endpoint.put_tls",
        ]
    )
    agency: str | None = Field(description="Whose it is; null is the operators'.")
    endpoint_id: UUID | None = Field(description="Of a proposal about an endpoint, which may not be there yet.")
    what: dict[str, Any] = Field(description="What is asked for, without anything secret.")
    state: str = Field(
        examples=["pending", "confirmed", "refused", "withdrawn", "expired", "superseded", "outdated"],
        description="All but `pending` are for good.",
    )
    proposed_by: HandsView | None = Field(description="Null is the operator's command line.")
    proposed_at: datetime
    expires_at: datetime
    decided_by: HandsView | None = Field(description="Who ended it; null where nobody did.")
    decided_at: datetime | None
    superseded_by: UUID | None = Field(description="The proposal that took its place.")

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposalView":
        """Show a proposal."""
        return cls(
            id=proposal.id,
            kind=proposal.kind.value,
            agency=proposal.agency_code,
            endpoint_id=UUID(proposal.subject) if proposal.agency_code else None,
            what=dict(proposal.what),
            state=proposal.state.value,
            proposed_by=proposal.proposed_by and HandsView.of(proposal.proposed_by),
            proposed_at=proposal.proposed_at,
            expires_at=proposal.expires_at,
            decided_by=proposal.decided_by and HandsView.of(proposal.decided_by),
            decided_at=proposal.decided_at,
            superseded_by=proposal.superseded_by,
        )


class SigningProposal(ProposalView):
    """A proposal with what the receiver will verify by once it is confirmed."""

    secret: str | None = Field(description="The HMAC secret (whsec_...), shown this once; null for ed25519.")
    public_key: str | None = Field(description="The ed25519 key (whpk_...); null for HMAC.")

    def __repr__(self) -> str:
        return "SigningProposal(...)"


PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ProposalView,
        "description": "Where the operator asks for a second person: nothing is changed, and this waits for them.",
    }
}
SIGNING_PROPOSED: dict[int | str, dict[str, Any]] = {202: {**PROPOSED[202], "model": SigningProposal}}


def proposed(proposal: Proposal) -> JSONResponse:
    """Answer that a change waits for its second person."""
    return JSONResponse(ProposalView.of(proposal).model_dump(mode="json"), 202)


def signing_proposed(proposal: Proposal, verified_by: str | None) -> JSONResponse:
    """Answer the same, with what the receiver will verify by, this once."""
    public = verified_by is not None and verified_by.startswith(PUBLIC_PREFIX)
    shown = SigningProposal(
        **dict(ProposalView.of(proposal)),
        secret=None if public else verified_by,
        public_key=verified_by if public else None,
    )
    return JSONResponse(shown.model_dump(mode="json"), 202)
