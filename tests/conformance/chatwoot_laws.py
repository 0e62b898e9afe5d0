"""What Chatwoot does beside the laws of every helpdesk."""

import pytest

from app.connectors.chatwoot import CHATWOOT
from app.connectors.errors import CredentialsError
from app.connectors.helpdesk import AlreadyPosted, Change, Overtaken, Posted, Refused
from tests.conformance.chatwoot import ChatwootHarness
from tests.conformance.findings import said, survives_every_answer, wrong
from tests.conformance.helpdesk import ASKED, MORE, NOTE, REPLY, HelpdeskLaws, fresh_key, posted
from tests.doubles.chatwoot_state import EMMA
from tools.errors import UnavailableError

TEMPLATE = "Write {{ contact.email }} or {% raw %}x{% endraw %}; `{{code}}` and {{{ and a {b}."


class ChatwootLaws(HelpdeskLaws):
    """The laws of every helpdesk, and these."""

    async def test_bot_has_pending_conversations_only(self, harness: ChatwootHarness) -> None:
        """One that stands open is people's, assigned or not, also with the stamp as it is."""
        ticket_id = await harness.open_ticket("Open", ASKED)
        done = await harness.desk.change(ticket_id, Change(status="open"), key=fresh_key())
        assert isinstance(done, Posted)
        view = await harness.desk.read(ticket_id)
        assert (view.status, view.assignee) == ("open", "people")
        key = fresh_key()
        assert await harness.desk.reply(ticket_id, REPLY, key=key, expect=view.stamp) == Overtaken()
        assert isinstance(await harness.desk.note(ticket_id, NOTE, key=fresh_key()), Posted)

    async def test_assigned_person_is_not_spoken_over(self, harness: ChatwootHarness) -> None:
        """Whether Chatwoot opened the conversation for them or left it pending."""
        for handed in (False, True):
            ticket_id = await harness.open_ticket("Theirs", ASKED)
            if handed:
                await harness.hand_back(ticket_id)
            await harness.assign_person(ticket_id)
            view = await harness.desk.read(ticket_id)
            assert harness.conversation(ticket_id).status == ("open" if handed else "pending")
            assert view.assignee == harness.person
            key = fresh_key()
            answer = await harness.desk.reply(ticket_id, REPLY, key=key, expect=view.stamp)
            assert answer == Overtaken()

    async def test_status_of_a_persons_conversation_is_theirs(
        self, harness: ChatwootHarness
    ) -> None:
        """What becomes of a run's ticket does not take it from who has it meanwhile."""
        ticket_id = await harness.open_ticket("Theirs", ASKED)
        await harness.hand_back(ticket_id)
        await harness.assign_person(ticket_id)
        change = Change(status="pending", tags_add=("refund",))
        assert await harness.desk.change(ticket_id, change, key="k") == Overtaken()
        conversation = harness.conversation(ticket_id)
        assert (conversation.status, conversation.labels) == ("open", ["refund"])

    async def test_customer_who_writes_again_gets_the_bot(self, harness: ChatwootHarness) -> None:
        """A resolved conversation becomes the bot's by itself."""
        ticket_id = await harness.open_ticket("Again", ASKED)
        await harness.close_ticket(ticket_id)
        await harness.customer_writes(ticket_id, MORE)
        await posted(harness, ticket_id, REPLY)
        assert await harness.customer_saw(ticket_id) == [REPLY]

    async def test_template_in_a_reply_is_not_run(self, harness: ChatwootHarness) -> None:
        """Chatwoot runs what goes out as Liquid; the customer reads what was written."""
        ticket_id = await harness.open_ticket("Template", ASKED)
        key = fresh_key()
        await posted(harness, ticket_id, TEMPLATE, key)
        note = f"Draft: {TEMPLATE}"
        assert isinstance(await harness.desk.note(ticket_id, note, key=fresh_key()), Posted)
        said = (await harness.desk.read(ticket_id)).messages
        assert [message.text for message in said[1:]] == [TEMPLATE, note]
        assert [text.replace("\u2060", "") for text in await harness.customer_saw(ticket_id)] == [
            TEMPLATE
        ]
        assert "Ann" in harness.double.rendered(TEMPLATE), "the double runs templates"

    async def test_version_without_our_key_is_searched_by_text(
        self, harness: ChatwootHarness
    ) -> None:
        """An older Chatwoot keeps two attributes of a message only."""
        ticket_id = await harness.open_ticket("Old", ASKED)
        harness.double.keeps_attributes = False
        key, note_key = fresh_key(), fresh_key()
        first = await posted(harness, ticket_id, TEMPLATE, key)
        note = await harness.desk.note(ticket_id, NOTE, key=note_key)
        assert isinstance(note, Posted)
        stamp = (await harness.desk.read(ticket_id)).stamp
        again = await harness.desk.reply(ticket_id, TEMPLATE, key=key, expect=stamp)
        assert again == AlreadyPosted(first.id)
        assert await harness.desk.note(ticket_id, NOTE, key=note_key) == AlreadyPosted(note.id)

    async def test_long_conversation_is_read_from_its_end(self, harness: ChatwootHarness) -> None:
        """Twenty messages a call, and the newest two hundred at most."""
        ticket_id = await harness.open_ticket("Long", ASKED)
        key = fresh_key()
        first = await posted(harness, ticket_id, REPLY, key)
        for number in range(60):
            await harness.customer_writes(ticket_id, f"{number}")
        assert await harness.desk.find_reply(ticket_id, key) == first.id
        view = await harness.desk.read(ticket_id)
        assert [message.text for message in view.messages[2:]] == [str(n) for n in range(60)]
        for number in range(200):
            await harness.customer_writes(ticket_id, f"more {number}")
        texts = [message.text for message in (await harness.desk.read(ticket_id)).messages]
        assert (len(texts), texts[-1]) == (200, "more 199")

    async def test_authors_by_who_sent(self, harness: ChatwootHarness) -> None:
        """A reply without a sender came from a paired phone; rules and templates are automatic."""
        ticket_id = await harness.open_ticket("Authors", ASKED)
        conversation, double = harness.conversation(ticket_id), harness.double
        double.add(conversation, None, "From my phone.")
        double.add(conversation, None, "Welcome!", kind="template")
        double.add(conversation, None, "A rule.", attributes={"automation_rule_id": 4})
        double.add(conversation, double.users[EMMA], "Mine.")
        double.add(conversation, double.bot, "The bot's.")
        said = (await harness.desk.read(ticket_id)).messages
        assert [message.author for message in said] == [
            "customer", "person", "system", "system", "person", "bot",
        ]  # fmt: skip

    async def test_contact_is_verified_by_the_widgets_proof(self, harness: ChatwootHarness) -> None:
        """An identifier alone is what a page's visitor may claim."""
        ticket_id = await harness.open_ticket("Who", ASKED)
        harness.double.identifier = "cus_ann"
        requester = (await harness.desk.read(ticket_id)).requester
        assert (requester.external_id, requester.verified) == ("cus_ann", False)
        harness.conversation(ticket_id).hmac_verified = True
        assert (await harness.desk.read(ticket_id)).requester.verified
        harness.settings["external_id_field"] = "customer_id"
        assert not (await harness.desk.read(ticket_id)).requester.verified
        harness.double.contact_attributes["customer_id"] = " cus_2 "
        requester = (await harness.desk.read(ticket_id)).requester
        assert (requester.external_id, requester.verified) == ("cus_2", True)

    async def test_channel_that_takes_no_text_now_is_refused(
        self, harness: ChatwootHarness
    ) -> None:
        """As WhatsApp a day after the customer wrote."""
        ticket_id = await harness.open_ticket("Window", ASKED)
        harness.conversation(ticket_id).can_reply = False
        stamp = (await harness.desk.read(ticket_id)).stamp
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert isinstance(answer, Refused)
        assert "no free text" in answer.why

    async def test_limits_without_a_header_last_a_minute(self, harness: ChatwootHarness) -> None:
        """Chatwoot's limit of calls, and its limit of messages in a conversation."""
        ticket_id = await harness.open_ticket("Limits", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        harness.double.limited = 1
        with pytest.raises(UnavailableError) as caught:
            await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert caught.value.retry_after == 60
        harness.double.messages_left = 0
        with pytest.raises(UnavailableError) as caught:
            await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert caught.value.retry_after == 60
        assert await harness.customer_saw(ticket_id) == []

    async def test_too_long_a_text_is_refused(self, harness: ChatwootHarness) -> None:
        """With Chatwoot's words."""
        ticket_id = await harness.open_ticket("Long text", ASKED)
        answer = await harness.desk.note(ticket_id, "x" * 150_001, key=fresh_key())
        assert answer == Refused("Validation failed: Content is too long")

    async def test_unknown_label_is_named(self, harness: ChatwootHarness) -> None:
        """Chatwoot drops it without a word; the others are there."""
        ticket_id = await harness.open_ticket("Labels", ASKED)
        change = Change(tags_add=("VIP", "no such label"))
        answer = await harness.desk.change(ticket_id, change, key="k")
        assert isinstance(answer, Refused)
        assert "no-such-label" in answer.why
        assert harness.conversation(ticket_id).labels == ["vip"]

    async def test_older_version_changes_all_but_labels(self, harness: ChatwootHarness) -> None:
        """Its 401 for a bot is no refused token: replies go on."""
        ticket_id = await harness.open_ticket("Old bot", ASKED)
        harness.double.old_bots = True
        answer = await harness.desk.change(ticket_id, Change(tags_add=("vip",)), key="k")
        assert isinstance(answer, Refused)
        assert "change no labels" in answer.why
        await posted(harness, ticket_id, REPLY)

    async def test_unknown_person_is_refused(self, harness: ChatwootHarness) -> None:
        """By name or address a person is found."""
        ticket_id = await harness.open_ticket("Whom", ASKED)
        answer = await harness.desk.change(ticket_id, Change(assignee="Zoe"), key="k")
        assert isinstance(answer, Refused)
        assert isinstance(
            await harness.desk.change(ticket_id, Change(assignee="emma"), key="k"), Posted
        )
        assert (await harness.fields(ticket_id)).assignee == harness.person

    # What `test` says.

    async def test_check_finds_all_in_order(self, harness: ChatwootHarness) -> None:
        """Every finding is good, in whole sentences, and nothing was written."""
        await posted(harness, await harness.open_ticket("Check", ASKED), REPLY)
        before = len(harness.double.messages)
        found = await CHATWOOT.test(harness.opened)
        assert [check.name for check in found] == [
            "bot", "agent", "clock", "inbox", "first reply", "takeover", "customers", "by hand",
        ]  # fmt: skip
        assert all(check.ok for check in found), found
        assert all(check.says.endswith(".") for check in found)
        assert len(harness.double.messages) == before

    async def test_check_walks_through_the_first_day(self, harness: ChatwootHarness) -> None:
        """Nothing written yet, a key that was lost, a reply that its channel did not deliver."""
        ticket_id = await harness.open_ticket("Day", ASKED)
        assert "written nothing yet" in wrong(await CHATWOOT.test(harness.opened), "first reply")
        harness.double.keeps_attributes = False
        await posted(harness, ticket_id, REPLY)
        assert "lost its key" in wrong(await CHATWOOT.test(harness.opened), "first reply")
        harness.double.fail(harness.said(ticket_id)[-1], "window")
        assert "not delivered" in wrong(await CHATWOOT.test(harness.opened), "first reply")

    async def test_check_sees_who_wrote_last(self, harness: ChatwootHarness) -> None:
        """Silence after a person, a reply after one, a key that stands twice; who is proved."""
        ticket_id = await harness.open_ticket("Day", ASKED)
        assert "No person replied yet" in said(await CHATWOOT.test(harness.opened), "takeover")
        await posted(harness, ticket_id, REPLY)
        harness.conversation(ticket_id).hmac_verified = False
        assert "newest conversations, 0 have" in said(
            await CHATWOOT.test(harness.opened), "customers"
        )
        await harness.person_replies(ticket_id, MORE)
        assert "wrote nothing after" in said(await CHATWOOT.test(harness.opened), "takeover")
        await harness.assign_person(ticket_id)
        await harness.hand_back(ticket_id)
        await posted(harness, ticket_id, NOTE)
        assert "handed it back" in said(await CHATWOOT.test(harness.opened), "takeover")
        first, *_, last = [
            one for one in harness.said(ticket_id) if one.sender and one.sender.type == "agent_bot"
        ]
        last.content_attributes = first.content_attributes
        assert "twice" in wrong(await CHATWOOT.test(harness.opened), "first reply")

    async def test_check_says_which_token_is_wrong(self, harness: ChatwootHarness) -> None:
        """The bot's, the agent's, or each in the other's place."""
        ticket_id = await harness.open_ticket("Tokens", ASKED)
        bot, agent = harness.bot_token, harness.agent_token
        harness.bot_token = "wrong"
        assert "does not take the bot's token" in wrong(await CHATWOOT.test(harness.opened), "bot")
        harness.bot_token = agent
        assert "a person's" in wrong(await CHATWOOT.test(harness.opened), "bot")
        harness.bot_token, harness.agent_token = bot, bot
        assert "agent's token" in wrong(await CHATWOOT.test(harness.opened), "agent")
        with pytest.raises(CredentialsError):
            await harness.desk.read(ticket_id)

    async def test_check_says_that_the_account_is_another(self, harness: ChatwootHarness) -> None:
        """Both tokens are of one account."""
        harness.settings["account_id"] = 2
        found = await CHATWOOT.test(harness.opened)
        assert [check.ok for check in found] == [False, False]

    async def test_check_says_that_nothing_answers(self, harness: ChatwootHarness) -> None:
        """Neither an error nor half a page is an exception."""
        await survives_every_answer(harness, CHATWOOT)
