"""The connector of a mailbox over pymap, an IMAP server in memory, and a real SMTP server."""

from collections.abc import AsyncIterator

import pytest

from tests.doubles.imap_server import imap_server
from tests.email_laws import EmailLaws
from tests.mailboxes import MailPlace, mail_place


class TestOverPymap(EmailLaws):
    """Everything that holds for a mailbox."""

    @pytest.fixture
    async def place(self) -> AsyncIterator[MailPlace]:
        """An empty mailbox."""
        async with imap_server() as box, mail_place(box) as place:
            yield place
