"""What tests of the API over its real routes start from."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI

from app.api.application import build
from app.api.proxies import CertificateHeader
from app.domain.client_certificate import HeaderForm
from app.main import ROUTERS
from tests.api.issuers import TokenIssuer, an_issuer, tokens_of
from tests.workflows.conftest import Service, service

__all__ = ["service"]

TOKEN_TIME = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
"""The moment at which tokens are judged."""
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer that signs with an RSA key."""
    async with an_issuer() as found:
        yield found


@pytest.fixture
def whole_api(service: Service, issuer: TokenIssuer) -> FastAPI:
    """Every route, for callers with keys, tokens and certificates alike."""
    return build(
        ROUTERS,
        sessions=service.sessions,
        key_ring=service.key_ring,
        reference=service.keeper,
        clock=service.clock,
        terms=service.terms,
        tokens=tokens_of(issuer, scope_claim="scope"),
        certificates=CertificateHeader("X-Client-Cert", HeaderForm.CERTIFICATE, LOOPBACK),
        forwarding=LOOPBACK,
        real_clock=lambda: TOKEN_TIME,
    )


@pytest.fixture
async def nobody(whole_api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of every route that shows nothing of its own."""
    transport = httpx.ASGITransport(app=whole_api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lintas.test") as found:
        yield found
