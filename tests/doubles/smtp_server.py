"""A real SMTP server on loopback that takes mail, refuses it, or hangs up, as a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = Callable[[str], str | None]


@dataclass
class Postbox:
    """What the server took. `rcpt` and `data` answer for an address, or None to take it.

    An answer of "hang up" cuts the line; after DATA the mail was taken by then.
    """

    rcpt: Answer = lambda _address: None
    data: Answer = lambda _address: None
    # Awaited after a mail is taken, before the server says so.
    before_answer: Callable[[str], Awaitable[None]] | None = None
    port: int = 0
    connections: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        """Who got a mail, in order."""
        return [address for address, _ in self.taken]

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """Count connections."""
        self.connections += 1
        session.host_name = hostname
        return lines

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        self.tried.append(address)
        if answer := self.rcpt(address):
            if answer == "hang up":
                cut(server)
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take or refuse a mail."""
        [address] = envelope.rcpt_tos
        answer = self.data(address)
        if answer is None or answer == "hang up":
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append((address, message_from_bytes(content, policy=policy.SMTP)))
        if self.before_answer:
            await self.before_answer(address)
        if answer == "hang up":
            cut(server)
        return answer or "250 OK"


def cut(server: SMTP) -> None:
    """Close the line without a word."""
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


@contextlib.asynccontextmanager
async def smtp_server(postbox: Postbox) -> AsyncIterator[Postbox]:
    """Serve in the test's own loop, on a free port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox), "127.0.0.1", 0)
    postbox.port = server.sockets[0].getsockname()[1]
    try:
        yield postbox
    finally:
        server.close()
