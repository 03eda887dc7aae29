"""What an endpoint proves and carries: its challenge, its secrets, its own headers, its TLS identity."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, Field, StringConstraints

from app.api import examples
from app.api.dependencies import CurrentCaller
from app.api.desk import Desk
from app.api.endpoint_views import EndpointView, SignedEndpoint, show, show_signed
from app.api.etags import IfMatch
from app.api.examples import shows
from app.api.proposal_views import PROPOSED, SIGNING_PROPOSED, proposed, signing_proposed
from app.api.route import v1_router
from app.api.validation import Body, fault
from app.domain import certificates, own_headers
from app.domain.certificates import TlsGiven
from app.domain.durations import clock_time
from app.domain.own_headers import OwnHeader
from app.domain.proposals import Proposal
from app.domain.webhook import Scheme
from app.workflows import equip_endpoint, prove_endpoint

router = v1_router("endpoints")

AT_ONCE = "PT0S"


def _life(said: str) -> str:
    length = timedelta(0) if said == AT_ONCE else clock_time(said)
    if length is None or length > equip_endpoint.LONGEST_OLD_VALID_FOR:
        raise fault("secret_life")
    return said


Pem = Annotated[str, StringConstraints(min_length=1)]


class HeaderBody(Body):
    """One header of your own."""

    name: Annotated[str, Field(min_length=1, max_length=own_headers.LONGEST_NAME)] = Field(
        examples=["X-Api-Key"], json_schema_extra={"pattern": own_headers.NAME}
    )
    value: Annotated[str, Field(min_length=1, max_length=own_headers.LONGEST_VALUE)] = Field(
        description="Never shown again.", json_schema_extra={"pattern": own_headers.VALUE}
    )

    def __repr__(self) -> str:
        return "HeaderBody(...)"


class TlsBody(Body):
    """What TLS to your endpoint takes, as PEM text."""

    model_config = shows(examples.TLS)

    client_certificate: Annotated[Pem, Field(max_length=certificates.LONGEST_CHAIN)] | None = Field(
        None, description="What is shown to your server, with those that lead to its authority; needs client_key."
    )
    client_key: Annotated[Pem, Field(max_length=certificates.LONGEST_KEY)] | None = Field(
        None, description="Its private key, without a passphrase. Never shown again."
    )
    ca: Annotated[Pem, Field(max_length=certificates.LONGEST_AUTHORITIES)] | None = Field(
        None,
        description="Your own authorities: then only these are trusted for your server. Absent is the public ones.",
    )

    def __repr__(self) -> str:
        return "TlsBody(...)"

    def given(self) -> TlsGiven:
        """Give what is asked for."""
        return TlsGiven(self.client_certificate, self.client_key, self.ca)


Headers = Annotated[tuple[HeaderBody, ...], Field(max_length=own_headers.MOST)]


def own(headers: tuple[HeaderBody, ...]) -> tuple[OwnHeader, ...]:
    """Give the headers that are asked for."""
    return tuple(OwnHeader(header.name, header.value) for header in headers)


class HeadersBody(Body):
    """All headers of your own; an empty list removes them."""

    model_config = shows(examples.HEADERS)

    headers: Headers


class EndpointProof(Body):
    """What was posted to your endpoint."""

    model_config = shows(examples.PROOF)

    challenge: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="`data.challenge` of the latest `endpoint.verification`."
    )


class SecretRotation(Body):
    """How the secret is changed."""

    model_config = shows(examples.ROTATION)

    scheme: Scheme | None = Field(None, description="Absent is that of the newest secret.")
    old_valid_for: Annotated[str, AfterValidator(_life)] = Field(
        "PT24H",
        description="How long the older secrets still sign beside the new one, PT0S to P7D.",
        examples=["PT24H", "P7D", AT_ONCE],
    )

    def length(self) -> timedelta:
        """Give the time that the older secrets have left."""
        return timedelta(0) if self.old_valid_for == AT_ONCE else clock_time(self.old_valid_for) or timedelta(0)


@router.post("/endpoints/{endpoint_id}/challenge", status_code=202)
async def challenge_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Post a new challenge to an endpoint that is `unverified`; the one before it proves nothing any more.

    At most one goes out in 15 seconds. Any other endpoint stays as it is.
    """
    kept = await prove_endpoint.challenge_endpoint(desk.tx, caller, endpoint_id, now=desk.now)
    return await show(desk.tx, kept, response)


@router.post("/endpoints/{endpoint_id}/verify")
async def verify_endpoint(
    endpoint_id: UUID, body: EndpointProof, caller: CurrentCaller, desk: Desk, response: Response
) -> EndpointView:
    """Prove that the endpoint is yours, by the challenge that was posted there; what was held for it is sent.

    Until then nothing but the challenge is posted to it. A challenge is good for 72 hours and for its URL alone.
    """
    kept = await prove_endpoint.verify_endpoint(desk.tx, caller, endpoint_id, body.challenge, key_ring=desk.key_ring)
    return await show(desk.tx, kept, response)


@router.post("/endpoints/{endpoint_id}/rotate-secret", response_model=SignedEndpoint, responses=SIGNING_PROPOSED)
async def rotate_endpoint_secret(
    endpoint_id: UUID, body: SecretRotation, caller: CurrentCaller, desk: Desk, response: Response
) -> SignedEndpoint | Response:
    """Sign with a new secret from now on, and with the older ones too until their end; at most three sign at once.

    Each webhook then carries a signature for each of them, the newest first. The secret is shown this once.
    It may take a second person (202): then it signs once another key has confirmed the proposal.
    """
    kept, verified_by = await equip_endpoint.rotate_secret(
        desk.tx,
        caller,
        endpoint_id,
        key_ring=desk.key_ring,
        now=desk.now,
        scheme=body.scheme,
        old_valid_for=body.length(),
        second_person=desk.terms.second_person,
    )
    if isinstance(kept, Proposal):
        return signing_proposed(kept, verified_by)
    return await show_signed(desk.tx, kept, verified_by, response)


@router.put("/endpoints/{endpoint_id}/headers")
async def put_endpoint_headers(
    endpoint_id: UUID, body: HeadersBody, caller: CurrentCaller, desk: Desk, if_match: IfMatch, response: Response
) -> EndpointView:
    """Set the endpoint's own headers, all of them; needs If-Match. Their values are kept sealed and not shown again.

    They go to this host alone: when the URL's scheme, host or port is changed, they are forgotten.
    """
    kept = await equip_endpoint.put_headers(
        desk.tx, caller, endpoint_id, own(body.headers), key_ring=desk.key_ring, expected=if_match
    )
    return await show(desk.tx, kept, response)


@router.put("/endpoints/{endpoint_id}/tls", response_model=EndpointView, responses=PROPOSED)
async def put_endpoint_tls(
    endpoint_id: UUID, body: TlsBody, caller: CurrentCaller, desk: Desk, if_match: IfMatch, response: Response
) -> EndpointView | Response:
    """Set the endpoint's client certificate and own CA; needs If-Match. What is absent is removed.

    It may take a second person (202): then it counts once another key has confirmed the proposal.
    """
    kept = await equip_endpoint.put_tls(
        desk.tx,
        caller,
        endpoint_id,
        body.given(),
        key_ring=desk.key_ring,
        expected=if_match,
        now=desk.now,
        second_person=desk.terms.second_person,
    )
    return proposed(kept) if isinstance(kept, Proposal) else await show(desk.tx, kept, response)
