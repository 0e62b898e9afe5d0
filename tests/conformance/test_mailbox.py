"""A mailbox passes the laws of every helpdesk, but for the fields that it has not."""

from collections.abc import AsyncIterator

import pytest

from app.connectors.helpdesk import Change, Refused
from tests.conformance.harness import Harness
from tests.conformance.helpdesk import (
    ASKED,
    MORE,
    MOST_CALLS,
    NOTE,
    HelpdeskLaws,
    fresh_key,
    posted,
)
from tests.conformance.mailbox import MailboxHarness, doubled_mailbox

# `make test` loses the answer of one call in so many, `make thorough` of each.
EVERY = 4


class TestMailbox(HelpdeskLaws):
    """The connector, over pymap and an SMTP server."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[MailboxHarness]:
        """A new mailbox."""
        async with doubled_mailbox() as harness:
            yield harness

    @pytest.fixture
    def lost_at(self, *, thorough: bool) -> range:
        """A call here is some commands of IMAP, and each of them waits for its answer."""
        return range(0, MOST_CALLS, 1 if thorough else EVERY)

    async def test_stamp_changes_with_everything(self, harness: Harness) -> None:
        """Every mail, by anyone; there are no fields."""
        ticket_id = await harness.open_ticket("Stamps", ASKED)
        stamps = [(await harness.desk.read(ticket_id)).stamp]
        assert (await harness.desk.read(ticket_id)).stamp == stamps[0]
        for step in (
            lambda: harness.customer_writes(ticket_id, MORE),
            lambda: harness.person_notes(ticket_id, "Hm."),
            lambda: harness.desk.note(ticket_id, NOTE, key=fresh_key()),
            lambda: posted(harness, ticket_id, "An answer."),
            lambda: harness.assign_person(ticket_id),
            lambda: harness.hand_back(ticket_id),
        ):
            await step()
            stamps.append((await harness.desk.read(ticket_id)).stamp)
        assert len(set(stamps)) == len(stamps)

    async def test_status_is_read_in_our_words(self, harness: Harness) -> None:
        """A mailbox has none: it is always open, and a change is refused."""
        ticket_id = await harness.open_ticket("Status", ASKED)
        change = await harness.desk.change(ticket_id, Change(status="solved"), key=fresh_key())
        assert isinstance(change, Refused)
        assert (await harness.desk.read(ticket_id)).status == "open"

    async def test_change_whose_answer_is_lost_may_be_repeated(self, harness: Harness) -> None:
        """It is refused each time, whatever was lost."""
        ticket_id = await harness.open_ticket("Lost change", ASKED)
        for _ in range(2):
            change = await harness.desk.change(ticket_id, Change(priority="high"), key="c")
            assert isinstance(change, Refused)
