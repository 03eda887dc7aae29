"""A mail server on loopback that keeps what it is given, refuses what it is told to, and counts its connections."""

import asyncio
import email
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.delivery.mail import Mail, MailServer, Security, open_mail
from app.delivery.post import Deadlines
from tests.delivery.certificates import Authority
from tests.delivery.world import SHORT

USERNAME, PASSWORD = "lintas", "sandi-rahasia"
SENDER = "lintas@lembaga.example"
TAKEN = "250 2.0.0 taken"


@dataclass
class Mailbox:
    """A running mail server."""

    port: int = 0
    authority: Authority = field(default_factory=Authority)
    taken: list[bytes] = field(default_factory=list)
    """What was delivered, as it came."""
    recipients: list[list[str]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    """Whether each of them came over TLS."""
    connections: int = 0
    greeted_as: set[str] = field(default_factory=set)
    at_recipient: Callable[[str], str] | None = None
    """What is answered to a recipient in place of 250."""
    at_data: Callable[[], str] | None = None
    """What is answered to a mail in place of taking it."""
    hold: asyncio.Event | None = None
    """Nothing is answered to a mail before this is set."""

    held: int = 0
    """How many wait for that."""
    holds_no_more: bool = False
    """What comes now is answered, and only what waits goes on waiting."""
    says_goodbye: bool = False
    """The next mail is answered with 421 before it begins, once."""
    speaking: list[SMTP] = field(default_factory=list)

    def hang_up(self) -> None:
        """Close every connection without a word."""
        for one in self.speaking:
            if one.transport is not None:
                one.transport.close()

    @property
    def messages(self) -> list[EmailMessage]:
        read = [email.message_from_bytes(one, policy=default) for one in self.taken]
        return [one for one in read if isinstance(one, EmailMessage)]

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greeted_as.add(hostname)
        return responses

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.says_goodbye:
            self.says_goodbye = False
            return "421 4.3.2 going down"
        envelope.mail_from = address
        return TAKEN

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = TAKEN if self.at_recipient is None else self.at_recipient(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hold is not None and not self.holds_no_more:
            self.held += 1
            await self.hold.wait()
        answer = TAKEN if self.at_data is None else self.at_data()
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.taken.append(envelope.content)
            self.recipients.append(list(envelope.rcpt_tos))
            self.secured.append(
                server.transport is not None and server.transport.get_extra_info("sslcontext") is not None
            )
        return answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=data == right, handled=data == right)


@asynccontextmanager
async def a_mailbox(
    security: Security = Security.STARTTLS, *, asks_for_login: bool = False, offers_tls: bool = True
) -> AsyncIterator[Mailbox]:
    """Run a mail server."""
    box = Mailbox()
    context = box.authority.server()
    loop = asyncio.get_running_loop()
    upgrade = context if security is Security.STARTTLS and offers_tls else None

    def protocol() -> SMTP:
        box.connections += 1
        speaking = SMTP(
            box,
            hostname="mail.test",
            ident="test",
            tls_context=upgrade,
            require_starttls=upgrade is not None,
            auth_required=asks_for_login,
            auth_require_tls=upgrade is not None,
            authenticator=box.authenticate if asks_for_login else None,
            loop=loop,
        )
        box.speaking.append(speaking)
        return speaking

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if security is Security.IMPLICIT else None)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def mailing(
    box: Mailbox,
    place: Path,
    security: Security = Security.STARTTLS,
    *,
    deadlines: Deadlines = SHORT,
    authority: Authority | None = None,
    **more: Any,
) -> AsyncIterator[Mail]:
    """Open the way to a mail server that trusts its authority alone, kept as a file in `place`."""
    trusted = place / "authority.pem"
    trusted.write_text((authority or box.authority).pem)
    server = MailServer("127.0.0.1", box.port, security, SENDER, authorities=trusted, **more)
    async with open_mail(server, deadlines=deadlines) as mail:
        yield mail
