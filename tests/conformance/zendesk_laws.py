"""What Zendesk does beside the laws of every helpdesk."""

from functools import partial
from typing import Any

import pytest

from app.connectors.connector import Check
from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.helpdesk import (
    AlreadyPosted,
    Change,
    Closed,
    Gone,
    Overtaken,
    Posted,
    Refused,
)
from app.connectors.zendesk import ZENDESK
from app.connectors.zendesk.hook import NEEDED, TYPE
from tests.conformance.helpdesk import ASKED, NOTE, REPLY, HelpdeskLaws, attempts, fresh_key, posted
from tests.conformance.zendesk import ZendeskHarness
from tests.doubles.zendesk_double import ZdWebhook
from tests.doubles.zendesk_state import BOT, CUSTOMER, PERSON, STRANGER
from tools.errors import UnavailableError

EVENTS = [f"{TYPE}{name}" for name in NEEDED]


class ZendeskLaws(HelpdeskLaws):
    """The laws of every helpdesk, and these."""

    # Replies.

    async def test_reply_is_one_update_with_all_that_belongs_to_it(
        self, harness: ZendeskHarness
    ) -> None:
        """Comment, status, tags and our key in one audit, so that nothing comes in between."""
        harness.settings["on_reply"] = {"status": "pending", "tags_add": ["Bot Replied"]}
        ticket_id = await harness.open_ticket("One", ASKED)
        before, key = len(harness.at(ticket_id).audits), fresh_key()
        await posted(harness, ticket_id, REPLY, key)
        [audit] = harness.at(ticket_id).audits[before:]
        changed = {event.get("field_name", event["type"]) for event in audit.events}
        assert changed == {"Comment", "status", "tags"}
        assert audit.custom == {"deskgraph_key": key}
        assert harness.at(ticket_id).tags == ["bot_replied"]

    async def test_words_of_a_reply_are_never_executed(self, harness: ZendeskHarness) -> None:
        """A placeholder that a customer wrote, and that a reply quotes, stays what it is."""
        ticket_id = await harness.open_ticket("Liquid", ASKED)
        text = "You wrote: {{ticket.id}} {% if %} **bold** <script>x</script>"
        await posted(harness, ticket_id, text)
        await harness.desk.note(ticket_id, text, key=fresh_key())
        assert await harness.customer_saw(ticket_id) == [text]
        assert [comment.body for comment in harness.at(ticket_id).comments[1:]] == [text, text]

    async def test_change_within_the_same_second_is_seen(self, harness: ZendeskHarness) -> None:
        """Stamps have whole seconds, so a reply waits until the last change's second is over."""
        harness.double.real_clock = True
        await harness.desk.read(await harness.open_ticket("Another", ASKED))
        ticket_id = await harness.open_ticket("Same second", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        note = {"comment": {"body": "I call them.", "public": False}}
        happens = partial(harness.double.update, PERSON, int(ticket_id), note)
        harness.double.meanwhile = ("PUT", happens)
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert answer == Overtaken()
        assert harness.double.meanwhile is None
        assert await harness.customer_saw(ticket_id) == []

    async def test_collision_of_the_database_is_tried_again(self, harness: ZendeskHarness) -> None:
        """It is no person's change; one that stays is unknown, and looked at later."""
        ticket_id = await harness.open_ticket("Collision", ASKED)
        harness.double.database_conflicts = 2
        await posted(harness, ticket_id, REPLY)
        harness.double.database_conflicts = 1
        assert isinstance(await harness.desk.note(ticket_id, NOTE, key=fresh_key()), Posted)
        harness.double.database_conflicts = 1
        change = Change(status="pending")
        assert isinstance(await harness.desk.change(ticket_id, change, key="c"), Posted)
        harness.double.database_conflicts = 9
        with pytest.raises(UnavailableError):
            await posted(harness, ticket_id, "More.")
        harness.double.database_conflicts = 0
        assert await harness.customer_saw(ticket_id) == [harness.at(ticket_id).comments[1].body]

    async def test_ticket_with_too_many_comments_is_refused(self, harness: ZendeskHarness) -> None:
        """In Zendesk's words, and no follow-up is opened: the ticket is not closed."""
        harness.settings["follow_up"] = True
        ticket_id = await harness.open_ticket("Full", ASKED)
        harness.double.max_comments = 1
        stamp = (await harness.desk.read(ticket_id)).stamp
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert isinstance(answer, Refused)
        assert "more than 1 comments" in answer.why
        assert len(harness.double.tickets) == 1

    # Limits.

    async def test_limit_of_one_ticket_holds_up_that_ticket_alone(
        self, harness: ZendeskHarness
    ) -> None:
        """Before Zendesk refuses: its refusal would make the whole connection wait."""
        harness.double.real_clock = True
        ticket_id = await harness.open_ticket("Busy", ASKED)
        for number in range(28):
            harness.double.update(BOT, int(ticket_id), {"tags": [f"t{number}"]})
        with pytest.raises(UnavailableError) as caught:
            await harness.desk.note(ticket_id, NOTE, key=fresh_key())
        assert caught.value.retry_after is None
        other = await harness.open_ticket("Other", ASKED)
        assert isinstance(await harness.desk.note(other, NOTE, key=fresh_key()), Posted)

    async def test_limit_of_an_endpoint_is_obeyed_whatever_remains(
        self, harness: ZendeskHarness
    ) -> None:
        """A 429 comes while hundreds of calls of the account remain; its time counts."""
        ticket_id = await harness.open_ticket("Endpoint", ASKED)
        for number in range(30):
            harness.double.update(BOT, int(ticket_id), {"tags": [f"t{number}"]})
        with pytest.raises(UnavailableError) as caught:
            await harness.desk.note(ticket_id, NOTE, key=fresh_key())
        assert caught.value.retry_after == 480

    # Tickets that are over.

    async def test_closed_ticket_gets_one_follow_up(self, harness: ZendeskHarness) -> None:
        """For its requester, whatever answer is lost; found again by its key."""
        harness.settings["follow_up"] = True
        for after in range(9):
            ticket_id = await harness.open_ticket("Closed", ASKED)
            harness.update(ticket_id, PERSON, tags=["vip"])
            stamp, key = (await harness.desk.read(ticket_id)).stamp, fresh_key()
            await harness.close_ticket(ticket_id)
            harness.lose_answer(after)
            try:
                await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
            except UnavailableError:
                assert not harness.fault_waits
            last = harness.fault_waits
            harness.forget_faults()
            # Days later, when Zendesk no longer knows the Idempotency-Key.
            harness.double.created.clear()
            again = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
            assert isinstance(again, Posted | AlreadyPosted)
            assert await harness.desk.find_reply(ticket_id, key) == again.id
            [follow_up] = [
                t for t in harness.double.tickets.values() if t.followup_of == int(ticket_id)
            ]
            assert again.id == f"ticket {follow_up.id}"
            assert (follow_up.requester_id, follow_up.tags) == (CUSTOMER, ["vip"])
            assert len(await harness.customer_saw(str(follow_up.id))) == 1
            view = await harness.desk.read(str(follow_up.id))
            assert [(m.author, m.key) for m in view.messages] == [("bot", key)]
            if last:
                return
        pytest.fail("a follow-up takes too many calls")

    async def test_notes_and_changes_of_a_closed_ticket_are_not_taken(
        self, harness: ZendeskHarness
    ) -> None:
        """Nor what has nothing to do there."""
        harness.settings["follow_up"] = True
        ticket_id = await harness.open_ticket("Closed", ASKED)
        await harness.close_ticket(ticket_id)
        assert await harness.desk.note(ticket_id, NOTE, key=fresh_key()) == Closed()
        assert await harness.desk.change(ticket_id, Change(status="open"), key="c") == Closed()
        assert isinstance(await harness.desk.change(ticket_id, Change(), key="c"), AlreadyPosted)

    async def test_merged_ticket_is_gone(self, harness: ZendeskHarness) -> None:
        """Its conversation goes on in the other one, so it gets no follow-up."""
        harness.settings["follow_up"] = True
        ticket_id = await harness.open_ticket("Merged", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        harness.update(ticket_id, PERSON, status="closed", additional_tags=["closed_by_merge"])
        assert (await harness.desk.read(ticket_id)).gone
        assert await attempts(harness, ticket_id, stamp) == [Gone(), Gone(), Gone()]

    async def test_ticket_deleted_within_a_look_is_looked_at_again(
        self, harness: ZendeskHarness
    ) -> None:
        """It is no matter of the set-up; the next look finds it gone."""
        for part in ("audits", "comments"):
            ticket_id = await harness.open_ticket("Deleted", ASKED)
            path = f"GET tickets/{ticket_id}/{part}"
            harness.double.meanwhile = (path, partial(harness.double.deleted.add, int(ticket_id)))
            with pytest.raises(UnavailableError):
                await harness.desk.read(ticket_id)
            assert (await harness.desk.read(ticket_id)).gone

    # Who wrote.

    async def test_authors_are_distinguished(self, harness: ZendeskHarness) -> None:
        """One in copy is no customer, the bot's user without our key a person, a rule neither."""
        ticket_id = await harness.open_ticket("Who", ASKED)
        harness.say(ticket_id, STRANGER, "Me too.")
        harness.say(ticket_id, BOT, "Typed by a person with the bot's account.")
        harness.double.update(-1, int(ticket_id), {"comment": {"body": "By a rule."}}, "rule")
        # Only the bot's own updates hold keys of ours.
        forged = {"comment": {"body": "Hi."}, "metadata": {"deskgraph_key": "reply:x"}}
        harness.double.update(PERSON, int(ticket_id), forged)
        await harness.desk.note(ticket_id, NOTE, key="note:1")
        view = await harness.desk.read(ticket_id)
        assert [message.author for message in view.messages] == [
            "customer", "person", "person", "system", "person", "bot",
        ]  # fmt: skip
        assert view.own_keys == {"note:1"}
        assert await harness.desk.find_reply(ticket_id, "reply:x") is None

    async def test_customer_is_known_where_the_channel_proves_it(
        self, harness: ZendeskHarness
    ) -> None:
        """By the external id that the tenant gave, and no comment of theirs in doubt."""
        harness.double.users[CUSTOMER].external_id = "cus_ann"
        ticket_id = await harness.open_ticket("Who", ASKED)
        assert not (await harness.desk.read(ticket_id)).requester.verified
        harness.settings["proven_channels"] = ["web"]
        requester = (await harness.desk.read(ticket_id)).requester
        assert (requester.external_id, requester.verified) == ("cus_ann", True)
        harness.say(ticket_id, CUSTOMER, "Refund me.", trusted=False)
        assert not (await harness.desk.read(ticket_id)).requester.verified
        other = await harness.open_ticket("Mail", ASKED)
        given = {"comment": {"body": "By mail."}}
        harness.double.update(CUSTOMER, int(other), given, "email")
        assert not (await harness.desk.read(other)).requester.verified

    async def test_long_ticket_is_read_to_its_end(self, harness: ZendeskHarness) -> None:
        """By pages, in shorter ones where the texts are long; our key is found in any of them."""
        ticket_id, key = await harness.open_ticket("Long", ASKED), fresh_key()
        await posted(harness, ticket_id, REPLY, key)
        for number in range(130):
            text = "ü" * 60_000 if number % 10 == 0 else f"Message {number}."
            harness.say(ticket_id, CUSTOMER, text)
        view = await harness.desk.read(ticket_id)
        assert len(view.messages) == 132
        assert view.messages[1].key == key
        assert view.messages[-1].text == "Message 129."
        harness.double.ignores_sort = True
        assert (await harness.desk.read(ticket_id)).messages == view.messages

    async def test_newest_of_a_very_long_ticket_decide(self, harness: ZendeskHarness) -> None:
        """Where only its oldest part could be read, it is not answered."""
        ticket_id = await harness.open_ticket("Very long", ASKED)
        for number in range(2001):
            harness.say(ticket_id, CUSTOMER, f"Message {number}.")
        assert (await harness.desk.read(ticket_id)).messages[-1].text == "Message 2000."
        harness.double.ignores_sort = True
        with pytest.raises(SettingsError, match="too long"):
            await harness.desk.read(ticket_id)

    # Tokens.

    async def test_token_that_ended_is_renewed_once(self, harness: ZendeskHarness) -> None:
        """Within the call that it was refused in; nothing is asked for while it lives."""
        ticket_id = await harness.open_ticket("Token", ASKED)
        await harness.desk.read(ticket_id)
        harness.double.end_tokens()
        await posted(harness, ticket_id, REPLY)
        assert harness.double.grants == ["client_credentials"] * 2

    @pytest.mark.parametrize("says_expiry", [True, False])
    async def test_refresh_token_is_replaced_each_time(
        self, harness: ZendeskHarness, says_expiry: bool
    ) -> None:
        """A refresh ends the pair before it; the first refresh token is never used again."""
        harness.double.says_expiry = says_expiry
        harness.refresh_token = harness.double.authorize()
        ticket_id = await harness.open_ticket("Refresh", ASKED)
        for _ in range(3):
            await harness.desk.read(ticket_id)
            harness.double.end_tokens()
        await posted(harness, ticket_id, REPLY)
        assert harness.double.grants == ["refresh_token"] * 4
        assert harness.refresh_token not in harness.double.refreshable
        assert len(harness.double.refreshable) == 1

    async def test_dead_refresh_token_says_what_to_do(self, harness: ZendeskHarness) -> None:
        """In words that hold no secret."""
        harness.refresh_token = "0123456789abcdef"
        with pytest.raises(CredentialsError, match="authorise the bot's user again") as caught:
            await harness.desk.read(await harness.open_ticket("Dead", ASKED))
        assert "0123456789abcdef" not in str(caught.value)

    async def test_token_without_the_right_is_a_matter_of_the_set_up(
        self, harness: ZendeskHarness
    ) -> None:
        """A ticket that may not be seen is no ticket that is gone."""
        ticket_id = await harness.open_ticket("Rights", ASKED)
        harness.settings["scope"] = "read"
        stamp = (await harness.desk.read(ticket_id)).stamp
        assert all(isinstance(a, Refused) for a in await attempts(harness, ticket_id, stamp))
        harness.settings["scope"] = "users:read"
        with pytest.raises(SettingsError, match="tickets:read"):
            await harness.desk.read(ticket_id)

    # Changes.

    async def test_change_that_zendesk_leaves_out_is_refused(self, harness: ZendeskHarness) -> None:
        """It answers 200 all the same."""
        ticket_id = await harness.open_ticket("Rule", ASKED)
        harness.double.drops_tags = True
        change = Change(tags_add=("refund",), status="pending")
        answer = await harness.desk.change(ticket_id, change, key="c")
        assert answer == Refused("Zendesk left as it was: additional_tags")

    async def test_group_is_named_by_its_id_too(self, harness: ZendeskHarness) -> None:
        """And an assignee by the agent's id only."""
        ticket_id = await harness.open_ticket("Group", ASKED)
        assert isinstance(await harness.desk.change(ticket_id, Change(group="2"), key="c"), Posted)
        assert (await harness.fields(ticket_id)).group == "Finance"
        named = await harness.desk.change(ticket_id, Change(assignee="Emma"), key="c")
        assert isinstance(named, Refused)

    # What `test` says.

    async def test_check_finds_all_in_order(self, harness: ZendeskHarness) -> None:
        """Every finding is good, in whole sentences, and nothing was changed."""
        ready(harness)
        ticket_id = await harness.open_ticket("Check", ASKED)
        await posted(harness, ticket_id, REPLY)
        before = len(harness.at(ticket_id).audits)
        found = await ZENDESK.test(harness.opened)
        assert [check.name for check in found] == [
            "connection", "clock", "bot", "reading", "writing", "groups", "keys", "webhook",
            "signature",
        ]  # fmt: skip
        assert all(check.ok for check in found), found
        assert all(check.says.endswith(".") for check in found)
        assert "our keys stand" in f"{found[6].says}".lower()
        assert len(harness.at(ticket_id).audits) == before

    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            ({"bot_id": "2000"}, "bot", "set bot_id to that"),
            ({"scope": "tickets:read users:read"}, "writing", "tickets:write"),
            ({"scope": "users:read"}, "reading", "tickets:read"),
            ({"groups": {"billing": "Money"}}, "groups", "no group Money"),
            ({"handback_tag": "to_bot"}, "webhook", "tags_changed"),
        ],
    )
    async def test_check_says_what_is_wrong(
        self, harness: ZendeskHarness, settings: dict[str, Any], name: str, words: str
    ) -> None:
        """One finding names it."""
        ready(harness)
        await harness.open_ticket("Check", ASKED)
        harness.settings |= settings
        found = await ZENDESK.test(harness.opened)
        said = " ".join(check.says for check in found if not check.ok)
        assert words in said
        assert name in {check.name for check in found if not check.ok}

    async def test_check_says_in_which_order_updates_come(self, harness: ZendeskHarness) -> None:
        """It matters for very long tickets only."""
        ready(harness)
        harness.say(await harness.open_ticket("Check", ASKED), CUSTOMER, "More.")
        harness.double.ignores_sort = True
        found = {check.name: check for check in await ZENDESK.test(harness.opened)}
        assert "oldest first" in found["reading"].says
        assert found["reading"].ok

    @pytest.mark.parametrize("status", ["missing", "inactive", "end user", "hand"])
    async def test_check_says_what_only_the_account_shows(
        self, harness: ZendeskHarness, status: str
    ) -> None:
        """Each of the list for the first day."""
        ready(harness)
        ticket_id = await harness.open_ticket("Check", ASKED)
        name = "webhook"
        match status:
            case "missing":
                harness.double.webhooks.clear()
            case "inactive":
                harness.double.webhooks[0].status = "inactive"
            case "end user":
                harness.double.users[BOT].role = "end-user"
                name = "bot"
            case _:
                harness.say(ticket_id, BOT, "By hand.")
                name = "keys"
        found = await ZENDESK.test(harness.opened)
        assert name in {check.name for check in found if not check.ok}

    async def test_check_survives_every_answer(self, harness: ZendeskHarness) -> None:
        """Neither an error nor half a page is an exception."""
        ready(harness)
        await harness.open_ticket("Check", ASKED)
        for after in range(15):
            harness.garble_answer(after)
            found = await ZENDESK.test(harness.opened)
            assert all(isinstance(check, Check) for check in found)
            if harness.fault_waits:
                harness.forget_faults()
                return
            assert not all(check.ok for check in found), after
        pytest.fail("too many calls")


def ready(harness: ZendeskHarness) -> None:
    """An account that is set up as docs/connect/zendesk.md says."""
    harness.double.users[BOT].role = "admin"
    hook = ZdWebhook("https://deskgraph.example.com/v1/hooks/con_1", EVENTS)
    harness.double.webhooks.append(hook)
    harness.settings["groups"] = {"billing": "Finance"}
