"""EMAIL: a mailbox as a helpdesk. It has no hook; it is asked what came."""

from dataclasses import dataclass
from typing import Any

from app.connectors.connector import Connector, Mailbox, Opened
from app.connectors.email.checks import check_mailbox
from app.connectors.email.desk import MailDesk
from app.connectors.email.mailbox import Cursor
from app.connectors.email.mailbox import Mailbox as Folder
from app.connectors.email.settings import EmailCredentials, EmailSettings
from app.connectors.hooks import Event


@dataclass(frozen=True, slots=True)
class EmailNews(Mailbox):
    """What came into the folder, as the worker asks for it."""

    opened: Opened

    async def poll(
        self, cursor: dict[str, Any] | None
    ) -> tuple[list[tuple[str, Event]], dict[str, Any]]:
        """The mails behind the cursor; a mail is delivered once by its Message-ID."""
        known = Cursor.model_validate(cursor) if cursor else None
        came, following = await Folder(self.opened).poll(known)
        events = [(f"{following.uidvalidity}:{mail.uid}", mail.event) for mail in came]
        return events, following.model_dump()

    async def wait(self, cursor: dict[str, Any], seconds: float) -> None:
        """IDLE, or some time."""
        await Folder(self.opened).wait_for_mail(Cursor.model_validate(cursor), seconds)


EMAIL = Connector(
    kind="email",
    says="A mailbox, over IMAP and SMTP: for a team without a helpdesk.",
    settings=EmailSettings,
    credentials=EmailCredentials,
    test=check_mailbox,
    desk=MailDesk,
    mailbox=EmailNews,
)
