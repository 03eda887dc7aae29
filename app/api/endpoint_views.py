"""How endpoints are shown: everything but what must stay secret."""

from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.etags import etag
from app.api.validation import Answer
from app.domain import certificates
from app.domain.channel import channel_of
from app.domain.webhook import PUBLIC_PREFIX
from app.storage import endpoints, equipment


class SigningSecretView(Answer):
    """A secret that signs. Of an ed25519 key the public half is shown, of an HMAC secret nothing."""

    id: UUID
    scheme: str = Field(examples=["hmac_sha256", "ed25519"])
    public_key: str | None
    created_at: datetime
    ends_at: datetime | None = Field(description="Until when it signs; null is the newest, which has no end yet.")


class CertificateView(Answer):
    """A certificate, by what it can be recognised by."""

    subject: str
    fingerprint: str = Field(description="SHA-256, in hexadecimal.")
    not_after: datetime

    @classmethod
    def of(cls, certificate: certificates.Certificate) -> "CertificateView":
        """Show a certificate."""
        return cls(subject=certificate.subject, fingerprint=certificate.fingerprint, not_after=certificate.not_after)


class TlsView(Answer):
    """What an endpoint has of its own for TLS."""

    client_certificate: CertificateView | None = Field(description="What is shown to the receiver; null is none.")
    ca: list[CertificateView] = Field(description="The only authorities trusted; empty is the public ones.")


class BreakerView(Answer):
    """Whether posts go out: `closed`; `open`, nothing until `next_probe_at`; or `half_open`, one probe."""

    state: str
    opened_at: datetime | None
    next_probe_at: datetime | None
    quiet_until: datetime | None = Field(
        description="Its `Retry-After` asked for a pause; first attempts of what cannot wait go out meanwhile."
    )


class EndpointView(Answer):
    """An endpoint; its secrets, the values of its headers and its key are never shown again."""

    id: UUID
    agency: str
    channel: str = Field(description="By which way it is told, as its URL says.", examples=["webhook", "mail"])
    url: str
    event_types: list[str] | None
    state: str = Field(examples=["unverified", "active", "paused", "disabled"])
    state_reason: str | None
    max_in_flight: int
    max_per_minute: int | None
    breaker: BreakerView
    failing_since: datetime | None
    last_success_at: datetime | None
    created_at: datetime
    verified_at: datetime | None = Field(description="Since when the URL is proven; null until it is.")
    challenged_at: datetime | None = Field(description="When the latest challenge went out, or will.")
    secrets: list[SigningSecretView] = Field(description="Those that sign, the newest first.")
    headers: list[str] = Field(description="The names of its own headers.")
    tls: TlsView

    @classmethod
    def of(cls, endpoint: endpoints.Endpoint, carried: equipment.Shown) -> "EndpointView":
        """Show an endpoint."""
        return cls(
            id=endpoint.id,
            agency=endpoint.agency_code,
            channel=channel_of(endpoint.url),
            url=endpoint.url,
            event_types=None if endpoint.event_types is None else list(endpoint.event_types),
            state=endpoint.state,
            state_reason=endpoint.state_reason,
            max_in_flight=endpoint.max_in_flight,
            max_per_minute=endpoint.max_per_minute,
            breaker=BreakerView(
                state=endpoint.breaker_state,
                opened_at=endpoint.breaker.opened_at,
                next_probe_at=endpoint.breaker.next_probe_at,
                quiet_until=endpoint.breaker.quiet_until,
            ),
            failing_since=endpoint.failing_since,
            last_success_at=endpoint.last_success_at,
            created_at=endpoint.created_at,
            verified_at=endpoint.verified_at,
            challenged_at=endpoint.challenged_at,
            secrets=[
                SigningSecretView(
                    id=one.id,
                    scheme=one.scheme,
                    public_key=one.public_key,
                    created_at=one.created_at,
                    ends_at=one.ends_at,
                )
                for one in carried.secrets
            ],
            headers=list(carried.header_names),
            tls=TlsView(
                client_certificate=carried.client_certificate and CertificateView.of(carried.client_certificate),
                ca=[CertificateView.of(one) for one in carried.authorities],
            ),
        )


class SignedEndpoint(EndpointView):
    """An endpoint with what its receiver verifies by from now on."""

    secret: str | None = Field(description="The HMAC secret (whsec_...), shown this once; null for ed25519 and mail.")
    public_key: str | None = Field(
        description="The ed25519 key (whpk_...), also under /.well-known/; null for HMAC and mail."
    )


async def show(tx: AsyncSession, endpoint: endpoints.Endpoint, response: Response) -> EndpointView:
    """Show an endpoint with its ETag."""
    response.headers["ETag"] = etag(endpoint.version)
    return EndpointView.of(endpoint, (await equipment.shown(tx, [endpoint.id]))[endpoint.id])


async def show_signed(
    tx: AsyncSession, endpoint: endpoints.Endpoint, verified_by: str | None, response: Response
) -> SignedEndpoint:
    """Show an endpoint with its ETag, and what its receiver verifies by."""
    view = await show(tx, endpoint, response)
    public = verified_by is not None and verified_by.startswith(PUBLIC_PREFIX)
    return SignedEndpoint(
        **view.model_dump(), secret=None if public else verified_by, public_key=verified_by if public else None
    )
