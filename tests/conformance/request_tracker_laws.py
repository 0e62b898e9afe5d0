"""What Request Tracker does beside the laws of every helpdesk, the same in our double and in RT."""

from email.message import EmailMessage
from urllib.parse import quote

import pytest

from app.connectors.errors import SettingsError
from app.connectors.helpdesk import AlreadyPosted, Change, Gone, Posted, Refused
from app.connectors.request_tracker import REQUEST_TRACKER
from tests.conformance.findings import survives_every_answer, wrong
from tests.conformance.helpdesk import ASKED, NOTE, REPLY, HelpdeskLaws, attempts, fresh_key, posted
from tests.conformance.request_tracker import CUSTOMER, RequestTrackerHarness


class RequestTrackerLaws(HelpdeskLaws):
    """The laws of every helpdesk, and these."""

    async def test_html_without_plain_text_is_marked_so(
        self, harness: RequestTrackerHarness
    ) -> None:
        """The plain text counts where there is one; attached files never do."""
        ticket_id = await harness.open_ticket("Kinds", ASKED)
        html = EmailMessage()
        html.set_content("<p>Only <b>HTML</b> ü</p>", subtype="html")
        await harness.send(html, f"[desk.test #{ticket_id}] html")
        both = EmailMessage()
        both.set_content("Plain.")
        both.add_alternative("<p>Rich.</p>", subtype="html")
        both.add_attachment("attached text", filename="a.txt")
        both.add_attachment(b"\x89PNG\x00", maintype="image", subtype="png", filename="a.png")
        await harness.send(both, f"[desk.test #{ticket_id}] both")
        view = await harness.desk.read(ticket_id)
        said = [(message.text.strip(), message.html) for message in view.messages]
        assert said == [(ASKED, False), ("<p>Only <b>HTML</b> ü</p>", True), ("Plain.", False)]

    async def test_automatic_mail_shows_by_its_headers(
        self, harness: RequestTrackerHarness
    ) -> None:
        """So that a run for it answers nothing; headers that nothing reads are left out."""
        ticket_id = await harness.open_ticket("Away", ASKED)
        away = EmailMessage()
        away["Auto-Submitted"] = "auto-replied"
        away["X-Other"] = "other"
        away.set_content("I am away.")
        await harness.send(away, f"[desk.test #{ticket_id}] away")
        first, second = (await harness.desk.read(ticket_id)).messages[:2]
        assert "auto-submitted" not in first.headers
        assert second.headers["auto-submitted"] == "auto-replied"
        assert "x-other" not in second.headers

    async def test_long_message_does_not_hide_the_ticket(
        self, harness: RequestTrackerHarness
    ) -> None:
        """A text that no answer of RT could hold is named, and the others are read."""
        ticket_id = await harness.open_ticket("Long", "ä ü\n" * 100_000)
        for text in ("b " * 100_000, "c " * 100_000, "short"):
            await harness.customer_writes(ticket_id, text)
        view = await harness.desk.read(ticket_id)
        assert [len(message.text.split()) for message in view.messages[1:]] == [100_000, 100_000, 1]
        assert "too long" in view.messages[0].text

    async def test_strangers_mail_is_no_customers(self, harness: RequestTrackerHarness) -> None:
        """Anyone may mail into a ticket whose number they know; people look at that."""
        ticket_id = await harness.open_ticket("Stranger", ASKED)
        await harness.mail(f"[desk.test #{ticket_id}] hi", "Refund me too.", "eve@evil.test")
        view = await harness.desk.read(ticket_id)
        assert [m.author for m in view.messages if m.author != "system"] == ["customer", "person"]

    async def test_merged_ticket_is_gone(self, harness: RequestTrackerHarness) -> None:
        """Its conversation goes on in the other ticket, which has hooks of its own."""
        one = await harness.open_ticket("One", ASKED)
        other = await harness.open_ticket("Other", ASKED)
        stamp = (await harness.desk.read(one)).stamp
        await harness.as_person("PUT", f"/ticket/{one}", {"MergeInto": other})
        assert (await harness.desk.read(one)).gone
        assert await attempts(harness, one, stamp) == [Gone(), Gone(), Gone()]
        assert not (await harness.desk.read(other)).gone

    async def test_bot_takes_no_ticket_from_a_person(self, harness: RequestTrackerHarness) -> None:
        """Even if the bot may reply to a person's ticket: it stays that person's."""
        ticket_id = await harness.open_ticket("Theirs", ASKED)
        await harness.assign_person(ticket_id)
        await posted(harness, ticket_id, REPLY)
        assert (await harness.desk.read(ticket_id)).assignee == harness.person

    async def test_customer_is_known_by_the_tenants_field(
        self, harness: RequestTrackerHarness
    ) -> None:
        """The requestor's own field says who they are; without one they are not verified."""
        ticket_id = await harness.open_ticket("Who", ASKED)
        assert not (await harness.desk.read(ticket_id)).requester.verified
        harness.settings["external_id_field"] = "CustomerId"
        assert (await harness.desk.read(ticket_id)).requester.external_id is None
        path = f"/user/{quote(CUSTOMER, safe='@')}"
        await harness.as_person("PUT", path, {"CustomFields": {"CustomerId": "cus_ann"}})
        requester = (await harness.desk.read(ticket_id)).requester
        assert (requester.external_id, requester.verified) == ("cus_ann", True)
        await harness.as_person("PUT", path, {"CustomFields": {"CustomerId": ""}})
        assert not (await harness.desk.read(ticket_id)).requester.verified

    async def test_message_whose_key_was_lost_is_not_posted_again(
        self, harness: RequestTrackerHarness
    ) -> None:
        """Without the field there is no key, so the bot's own text is what is found."""
        ticket_id = await harness.open_ticket("No key", ASKED)
        harness.settings["key_field"] = "NoSuchField"
        key, note_key = fresh_key(), fresh_key()
        first = await posted(harness, ticket_id, REPLY, key)
        note = await harness.desk.note(ticket_id, NOTE, key=note_key)
        assert isinstance(note, Posted)
        stamp = (await harness.desk.read(ticket_id)).stamp
        again = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
        assert again == AlreadyPosted(first.id)
        assert await harness.desk.note(ticket_id, NOTE, key=note_key) == AlreadyPosted(note.id)

    async def test_change_goes_through_all_or_says_what_did_not(
        self, harness: RequestTrackerHarness
    ) -> None:
        """RT answers 200 to a change of which a part was refused; the maps lead to its words."""
        harness.settings |= {"statuses": {"solved": "rejected"}, "priorities": {"urgent": 50}}
        ticket_id = await harness.open_ticket("Maps", ASKED)
        mapped = Change(group="Finance", status="solved", priority="urgent")
        assert isinstance(await harness.desk.change(ticket_id, mapped, key="k"), Posted)
        fields = await harness.fields(ticket_id)
        assert (fields.group, fields.status, fields.priority) == ("Finance", "rejected", "normal")
        assert (await harness.desk.read(ticket_id)).status == "solved"
        partly = Change(assignee="no-such-person", status="open")
        answer = await harness.desk.change(ticket_id, partly, key="k")
        assert isinstance(answer, Refused)
        assert "user" in answer.why

    # What `test` says.

    async def test_check_finds_all_in_order(self, harness: RequestTrackerHarness) -> None:
        """Every finding is good, in whole sentences."""
        await harness.open_ticket("Check", ASKED)
        found = await REQUEST_TRACKER.test(harness.opened)
        assert [check.name for check in found] == [
            "connection", "clock", "bot", "key field", "key field", "rights",
        ]  # fmt: skip
        assert all(check.ok for check in found), found
        assert all(check.says.endswith(".") for check in found)

    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            ({"bot": "emma"}, "bot", "another user"),
            ({"bot": "no-such-user"}, "bot", "no user no-such-user"),
            ({"key_field": "NoSuchField"}, "key field", "no transaction field NoSuchField"),
        ],
    )
    async def test_check_says_what_is_wrong(
        self, harness: RequestTrackerHarness, settings: dict[str, str], name: str, words: str
    ) -> None:
        """One finding names it."""
        await harness.open_ticket("Check", ASKED)
        harness.settings |= settings
        assert words in wrong(await REQUEST_TRACKER.test(harness.opened), name)

    async def test_check_says_that_the_token_is_wrong(self, harness: RequestTrackerHarness) -> None:
        """Then nothing else can be looked at."""
        harness.break_token()
        [found] = await REQUEST_TRACKER.test(harness.opened)
        assert not found.ok
        assert "401" in found.says

    async def test_check_says_that_nothing_answers(self, harness: RequestTrackerHarness) -> None:
        """Neither an error nor half a page is an exception."""
        await survives_every_answer(harness, REQUEST_TRACKER)

    async def test_hidden_ticket_is_a_matter_of_the_set_up(
        self, harness: RequestTrackerHarness
    ) -> None:
        """A ticket that the token's user has no right to see is no ticket that is gone."""
        harness.token = harness.clerk_token
        ticket_id = await harness.open_ticket("Hidden", ASKED)
        with pytest.raises(SettingsError):
            await harness.desk.read(ticket_id)
        assert all(isinstance(one, Refused) for one in await attempts(harness, ticket_id, "1"))
