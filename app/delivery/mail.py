"""One function that mails: to the operator's mail server, over TLS, within one deadline."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as AS_SMTP
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol

import aiohappyeyeballs
from aiosmtplib import SMTP, SMTPDataError, SMTPRecipientRefused, SMTPSenderRefused, SMTPServerDisconnected

from app.delivery.connections import NEXT_ADDRESS_AFTER, ConnectFailed
from app.delivery.mail_failures import FAILURES, answer_of
from app.delivery.post import Deadlines
from app.delivery.resolver import CheckedResolver, LookUp, look_up
from app.domain.addresses import Reach
from app.domain.letter import Letter
from app.domain.retry import Answer, Detail, Phase

IDLE = 10.0
"""Seconds that a connection is kept for the next mail: shorter than what servers keep one open, also when busy."""
SHARE_OF_WAITING = 1 / 3
"""How much of its time a mail may wait for a connection: what is left is enough to send it."""
SUCCESS = 250
ANYWHERE = Reach((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
"""The operator's own server may be anywhere: nobody else names it."""
CLOSING = 421
"""By this a server says that it closes the connection (RFC 5321, 3.8)."""


class Security(StrEnum):
    """How the way to the mail server is kept secret."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and from whom it comes."""

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    authorities: Path | None = None
    """A PEM file with the only authorities that are trusted; None is the public ones."""
    connections: int = 8
    """How many there are at once; emergencies alone may have one more."""


class Mail(Protocol):
    """Sends a letter, and says what came of it; nothing that the mail server or its network does raises."""

    async def __call__(self, letter: Letter, /) -> Answer:
        """Send it."""


@asynccontextmanager
async def open_mail(
    server: MailServer, *, deadlines: Deadlines | None = None, look_up: LookUp = look_up
) -> AsyncIterator[Mail]:
    """Open what mail goes through: a few connections and one TLS context for the whole process."""
    context = ssl.create_default_context(cafile=server.authorities)
    box = _Postbox(server, context, deadlines or Deadlines(), look_up)
    try:
        yield box.send
    finally:
        await box.close()


def message_of(letter: Letter, sender: str) -> bytes:
    """Write a letter as it is sent: plain text, one recipient, the same Message-ID in each attempt."""
    message = EmailMessage(policy=AS_SMTP)
    message["From"] = Address("Lintas", addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = letter.sent_at
    message["Message-ID"] = f"<{letter.id}@{_domain(sender)}>"
    # No machine is to answer it, and no holiday notice (RFC 3834, 5; and what Exchange has instead).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text, cte="quoted-printable")
    return message.as_bytes()


class _Postbox:
    """The connections of a process to its mail server."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext, within: Deadlines, look_up: LookUp) -> None:
        self._server = server
        self._tls = tls
        self._within = within
        self._loop = asyncio.get_running_loop()
        self._resolver = CheckedResolver(ANYWHERE, within=within.resolve, look_up=look_up)
        self._places = asyncio.Semaphore(server.connections)
        self._kept_free = asyncio.Semaphore(1)
        self._idle: deque[tuple[float, SMTP]] = deque()
        self._sweep = self._loop.call_later(IDLE, self._close_idle)

    async def send(self, letter: Letter, /) -> Answer:
        """Send a letter as soon as there is a place for it."""
        now = self._loop.time()
        # However many mails wait, an emergency does not wait behind them.
        places = self._kept_free if letter.emergency and self._places.locked() else self._places
        try:
            async with asyncio.timeout_at(now + self._within.total * SHARE_OF_WAITING):
                await places.acquire()
        except TimeoutError:
            return Answer(failed=Phase.INTERNAL, detail=Detail.MAIL_SERVER_BUSY)
        try:
            async with asyncio.timeout_at(now + self._within.total):
                return await self._send(letter)
        except FAILURES as error:
            return answer_of(error)
        finally:
            places.release()

    async def close(self) -> None:
        """Take leave of the mail server."""
        self._sweep.cancel()
        while self._idle:
            _, client = self._idle.pop()
            with suppress(*FAILURES):
                await client.quit(timeout=1.0)
            client.close()

    async def _send(self, letter: Letter) -> Answer:
        client = self._kept()
        if client is None or not await self._begun(client):
            # Or it was closed since it was last used, and the server has seen nothing of this mail.
            client = await self._connected()
            try:
                await client.mail(self._server.sender)
            except BaseException:
                client.close()
                raise
        return await self._over(client, letter)

    async def _begun(self, client: SMTP) -> bool:
        """Begin a mail over a connection that was kept; not where the server has closed it, or does so now."""
        try:
            await client.mail(self._server.sender)
        except (SMTPServerDisconnected, SMTPSenderRefused) as error:
            client.close()
            if isinstance(error, SMTPSenderRefused) and error.code != CLOSING:
                raise
            return False
        except BaseException:
            client.close()
            raise
        return True

    async def _over(self, client: SMTP, letter: Letter) -> Answer:
        """Send what was begun; the connection is kept where the server may take another mail over it."""
        try:
            try:
                await client.rcpt(letter.to)
                await client.data(message_of(letter, self._server.sender))
                answer = Answer(status=SUCCESS)
            except (SMTPRecipientRefused, SMTPDataError) as error:
                answer = answer_of(error)
                if error.code == CLOSING or answer.failed is not None:
                    client.close()
                    return answer
                await client.rset()
        except BaseException:
            client.close()
            raise
        self._idle.append((self._loop.time(), client))
        return answer

    async def _connected(self) -> SMTP:
        server = self._server
        client = SMTP(
            hostname=server.host,
            sock=await self._socket(),
            use_tls=server.security is Security.IMPLICIT,
            start_tls=server.security is Security.STARTTLS,
            tls_context=self._tls,
            username=server.username,
            password=server.password,
            # Else it would be this machine's name, which is nobody's business.
            local_hostname=_domain(server.sender),
            timeout=self._within.total,
        )
        # One that fails closes itself.
        await client.connect(timeout=self._within.connect)
        return client

    async def _socket(self) -> socket.socket:
        """Connect as webhooks do: a name server that hangs takes no thread that others wait for."""
        found = await self._resolver.resolve(self._server.host, self._server.port)
        try:
            async with asyncio.timeout(self._within.connect):
                return await aiohappyeyeballs.start_connection(
                    found, loop=self._loop, happy_eyeballs_delay=NEXT_ADDRESS_AFTER, interleave=1
                )
        except OSError as error:
            raise ConnectFailed from error

    def _kept(self) -> SMTP | None:
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and since > self._loop.time() - IDLE:
                return client
            client.close()
        return None

    def _close_idle(self) -> None:
        oldest = self._loop.time() - IDLE
        while self._idle and self._idle[0][0] <= oldest:
            self._idle.popleft()[1].close()
        self._sweep = self._loop.call_later(IDLE, self._close_idle)


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2]
