"""The connector of a mailbox over pymap, an IMAP server in memory, and a real SMTP server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from app.connectors.helpdesk import AlreadyPosted, Posted
from tests.doubles.cutting_line import cutting_line
from tests.doubles.imap_server import imap_server
from tests.email_laws import FIRST, EmailLaws
from tests.mailboxes import MailPlace, mail, mail_place, stamped
from tools.errors import UnavailableError

# `make test` cuts the line at one command in so many, `make thorough` at every one.
EVERY = 8


class TestOverPymap(EmailLaws):
    """Everything that holds for a mailbox."""

    @pytest.fixture
    async def place(self) -> AsyncIterator[MailPlace]:
        """An empty mailbox."""
        async with imap_server() as box, mail_place(box) as place:
            yield place


@pytest.mark.no_cover
async def test_line_that_is_cut_at_every_command_sends_a_reply_once(*, thorough: bool) -> None:
    """The command arrives, its answer does not; then the reply is asked for again until it is done.

    Two mails, under one Message-ID, only where the cut came after the mail server had the mail.
    """
    cuts, step = 0, 1 if thorough else EVERY
    for passed in range(0, 60, step):
        async with imap_server() as box, cutting_line(box.port) as line, mail_place(box) as direct:
            ticket = (await direct.arrives(stamped(mail(**FIRST)))).event.ticket_id
            stamp = (await direct.desk.read(ticket)).stamp
            direct.allow(f"127.0.0.1:{line.port}")
            place = direct.with_settings(imap_port=line.port)
            line.left = passed
            with suppress(UnavailableError):
                first = await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
                assert isinstance(first, Posted)
            line.left, was_cut = None, line.cuts > 0
            cuts += was_cut
            again = await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
            assert isinstance(again, Posted | AlreadyPosted)
            sent = [each["Message-ID"] for _, each in direct.postbox.taken]
            assert len(set(sent)) == 1
            assert len(sent) <= 2
            assert await place.desk.find_reply(ticket, "k") == again.id
            assert len(await box.all("Sent")) == 1
        if not was_cut:
            break
    assert cuts > 15 / step


async def test_mail_that_was_taken_counts_though_its_mark_stays() -> None:
    """The mailbox dies right after the mail server took the mail: posted, and not sent again."""
    async with imap_server() as box, cutting_line(box.port) as line, mail_place(box) as direct:
        ticket = (await direct.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await direct.desk.read(ticket)).stamp
        direct.allow(f"127.0.0.1:{line.port}")
        place = direct.with_settings(imap_port=line.port)

        async def dies(_: str) -> None:
            line.left = 0

        direct.postbox.before_answer = dies
        posted = await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        assert isinstance(posted, Posted)
        assert len(direct.postbox.taken) == 1


async def test_crash_after_the_draft_was_kept_is_tried_again() -> None:
    """The draft says "tried": the reply is sent, under the Message-ID that it had."""
    async with imap_server() as box, mail_place(box) as place:
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        taken = asyncio.Event()

        async def never(_: str) -> None:
            taken.set()
            await asyncio.sleep(3600)

        place.postbox.before_answer = never
        task = asyncio.ensure_future(place.desk.reply(ticket, "Hi", key="k", expect=stamp))
        await asyncio.wait_for(taken.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        place.postbox.before_answer = None
        assert (await place.desk.read(ticket)).stamp == stamp
        posted = await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        assert isinstance(posted, Posted)
        assert {sent["Message-ID"] for _, sent in place.postbox.taken} == {posted.id}
