"""What a request shows of who calls: a key, a token or a certificate, and how the database is asked about it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from hmac import compare_digest
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.types import Scope

from app.api.bearer import is_token, secret_in
from app.api.issuer_keys import KeysUnavailable
from app.api.proxies import CertificateHeader, certificates_said
from app.api.rate_limit import charge
from app.api.refusals import Unauthenticated, Unavailable
from app.api.tokens import Tokens
from app.domain.access_token import TokenFault, TokenHolder, TokenRefused
from app.domain.caller import Caller
from app.domain.client_certificate import CertificateUnreadable, Presented, read_header
from app.storage import api_keys, client_certificates, token_subjects

Lookup = Callable[[AsyncSession], Awaitable[Caller | None]]
"""Finds who calls, in the transaction of what they ask: None if what was shown does not count, now."""
MOST_REMEMBERED = 10_000
SANDBOX_KEY, REAL_KEY = "sandbox_key", "real_key"
"""What is wrong with a key of the other world: a sandbox's, shown to the real service, and the other way round."""

log = structlog.get_logger()


class Credentials:
    """Reads what a request shows of who calls."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Callable[[], datetime],
        tokens: Tokens | None = None,
        certificates: CertificateHeader | None = None,
        sandbox: bool = False,
    ) -> None:
        """Take keys, and what else there is; `clock` tells real time.

        A `sandbox` takes keys of a sandbox alone, and nothing else takes those.
        """
        self.tokens = tokens
        self._sessions = sessions
        self._clock = clock
        self._certificates = certificates
        self._sandbox = sandbox
        self._noted: OrderedDict[UUID, None] = OrderedDict()

    async def look_up(self, scope: Scope) -> Lookup:
        """Say how the caller of a request is found, else Unauthenticated; Unavailable where no token can be verified.

        It may ask the issuer for its keys, and the database who a token's subject is: no transaction may be open.
        """
        secret, certificate = secret_in(scope["headers"]), self._certificate(scope)
        if secret is None:
            if certificate is None or any(name == b"authorization" for name, _ in scope["headers"]):
                raise Unauthenticated(key_given=False)
            return partial(client_certificates.caller_of, presented=certificate)
        if self.tokens is None or not is_token(secret):
            if api_keys.is_of_sandbox(secret) is not self._sandbox:
                raise Unauthenticated(key_given=True, fault=REAL_KEY if self._sandbox else SANDBOX_KEY)
            return partial(api_keys.caller_of, secret=secret)
        try:
            holder = await self.tokens.holder(secret, now=self._clock())
            self._check_binding(holder, certificate)
            charge(scope, str(holder.id))
            await self._note(holder)
        except TokenRefused as refused:
            log.info("token_refused", why=refused.fault.value)
            raise Unauthenticated(key_given=True, fault=refused.fault.value) from None
        except KeysUnavailable:
            raise Unavailable from None
        return partial(token_subjects.caller_of, holder=holder)

    def _certificate(self, scope: Scope) -> Presented | None:
        said = certificates_said(scope)
        # A proxy that adds to what came in, and does not put its own in the place of it, cannot be relied on.
        if self._certificates is None or len(said) != 1:
            return None
        try:
            return read_header(said[0].decode("latin-1"), self._certificates.form, now=self._clock())
        except CertificateUnreadable:
            return None

    def _check_binding(self, holder: TokenHolder, certificate: Presented | None) -> None:
        """Have a token that is bound to a certificate count with that one alone (RFC 8705, 3)."""
        if holder.certificate is None:
            return
        shown = certificate.thumbprint if certificate else None
        if shown is None or not compare_digest(shown.encode(), holder.certificate.encode()):
            raise TokenRefused(TokenFault.CERTIFICATE)

    async def _note(self, holder: TokenHolder) -> None:
        if holder.id in self._noted:
            return
        async with self._sessions.begin() as tx:
            is_agency = await token_subjects.note(tx, holder)
        if not is_agency:
            raise TokenRefused(TokenFault.AGENCY)
        self._noted[holder.id] = None
        while len(self._noted) > MOST_REMEMBERED:
            self._noted.popitem(last=False)
