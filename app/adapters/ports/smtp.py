"""Sends mail over SMTP, many on one connection; without a server, into a table of the sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate
from hashlib import sha256

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from sqlalchemy.dialects.postgresql import insert

from app.db.core.connections import Sessions
from app.db.tables.sandbox import SandboxMail
from app.settings import Settings
from tools.errors import UnavailableError
from tools.models import Delivery, Mail

CLOSING = 421  # RFC 5321, 3.8: the server closes the connection, whatever it was asked.
LOST = (SMTPServerDisconnected, SMTPTimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Opens connections to the server of the settings."""

    settings: Settings

    @asynccontextmanager
    async def open(self) -> AsyncIterator["SmtpOutbox"]:
        """One connection for as many mails as there are."""
        outbox = SmtpOutbox(self.settings, await connect(self.settings))
        try:
            yield outbox
        finally:
            await outbox.close()


@dataclass(slots=True)
class SmtpOutbox:
    """A connection that is replaced when the server drops it between two mails."""

    settings: Settings
    server: SMTP

    async def send(self, mail: Mail) -> Delivery:
        """One mail: refused for good (5xx), for now (4xx), taken, or lost after DATA began."""
        content = message(mail, self.settings).as_bytes()
        try:
            await self._address(mail)
        except SMTPRecipientRefused as refusal:
            await self._forget()
            return refused(refusal)
        try:
            answer = await self.server.data(content)
        except SMTPDataError as refusal:
            return refused(refusal)
        except LOST as error:
            # The server may have taken it before the line went dead.
            return {"status": "unknown", "detail": f"{type(error).__name__}: {error}"[:500]}
        return {"status": "sent", "detail": answer.message[:500]}

    async def _address(self, mail: Mail) -> None:
        """Sender and recipient; a connection that is gone by now has taken nothing yet."""
        for last in (False, True):
            try:
                if not self.server.is_connected:
                    self.server = await connect(self.settings)
                await self.server.mail(self.settings.mail_address.addr_spec)
                await self.server.rcpt(mail["to"]["email"])
                return
            except LOST as error:
                if last:
                    name = type(error).__name__
                    raise UnavailableError(f"the mail server hangs up ({name})") from error
                self.server.close()
            except SMTPResponseException as refusal:
                if refusal.code == CLOSING and not last:
                    self.server.close()
                elif isinstance(refusal, SMTPRecipientRefused):
                    raise
                else:
                    what = f"the mail server refuses with {refusal.code}"
                    raise UnavailableError(what) from refusal

    async def _forget(self) -> None:
        """Take back the sender of a mail whose recipient was refused."""
        try:
            await self.server.rset()
        except (SMTPException, OSError):
            self.server.close()

    async def close(self) -> None:
        """Say goodbye; a server that is gone need not hear it."""
        with suppress(SMTPException, OSError):
            await self.server.quit()
        self.server.close()


def refused(refusal: SMTPResponseException) -> Delivery:
    """What a reply code says about one mail. Source: RFC 5321, 4.2.1."""
    return {
        "status": "failed" if refusal.code >= 500 else "later",
        "detail": f"{refusal.code} {refusal.message}"[:500],
    }


async def connect(settings: Settings) -> SMTP:
    """A connection that is greeted, encrypted and signed in as the settings say.

    Raises:
        UnavailableError: the server does not answer, or does not let us in.
    """
    password = settings.smtp_password
    server = SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        timeout=settings.smtp_timeout_seconds,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
    )
    try:
        await server.connect()
    except (SMTPException, OSError, ValueError) as error:
        server.close()
        name = type(error).__name__
        raise UnavailableError(f"no way to the mail server ({name})") from error
    return server


def message(mail: Mail, settings: Settings) -> EmailMessage:
    """A plain-text message; the policy refuses a line break in any header."""
    sender = settings.mail_address
    made = EmailMessage(policy=SMTP_POLICY)
    made["From"] = sender
    made["To"] = Address(mail["to"]["name"], addr_spec=mail["to"]["email"])
    made["Subject"] = mail["subject"]
    made["Date"] = formatdate()
    # The same mail has the same id from every worker: a server or reader may drop a second one.
    made["Message-ID"] = f"<{sha256(mail['key'].encode()).hexdigest()[:40]}@{sender.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    if settings.mail_unsubscribe_url:
        link = settings.mail_unsubscribe_url.format(contact_id=mail["to"]["id"])
        made["List-Unsubscribe"] = f"<{link}>"
    made.set_content(mail["text"])
    return made


@dataclass(frozen=True, slots=True)
class SandboxMailer:
    """Writes mails to `sandbox_mails`, so that everything can be tried without a server."""

    sessions: Sessions
    tenant_id: str

    @asynccontextmanager
    async def open(self) -> AsyncIterator["SandboxMailer"]:
        """Nothing to connect to."""
        yield self

    async def send(self, mail: Mail) -> Delivery:
        """Keep the mail."""
        row = insert(SandboxMail).values(
            tenant_id=self.tenant_id,
            key=mail["key"],
            recipient=mail["to"]["email"],
            subject=mail["subject"],
            text=mail["text"],
        )
        async with self.sessions.begin() as session:
            await session.execute(row)
        return {"status": "sent", "detail": "kept in the sandbox"}
