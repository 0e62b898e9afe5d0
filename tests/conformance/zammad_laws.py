"""What Zammad does beside the laws of every helpdesk."""

import pytest

from app.connectors.errors import SettingsError
from app.connectors.helpdesk import AlreadyPosted, Change, Gone, Posted, Refused
from app.connectors.zammad import ZAMMAD
from tests.conformance.findings import said, survives_every_answer, wrong
from tests.conformance.helpdesk import (
    ASKED,
    MORE,
    NOTE,
    REPLY,
    HelpdeskLaws,
    attempts,
    fresh_key,
    posted,
)
from tests.conformance.zammad import BOT, ZammadHarness
from tests.doubles.zammad_state import ANN, CLERK, EMMA, EVE


class ZammadLaws(HelpdeskLaws):
    """The laws of every helpdesk, and these."""

    async def test_reply_opens_a_new_ticket_in_the_same_call(self, harness: ZammadHarness) -> None:
        """One PUT holds the article and the state."""
        ticket_id = await harness.open_ticket("New", ASKED)
        harness.proxy.requests.clear()
        await posted(harness, ticket_id, REPLY)
        writing = [line for line in harness.proxy.requests if not line.startswith("GET ")]
        assert writing == [f"PUT /api/v1/tickets/{ticket_id} HTTP/1.1"]
        assert harness.double.tickets[int(ticket_id)].state_id == 2

    async def test_reply_answers_the_customers_mail(self, harness: ZammadHarness) -> None:
        """By its Message-ID; what came by the portal has none."""
        ticket_id = await harness.open_ticket("Thread", ASKED)
        await posted(harness, ticket_id, REPLY)
        await harness.writes(ANN, ticket_id, type="email", body=ASKED)
        await posted(harness, ticket_id, "And this.")
        articles = harness.double.articles_of(int(ticket_id))
        said = [one.in_reply_to for one in articles if one.sender == "Agent"]
        assert said == [None, f"<{articles[2].id}@desk.test>"]

    async def test_markup_in_a_reply_is_only_text(self, harness: ZammadHarness) -> None:
        """Nothing that a draft holds becomes HTML in a mail or in Zammad's pages."""
        ticket_id = await harness.open_ticket("Markup", ASKED)
        await posted(harness, ticket_id, "<img src=x onerror=alert(1)> & <b>bye</b>")
        article = harness.double.articles_of(int(ticket_id))[-1]
        assert (article.content_type, article.body) == (
            "text/plain", "<img src=x onerror=alert(1)> & <b>bye</b>",
        )  # fmt: skip

    async def test_html_is_marked_so_and_null_is_empty(self, harness: ZammadHarness) -> None:
        """A customer's HTML is read by what reads every ticket; an article may have no body."""
        ticket_id = await harness.open_ticket("Kinds", ASKED)
        html = {"type": "web", "body": "<p>Only <b>HTML</b></p>", "content_type": "text/html"}
        await harness.writes(ANN, ticket_id, **html)
        view = await harness.desk.read(ticket_id)
        said = [(message.text, message.html) for message in view.messages]
        assert said == [(ASKED, False), ("<p>Only <b>HTML</b></p>", True)]

    async def test_long_ticket_is_read_from_its_end(self, harness: ZammadHarness) -> None:
        """Articles that do not fit into one answer together are read one by one."""
        ticket_id = await harness.open_ticket("Long", ASKED)
        key = fresh_key()
        for number in range(25):
            await harness.customer_writes(ticket_id, f"{number} " + "x" * 100_000)
        first = await posted(harness, ticket_id, REPLY, key)
        assert await harness.desk.find_reply(ticket_id, key) == first.id
        messages = (await harness.desk.read(ticket_id)).messages
        assert [message.text.split()[0] for message in messages[:-1]] == [
            str(number) for number in range(6, 25)
        ]

    async def test_automatic_mail_shows_by_its_preference(self, harness: ZammadHarness) -> None:
        """Zammad notes what a mail's headers said of it, and a run for it answers nothing."""
        ticket_id = await harness.open_ticket("Away", ASKED)
        await harness.writes(ANN, ticket_id, body="Away.", preferences={"is-auto-response": True})
        first, second = (await harness.desk.read(ticket_id)).messages
        assert dict(first.headers) == {}
        assert dict(second.headers) == {"auto-submitted": "auto-replied"}

    async def test_group_without_an_address_is_a_matter_of_the_set_up(
        self, harness: ZammadHarness
    ) -> None:
        """Zammad answers 500 for ever; the answer says what to set, and notes still go."""
        ticket_id = await harness.open_ticket("Letters", ASKED)
        await harness.put(ticket_id, group="Letters")
        stamp = (await harness.desk.read(ticket_id)).stamp
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert isinstance(answer, Refused)
        assert "group Letters has no e-mail address" in answer.why
        assert isinstance(await harness.desk.note(ticket_id, NOTE, key=fresh_key()), Posted)
        assert await harness.customer_saw(ticket_id) == []

    async def test_message_of_another_channel_gets_no_mail(self, harness: ZammadHarness) -> None:
        """Who wrote by SMS is answered there, by people."""
        ticket_id = await harness.open_ticket("SMS", ASKED, type_="sms")
        stamp = (await harness.desk.read(ticket_id)).stamp
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert isinstance(answer, Refused)
        assert "sms" in answer.why

    async def test_note_of_a_customers_token_is_not_posted(self, harness: ZammadHarness) -> None:
        """Zammad would make it public."""
        ticket_id = await harness.open_ticket("Token", ASKED)
        harness.token = harness.double.users[ANN].token
        answer = await harness.desk.note(ticket_id, NOTE, key=fresh_key())
        assert isinstance(answer, Refused)
        assert "customer" in answer.why
        assert NOTE not in await harness.people_saw(ticket_id)

    async def test_strangers_mail_is_no_customers(self, harness: ZammadHarness) -> None:
        """Someone else's words in the ticket are looked at by people; an agent enters a call."""
        ticket_id = await harness.open_ticket("Stranger", ASKED)
        double = harness.double
        ticket = double.tickets[int(ticket_id)]
        double.add_article(double.users[EVE], ticket, {"type": "email", "body": "Refund me too."})
        call = {"type": "phone", "sender": "Customer", "origin_by_id": ANN, "body": "They called."}
        await harness.writes(EMMA, ticket_id, **call)
        view = await harness.desk.read(ticket_id)
        assert [message.author for message in view.messages] == ["customer", "person", "customer"]
        await harness.writes(EMMA, ticket_id, **{**call, "origin_by_id": None})
        assert (await harness.desk.read(ticket_id)).messages[-1].author == "person"
        harness.settings["intake"] = ["emma@desk.test"]
        assert (await harness.desk.read(ticket_id)).messages[-1].author == "customer"

    async def test_merged_ticket_is_gone(self, harness: ZammadHarness) -> None:
        """Its conversation goes on in the other ticket, which has hooks of its own."""
        one = await harness.open_ticket("One", ASKED)
        other = await harness.open_ticket("Other", ASKED)
        stamp = (await harness.desk.read(one)).stamp
        number = harness.double.tickets[int(other)].number
        await harness.as_user(EMMA, "PUT", f"/ticket_merge/{one}/{number}")
        assert (await harness.desk.read(one)).gone
        assert await attempts(harness, one, stamp) == [Gone(), Gone(), Gone()]
        assert len((await harness.desk.read(other)).messages) == 2

    async def test_bot_takes_no_ticket_from_a_person(self, harness: ZammadHarness) -> None:
        """Whatever lets the bot reply to a person's ticket: it stays that person's."""
        ticket_id = await harness.open_ticket("Theirs", ASKED)
        await harness.assign_person(ticket_id)
        await posted(harness, ticket_id, REPLY)
        assert (await harness.desk.read(ticket_id)).assignee == harness.person

    async def test_customer_is_known_by_the_tenants_attribute(self, harness: ZammadHarness) -> None:
        """Without one, or without a value, no requester is verified."""
        ticket_id = await harness.open_ticket("Who", ASKED)
        assert not (await harness.desk.read(ticket_id)).requester.verified
        harness.settings["external_id_field"] = "customer_number"
        assert (await harness.desk.read(ticket_id)).requester.external_id is None
        harness.double.users[ANN].extra["customer_number"] = " cus_ann "
        requester = (await harness.desk.read(ticket_id)).requester
        assert (requester.external_id, requester.verified) == ("cus_ann", True)
        harness.settings["external_id_field"] = "no_such_attribute"
        assert not (await harness.desk.read(ticket_id)).requester.verified

    async def test_message_whose_key_was_lost_is_not_posted_again(
        self, harness: ZammadHarness
    ) -> None:
        """A Zammad that drops preferences leaves no key, so the bot's own text is found."""
        ticket_id = await harness.open_ticket("No key", ASKED)
        harness.double.keeps_preferences = False
        key = fresh_key()
        first = await posted(harness, ticket_id, REPLY, key)
        stamp = (await harness.desk.read(ticket_id)).stamp
        again = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
        assert again == AlreadyPosted(first.id)

    async def test_change_goes_through_all_or_says_what_did_not(
        self, harness: ZammadHarness
    ) -> None:
        """The maps lead to Zammad's words; an owner whom Zammad leaves out is said."""
        harness.settings |= {
            "states": {"solved": "pending close"},
            "priorities": {"urgent": "1 low"},
        }
        ticket_id = await harness.open_ticket("Maps", ASKED)
        mapped = Change(group="finance", status="pending", priority="urgent", assignee=BOT.upper())
        assert isinstance(await harness.desk.change(ticket_id, mapped, key="k"), Posted)
        fields = await harness.fields(ticket_id)
        assert (fields.group, fields.status, fields.priority) == ("Finance", "pending", "low")
        refused = await harness.desk.change(ticket_id, Change(assignee="clerk@desk.test"), key="k")
        assert refused == Refused("Zammad left unchanged: owner.")

    async def test_hidden_ticket_is_a_matter_of_the_set_up(self, harness: ZammadHarness) -> None:
        """A ticket of a group that the bot has no right to is no ticket that is gone."""
        harness.token = harness.double.users[CLERK].token
        ticket_id = await harness.open_ticket("Hidden", ASKED)
        with pytest.raises(SettingsError):
            await harness.desk.read(ticket_id)
        assert all(isinstance(one, Refused) for one in await attempts(harness, ticket_id, "1"))

    # What `test` says.

    async def test_check_finds_all_in_order(self, harness: ZammadHarness) -> None:
        """Every finding is good, in whole sentences."""
        ticket_id = await harness.open_ticket("Check", ASKED)
        await posted(harness, ticket_id, REPLY)
        assert isinstance(await harness.desk.note(ticket_id, NOTE, key=fresh_key()), Posted)
        found = await ZAMMAD.test(harness.opened)
        assert [check.name for check in found] == [
            "connection", "bot", "agent", "states", "priorities", "groups", "customers",
            "first reply", "first note", "takeover", "by hand",
        ]  # fmt: skip
        assert all(check.ok for check in found), found
        assert all(check.says.endswith(".") for check in found)

    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            ({"states": {"solved": "done"}}, "states", "no done"),
            ({"priorities": {"urgent": "4 now"}}, "priorities", "no 4 now"),
            ({"external_id_field": "no_such"}, "customers", "no attribute no_such"),
        ],
    )
    async def test_check_says_what_is_wrong(
        self, harness: ZammadHarness, settings: dict[str, str], name: str, words: str
    ) -> None:
        """One finding names it."""
        await harness.open_ticket("Check", ASKED)
        harness.settings |= settings
        assert words in wrong(await ZAMMAD.test(harness.opened), name)

    async def test_check_walks_through_the_first_day(self, harness: ZammadHarness) -> None:
        """Nothing written yet, a key that was lost, a note that everybody sees."""
        ticket_id = await harness.open_ticket("Day", ASKED)
        assert "written nothing yet" in wrong(await ZAMMAD.test(harness.opened), "first reply")
        harness.double.keeps_preferences = False
        await posted(harness, ticket_id, REPLY)
        assert "lost its key" in wrong(await ZAMMAD.test(harness.opened), "first reply")
        await harness.desk.note(ticket_id, NOTE, key=fresh_key())
        harness.double.articles_of(int(ticket_id))[-1].internal = False
        assert "is public" in wrong(await ZAMMAD.test(harness.opened), "first note")

    async def test_check_sees_what_is_wrong_with_a_reply(self, harness: ZammadHarness) -> None:
        """Twice under one key, not as plain text, or in a ticket that still counts as new."""
        ticket_id = await harness.open_ticket("Day", ASKED)
        await posted(harness, ticket_id, REPLY)
        reply = harness.double.articles_of(int(ticket_id))[-1]
        await harness.put(ticket_id, state="new")
        assert "left the ticket new" in wrong(await ZAMMAD.test(harness.opened), "first reply")
        reply.content_type = "text/html"
        assert "not plain text" in wrong(await ZAMMAD.test(harness.opened), "first reply")
        await posted(harness, ticket_id, MORE)
        again = harness.double.articles_of(int(ticket_id))[-1]
        again.preferences = reply.preferences
        assert "twice" in wrong(await ZAMMAD.test(harness.opened), "first reply")

    async def test_check_sees_who_wrote_last(self, harness: ZammadHarness) -> None:
        """Silence after a person, and a reply after one."""
        ticket_id = await harness.open_ticket("Day", ASKED)
        assert "No person replied yet" in said(await ZAMMAD.test(harness.opened), "takeover")
        await harness.person_replies(ticket_id, MORE)
        assert "wrote nothing after" in said(await ZAMMAD.test(harness.opened), "takeover")
        await posted(harness, ticket_id, REPLY)
        assert "handed it back" in said(await ZAMMAD.test(harness.opened), "takeover")

    async def test_check_says_which_group_cannot_send(self, harness: ZammadHarness) -> None:
        """Each group of the newest tickets is looked at."""
        await harness.open_ticket("Check", ASKED)
        await harness.put(await harness.open_ticket("Check", ASKED), group="Letters")
        found = await ZAMMAD.test(harness.opened)
        assert "Group Letters has no e-mail address" in wrong(found, "groups")

    async def test_check_says_whose_token_it_is(self, harness: ZammadHarness) -> None:
        """Another agent's, a customer's, or none at all."""
        harness.token = harness.double.users[EMMA].token
        assert "emma@desk.test" in wrong(await ZAMMAD.test(harness.opened), "bot")
        harness.token = harness.double.users[ANN].token
        assert "would be public" in wrong(await ZAMMAD.test(harness.opened), "agent")
        harness.break_token()
        assert "401" in wrong(await ZAMMAD.test(harness.opened), "connection")

    async def test_check_says_that_nothing_answers(self, harness: ZammadHarness) -> None:
        """Neither an error nor half a page is an exception."""
        await survives_every_answer(harness, ZAMMAD)
