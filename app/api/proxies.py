"""What proxies in front say of who calls: believed from their own addresses alone, and taken from everybody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.domain.client_certificate import HeaderForm

Networks = Sequence[IPv4Network | IPv6Network]
STATE = "client_certificate"
"""Where the values of the header are kept that a believed proxy has sent."""


@dataclass(frozen=True, slots=True)
class CertificateHeader:
    """The header in which a proxy passes on a client's certificate, and from which proxies it counts."""

    name: str
    form: HeaderForm
    proxies: Networks


class Proxies:
    """Puts the address that the proxies saw in the place of theirs, and keeps what they say of a certificate apart.

    The header of a certificate never reaches anything behind this, whoever sent it.
    """

    def __init__(
        self, app: ASGIApp, *, forwarding: Networks = (), certificates: CertificateHeader | None = None
    ) -> None:
        self._certificates = certificates
        self._name = certificates.name.lower().encode() if certificates else b""
        self._app: ASGIApp = app
        if forwarding:
            self._app = ProxyHeadersMiddleware(app, [str(network) for network in forwarding])  # type: ignore[arg-type, assignment]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._certificates is not None:
            said = tuple(value for name, value in scope["headers"] if name == self._name)
            if said:
                scope["headers"] = [header for header in scope["headers"] if header[0] != self._name]
            if _lies_in(scope, self._certificates.proxies):
                scope.setdefault("state", {})[STATE] = said
        await self._app(scope, receive, send)


def certificates_said(scope: Scope) -> tuple[bytes, ...]:
    """Give what a believed proxy said of the client's certificate: one value, if it did its work."""
    said: tuple[bytes, ...] = scope.get("state", {}).get(STATE, ())
    return said


def _lies_in(scope: Scope, networks: Networks) -> bool:
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)
