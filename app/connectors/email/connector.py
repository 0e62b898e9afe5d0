"""EMAIL: a mailbox as a helpdesk. It has no hook; `Mailbox` is polled instead."""

from app.connectors.connector import Connector
from app.connectors.email.checks import check_mailbox
from app.connectors.email.desk import MailDesk
from app.connectors.email.settings import EmailCredentials, EmailSettings

EMAIL = Connector(
    kind="email",
    says="A mailbox, over IMAP and SMTP: for a team without a helpdesk.",
    settings=EmailSettings,
    credentials=EmailCredentials,
    test=check_mailbox,
    desk=MailDesk,
)
