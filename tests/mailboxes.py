"""A connected mailbox for tests, whichever IMAP server stands behind it, and mails as they come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.email.desk import MailDesk
from app.connectors.email.mailbox import Cursor, Incoming, Mailbox
from app.connectors.email.settings import EmailCredentials, EmailSettings
from app.connectors.http import HttpClient
from tests.doubles.imap_server import ImapBox
from tests.doubles.smtp_server import Postbox, smtp_server

ADDRESS, ANN, EVE = "support@desk.example", "ann@shop.example", "eve@evil.example"
MAX, TEAM = "max@desk.example", "team@desk.example"
SERVER = "mx.desk.example"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class MailPlace:
    """A mailbox and the server that takes its mail."""

    box: ImapBox
    postbox: Postbox
    opened: Opened

    @property
    def desk(self) -> MailDesk:
        """The port, over this mailbox."""
        return MailDesk(self.opened)

    @property
    def mailbox(self) -> Mailbox:
        """What comes in."""
        return Mailbox(self.opened)

    async def arrives(self, raw: bytes | EmailMessage, cursor: Cursor | None = None) -> Incoming:
        """One mail arrives and is read, as the only one behind the cursor."""
        cursor = cursor or (await self.mailbox.poll(None))[1]
        await self.box.put(bytes(raw))
        [came], _ = await self.mailbox.poll(cursor)
        return came

    def allow(self, endpoint: str) -> None:
        """The operator lists one more private endpoint."""
        guard = self.opened.http.guard
        self.opened.http.guard = replace(guard, endpoints=guard.endpoints | {endpoint})

    def with_settings(self, **changed: Any) -> "MailPlace":
        """The same mailbox, set up in another way."""
        settings = EmailSettings.model_validate({**self.opened.settings.model_dump(), **changed})
        opened = Opened(
            self.opened.id, self.opened.tenant_id, settings, self.opened.credentials,
            self.opened.http, self.opened.secrets,
        )  # fmt: skip
        return MailPlace(self.box, self.postbox, opened)


def settings_for(box: ImapBox, smtp_port: int) -> dict[str, Any]:
    """The settings of a connection to the mailbox, which sends by a server of this machine."""
    return {
        "address": ADDRESS,
        "imap_host": "127.0.0.1",
        "imap_port": box.port,
        "imap_security": "plain",
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp_port,
        "smtp_security": "plain",
        "authserv_id": SERVER,
        "people": [MAX, TEAM],
        "customers": {ANN: "cus_ann"},
        "notes_to": TEAM,
    }


@asynccontextmanager
async def mail_place(box: ImapBox, **changed: Any) -> AsyncIterator[MailPlace]:
    """Connect the mailbox, with an SMTP server beside it."""
    async with smtp_server(Postbox()) as postbox:
        endpoints = [f"{host}:{port}" for host in ("127.0.0.1", "localhost")
                     for port in (box.port, postbox.port)]  # fmt: skip
        given = {"name": "Desk", **settings_for(box, postbox.port), **changed}
        settings = EmailSettings.model_validate(given)
        credentials = EmailCredentials.model_validate({"user": box.user, "password": box.password})
        async with HttpClient(make_guard(endpoints)) as http:
            yield MailPlace(
                box, postbox, Opened("con_1", "acme", settings, credentials, http, [SECRET])
            )


def mail(
    sender: str = ANN, text: str = "Where is my order?", *, subject: str = "My order", **more: str
) -> EmailMessage:
    """A mail as a person writes it; names in `more` have _ for -, and "" leaves a header out."""
    message = EmailMessage()
    name = sha256((sender + text + subject).encode()).hexdigest()[:16]
    given = {
        "From": sender,
        "To": ADDRESS,
        "Subject": subject,
        "Date": "Sun, 29 Nov 2026 10:00:00 +0000",
        "Message-ID": f"<{name}@shop.example>",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def stamped(message: EmailMessage, *, result: str = "pass", domain: str = "shop.example") -> bytes:
    """The mail with the lines that our own server writes on top of it."""
    top = (
        f"Return-Path: <{ANN}>\r\n"
        f"Authentication-Results: {SERVER}; spf=pass smtp.mailfrom={domain};\r\n"
        f"\tdmarc={result} (p=reject) header.from={domain}\r\n"
        f"Received: from mail.shop.example ([192.0.2.7]) by {SERVER} with ESMTPS;\r\n"
        "\tSun, 29 Nov 2026 10:00:01 +0000\r\n"
    )
    return top.encode() + message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
