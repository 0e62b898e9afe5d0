"""The laws of the port through which a run speaks: `Conversations` of tools/ports.py.

The local desk of our own tables, the same desk before a connected one, and the fake of the unit
tests run them. A connected desk itself has the laws of helpdesk.py.
"""

import asyncio
from collections import Counter
from typing import Protocol
from uuid import uuid4

from tools.models import Handoff, SentReply
from tools.ports import Conversations

TEXT, OTHER = "We gave it back: 12,50 € — tschüß.", "Something else."
Said = tuple[str, bool]


class Place(Protocol):
    """A desk of one tenant, and what it holds of a ticket."""

    @property
    def conversations(self) -> Conversations:
        """The port."""
        ...

    async def said(self, ticket_id: str) -> list[Said]:
        """Every reply of the ticket, with whether it is public, oldest first."""
        ...

    async def handoffs(self, ticket_id: str) -> list[str]:
        """The summaries of the ticket's hand-offs, oldest first."""
        ...


def fresh() -> str:
    """A name that no other test uses."""
    return str(uuid4())


async def reply(
    place: Place, ticket_id: str, key: str, text: str = TEXT, *, public: bool = True
) -> SentReply:
    """One reply, which cites one article."""
    return await place.conversations.reply(ticket_id, text, ["a-1"], public=public, key=key)


async def hand_off(place: Place, ticket_id: str, key: str, summary: str = TEXT) -> Handoff:
    """One hand-off."""
    return await place.conversations.open_handoff(ticket_id, "billing", "high", summary, key=key)


class ReplyLaws:
    """Each law is one test. A subclass gives the fixture `place`."""

    async def test_reply_is_there_as_it_was_written(self, place: Place) -> None:
        """And the answer says so."""
        ticket = fresh()
        sent = await reply(place, ticket, fresh())
        assert (sent["text"], sent["citations"], sent["public"]) == (TEXT, ["a-1"], True)
        assert await place.said(ticket) == [(TEXT, True)]

    async def test_repeated_key_answers_the_first_reply(self, place: Place) -> None:
        """Also with another text, and with another eye on who may see it."""
        ticket, key = fresh(), fresh()
        first = await reply(place, ticket, key)
        assert await reply(place, ticket, key) == first
        assert await reply(place, ticket, key, OTHER, public=False) == first
        assert await place.said(ticket) == [(TEXT, True)]

    async def test_key_that_comes_many_times_at_once_is_one_reply(self, place: Place) -> None:
        """Two workers may believe that the run is theirs."""
        ticket, key = fresh(), fresh()
        sent = await asyncio.gather(*(reply(place, ticket, key) for _ in range(5)))
        assert all(each == sent[0] for each in sent)
        assert len(await place.said(ticket)) == 1

    async def test_other_key_is_another_reply(self, place: Place) -> None:
        """Of the same ticket, with the same words."""
        ticket = fresh()
        for _ in range(2):
            await reply(place, ticket, fresh())
        assert await place.said(ticket) == [(TEXT, True)] * 2

    async def test_private_reply_is_never_public(self, place: Place) -> None:
        """A repetition does not make it so."""
        ticket, key = fresh(), fresh()
        for public in (False, True):
            sent = await reply(place, ticket, key, public=public)
            assert sent["public"] is False
        assert await place.said(ticket) == [(TEXT, False)]

    async def test_reply_that_was_broken_off_is_there_once_after_the_next_try(
        self, place: Place
    ) -> None:
        """Wherever it was broken off: the caller does not know whether it is there."""
        ends: Counter[bool] = Counter()
        for tries in range(20):
            ticket, key = fresh(), fresh()
            trying = asyncio.create_task(reply(place, ticket, key))
            await asyncio.sleep(tries / 2000)
            ends[trying.cancel()] += 1
            await asyncio.gather(trying, return_exceptions=True)
            await reply(place, ticket, key)
            assert await place.said(ticket) == [(TEXT, True)]
        assert ends.total() == 20

    async def test_hand_off_is_there_once_under_its_key(self, place: Place) -> None:
        """A repetition answers the first one, whatever it says."""
        ticket, key = fresh(), f"handoff:{fresh()}"
        first = await hand_off(place, ticket, key)
        again = await hand_off(place, ticket, key, OTHER)
        assert (again["id"], again["skill"], again["urgency"]) == (first["id"], "billing", "high")
        assert await place.handoffs(ticket) == [TEXT]

    async def test_open_hand_off_of_a_ticket_is_that_one_still(self, place: Place) -> None:
        """Another run of the ticket opens none beside it."""
        ticket = fresh()
        first = await hand_off(place, ticket, f"handoff:{fresh()}")
        assert (await hand_off(place, ticket, f"handoff:{fresh()}"))["id"] == first["id"]
        assert len(await place.handoffs(ticket)) == 1

    async def test_tickets_have_hand_offs_of_their_own(self, place: Place) -> None:
        """Two tickets are two hand-offs."""
        one, other = fresh(), fresh()
        first = await hand_off(place, one, f"handoff:{fresh()}")
        second = await hand_off(place, other, f"handoff:{fresh()}")
        assert first["id"] != second["id"]
        assert [len(await place.handoffs(ticket)) for ticket in (one, other)] == [1, 1]
