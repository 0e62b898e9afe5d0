"""What holds for the connector of a mailbox, whichever IMAP server stands behind it.

Over pymap in every run (tests/integration/test_email.py), over Dovecot with `make real-world`.
"""

import asyncio
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from app.connectors.connector import Opened
from app.connectors.email.checks import check_mailbox
from app.connectors.email.mailbox import Cursor
from app.connectors.email.settings import EmailCredentials
from app.connectors.errors import CredentialsError
from app.connectors.helpdesk import AlreadyPosted, Change, Gone, Overtaken, Posted, Refused
from graphs.text.noise.headers import kind_by_headers
from tests import mail_shapes as shapes
from tests.mailboxes import ADDRESS, ANN, EVE, MAX, TEAM, MailPlace, mail, stamped
from tools.errors import UnavailableError

FIRST = {"Message_ID": "<first@shop.example>"}


class EmailLaws:
    """A class of tests that brings a fixture `place`."""

    async def test_mail_becomes_a_ticket_that_says_what_was_written(self, place: MailPlace) -> None:
        """Who wrote is proved by our own server, and the table names the customer."""
        came = await place.arrives(stamped(mail(**FIRST)))
        assert came.event.kind == "message"
        assert came.requester is not None
        assert (came.requester.verified, came.requester.external_id) == (True, "cus_ann")
        view = await place.desk.read(came.event.ticket_id)
        assert (view.subject, view.requester) == ("My order", came.requester)
        assert [(m.author, m.text) for m in view.messages] == [("customer", "Where is my order?")]
        assert view.last_public_author == "customer"

    async def test_same_mail_again_is_the_same_message(self, place: MailPlace) -> None:
        """A server that delivers twice, by two ways, makes one ticket and one message."""
        one = await place.arrives(stamped(mail(**FIRST)))
        two = await place.arrives(b"Received: by another.example\r\n" + stamped(mail(**FIRST)))
        assert (one.event.ticket_id, one.event.message_id) == (
            two.event.ticket_id,
            two.event.message_id,
        )

    async def test_two_mails_under_one_message_id_are_two_messages(self, place: MailPlace) -> None:
        """A broken sender loses nothing; another sender with that id gets a ticket of their own."""
        one = await place.arrives(stamped(mail(**FIRST)))
        two = await place.arrives(stamped(mail(text="And my refund?", **FIRST)))
        other = await place.arrives(stamped(mail(EVE, **FIRST), domain="evil.example"))
        assert one.event.message_id != two.event.message_id
        assert one.event.ticket_id == two.event.ticket_id != other.event.ticket_id
        texts = [m.text for m in (await place.desk.read(one.event.ticket_id)).messages]
        assert sorted(texts) == ["And my refund?", "Where is my order?"]

    async def test_reply_is_one_mail_that_answers_the_thread(self, place: MailPlace) -> None:
        """Repeated, it posts nothing; what is for us alone does not leave."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        posted = await place.desk.reply(ticket, "On its way.\n.\nBye", key="k:1", expect=stamp)
        assert isinstance(posted, Posted)
        again = await place.desk.reply(ticket, "On its way.", key="k:1", expect=stamp)
        assert again == AlreadyPosted(posted.id)
        assert len(place.postbox.taken) == 1
        [(to, sent)] = place.postbox.taken
        assert to == ANN
        assert sent["In-Reply-To"] == sent["References"] == "<first@shop.example>"
        assert (sent["Message-ID"], sent["Auto-Submitted"]) == (posted.id, "auto-replied")
        assert sent["X-Auto-Response-Suppress"] == "All"
        assert sent.get_content().replace("\r\n", "\n") == "On its way.\n.\nBye\n"
        assert not any(name.lower().startswith("x-deskgraph") for name in sent)
        view = await place.desk.read(ticket)
        assert view.own_keys == {"k:1"}
        assert view.last_public_author == "bot"
        assert view.stamp != stamp
        assert await place.desk.find_reply(ticket, "k:1") == posted.id
        assert await place.desk.find_reply(ticket, "k:2") is None

    async def test_customers_answer_comes_back_to_the_ticket(self, place: MailPlace) -> None:
        """By what it answers, and by the signed address alone where a program drops the rest."""
        ticket, sent = await self.answered(place)
        by_reference = await place.arrives(shapes.quoted_reply(sent["Message-ID"]))
        assert (by_reference.event.kind, by_reference.event.ticket_id) == ("message", ticket)
        assert "J\u00fcrgen" in by_reference.text
        assert not by_reference.html
        signed = sent["Reply-To"].addresses[0].addr_spec
        bare = mail(text="Third", To=signed, Message_ID="<third@shop.example>")
        assert (await place.arrives(stamped(bare))).event.ticket_id == ticket
        view = await place.desk.read(ticket)
        authors = [m.author for m in view.messages]
        assert sorted(authors) == ["bot", "customer", "customer", "customer"]

    async def test_subject_and_forged_addresses_lead_nowhere(self, place: MailPlace) -> None:
        """Neither a ticket's id in a subject, nor an address signed for another customer."""
        ticket, sent = await self.answered(place)
        signed = sent["Reply-To"].addresses[0].addr_spec
        wrong = signed.replace(".", ".0", 1)[: len(signed)]
        for odd in (
            mail(EVE, subject=f"Re: [#{ticket}] My order", Message_ID="<e1@evil.example>"),
            mail(EVE, To=signed, Message_ID="<e2@evil.example>"),
            mail(EVE, In_Reply_To=sent["Message-ID"], Message_ID="<e3@evil.example>"),
            mail(EVE, References="<first@shop.example>", Message_ID="<e4@evil.example>"),
            mail(ANN, To=wrong, Message_ID="<e5@shop.example>"),
        ):
            came = await place.arrives(odd)
            assert came.event.kind == "message"
            assert came.event.ticket_id != ticket
        assert len((await place.desk.read(ticket)).messages) == 2

    async def test_follow_up_before_any_answer_stays_on_the_ticket(self, place: MailPlace) -> None:
        """A customer who answers their own mail; then the whole thread is one ticket."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        more = mail(text="Any news?", Message_ID="<more@shop.example>",
                    In_Reply_To="<first@shop.example>")  # fmt: skip
        assert (await place.arrives(stamped(more))).event.ticket_id == ticket
        view = await place.desk.read(ticket)
        assert [m.text for m in view.messages] == ["Where is my order?", "Any news?"]
        await place.desk.reply(ticket, "Soon.", key="k", expect=view.stamp)
        sent = place.postbox.taken[-1][1]
        assert sent["In-Reply-To"] == "<more@shop.example>"
        assert sent["References"] == "<first@shop.example> <more@shop.example>"

    async def test_forged_results_prove_nothing(self, place: MailPlace) -> None:
        """A header under the line that our server wrote is the sender's own words."""
        came = await place.arrives(shapes.FORGED_RESULTS)
        assert came.requester is not None
        assert (came.requester.verified, came.requester.external_id) == (False, None)
        view = await place.desk.read(came.event.ticket_id)
        assert (view.requester.verified, view.requester.external_id) == (False, None)

    async def test_one_unproved_mail_takes_the_proof_from_the_ticket(
        self, place: MailPlace
    ) -> None:
        """What anyone may have written is read together with what Ann wrote."""
        ticket, sent = await self.answered(place)
        forged = mail(text="Refund me", In_Reply_To=sent["Message-ID"], Message_ID="<f@x.example>")
        await place.arrives(stamped(forged, result="fail"))
        requester = (await place.desk.read(ticket)).requester
        assert (requester.verified, requester.external_id) == (False, None)

    @pytest.mark.parametrize(
        ("shape", "why"),
        [
            (shapes.OUT_OF_OFFICE, "auto_reply"),
            (shapes.bounce("<theirs@other.example>"), "bounce"),
            (shapes.LIST_MAIL, "bulk"),
        ],
        ids=["out of office", "bounce", "list"],
    )
    async def test_automatic_mail_brings_the_headers_that_tell(
        self, place: MailPlace, shape: bytes, why: str
    ) -> None:
        """The graph ignores a ticket with such headers, and counts it by the reason."""
        came = await place.arrives(shape)
        assert kind_by_headers(came.headers) == why
        [message] = (await place.desk.read(came.event.ticket_id)).messages
        assert kind_by_headers(message.headers) == why

    async def test_own_mail_that_comes_back_starts_nothing(self, place: MailPlace) -> None:
        """As with a list that the mailbox is on."""
        event = (await place.arrives(shapes.OWN_ECHO)).event
        assert (event.kind, event.why) == ("nothing", "our own mail came back")

    async def test_automatic_reply_on_a_ticket_takes_no_proof_from_it(
        self, place: MailPlace
    ) -> None:
        """It says nothing that is acted on, so it need not be proved."""
        ticket, sent = await self.answered(place)
        notice = shapes.OUT_OF_OFFICE.replace(shapes.OUR_ID.encode(), sent["Message-ID"].encode())
        await place.arrives(notice)
        view = await place.desk.read(ticket)
        assert [m.author for m in view.messages] == ["customer", "bot", "customer"]
        assert kind_by_headers(view.messages[-1].headers) == "auto_reply"
        assert view.requester.verified

    async def test_failed_delivery_names_the_reply(self, place: MailPlace) -> None:
        """The mail server's report comes back under the key of what we sent."""
        ticket, sent = await self.answered(place)
        came = await place.arrives(shapes.bounce(sent["Message-ID"]))
        event = came.event
        assert (event.kind, event.ticket_id, event.key) == ("failed", ticket, "k0")

    async def test_person_from_outside_has_the_ticket(self, place: MailPlace) -> None:
        """The reply that was about to be sent is overtaken."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        came = await place.arrives(shapes.PERSON_FROM_OUTSIDE)
        assert (came.event.kind, came.event.ticket_id, came.event.who) == ("person", ticket, MAX)
        assert await place.desk.reply(ticket, "Hi", key="k", expect=stamp) == Overtaken()
        assert place.postbox.taken == []
        view = await place.desk.read(ticket)
        assert (view.assignee, view.last_public_author) == (MAX, "person")

    async def test_person_who_answers_in_the_mailbox_is_seen_in_sent(
        self, place: MailPlace
    ) -> None:
        """A mail there that is not ours; what the customer answers to it stays on the ticket."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        person = mail(ADDRESS, "I look into it.", To=ANN, Message_ID="<web@desk.example>",
                      In_Reply_To="<first@shop.example>")  # fmt: skip
        await place.box.put(bytes(person), "Sent", r"(\Seen)")
        assert await place.desk.reply(ticket, "Hi", key="k", expect=stamp) == Overtaken()
        view = await place.desk.read(ticket)
        assert [(m.author, m.public) for m in view.messages][1:] == [("person", True)]
        more = mail(text="Thank you, but", In_Reply_To="<web@desk.example>",
                    Message_ID="<m2@shop.example>")  # fmt: skip
        assert (await place.arrives(stamped(more))).event.ticket_id == ticket
        view = await place.desk.read(ticket)
        assert (view.assignee, view.last_public_author) == (ADDRESS, "customer")
        back = mail(ADDRESS, "/bot", In_Reply_To="<web@desk.example>",
                    Message_ID="<back@desk.example>")  # fmt: skip
        await place.box.put(bytes(back), "Sent", r"(\Seen)")
        assert (await place.arrives(back)).event.kind == "handback"
        assert (await place.desk.read(ticket)).assignee is None

    async def test_hand_back_needs_a_proved_person(self, place: MailPlace) -> None:
        """A word in a mail that the customer did not get; a forged address does not do."""
        _, sent = await self.answered(place)
        word = mail(MAX, "/bot\n\nthanks", In_Reply_To=sent["Message-ID"],
                    Message_ID="<h1@desk.example>")  # fmt: skip
        forged = await place.arrives(stamped(word, result="fail", domain="desk.example"))
        assert forged.event.kind == "nothing"
        given = await place.arrives(stamped(word, domain="desk.example"))
        assert given.event.kind == "handback"
        assert given.event.ticket_id

    async def test_note_goes_to_the_people_and_never_to_the_customer(
        self, place: MailPlace
    ) -> None:
        """And is refused, with the reason, where there is no such address."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        posted = await place.desk.note(ticket, "Please call Ann.", key="n1")
        assert isinstance(posted, Posted)
        assert await place.desk.note(ticket, "Please call Ann.", key="n1") == AlreadyPosted(
            posted.id
        )
        [(to, sent)] = place.postbox.taken
        assert to == TEAM
        assert ANN not in sent.as_string().partition("\n\n")[0]
        view = await place.desk.read(ticket)
        assert [(m.author, m.public) for m in view.messages] == [("customer", True), ("bot", False)]
        assert view.last_public_author == "customer"
        refused = await place.with_settings(notes_to=None).desk.note(ticket, "Hi", key="n2")
        assert isinstance(refused, Refused)
        assert "notes_to" in refused.why

    async def test_fields_are_refused_with_the_reason(self, place: MailPlace) -> None:
        """A mailbox has none; a change of nothing is done."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        refused = await place.desk.change(ticket, Change(tags_add=["vip"]), key="c")
        assert isinstance(refused, Refused)
        assert "no tags" in refused.why
        assert await place.desk.change(ticket, Change(), key="c") == AlreadyPosted(ticket)

    @pytest.mark.parametrize(
        "ticket", ["m0123456789abcdef012", "", "x\r\nA1 LOGOUT", '"*', "m" * 500]
    )
    async def test_what_is_no_ticket_is_gone(self, place: MailPlace, ticket: str) -> None:
        """Also when it would be a command to the server."""
        assert (await place.desk.read(ticket)).gone
        assert await place.desk.reply(ticket, "Hi", key="k", expect="") == Gone()
        assert await place.desk.note(ticket, "Hi", key="k") == Gone()
        assert await place.desk.change(ticket, Change(status="solved"), key="k") == Gone()

    async def test_mail_that_a_person_moved_away_is_gone(self, place: MailPlace) -> None:
        """To file or delete a mail is to be done with it."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        await place.box.remove_all()
        assert await place.desk.reply(ticket, "Hi", key="k", expect=stamp) == Gone()

    async def test_lost_answer_is_tried_once_more_and_no_third_time(self, place: MailPlace) -> None:
        """Under the same Message-ID; then a person is asked."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        place.postbox.data = lambda _: "hang up"
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        assert await place.desk.find_reply(ticket, "k") is None
        third = await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        assert isinstance(third, Refused)
        assert "twice" in third.why
        ids = [sent["Message-ID"] for _, sent in place.postbox.taken]
        assert len(ids) == 2
        assert len(set(ids)) == 1

    async def test_lost_answer_then_taken(self, place: MailPlace) -> None:
        """The second try ends it, and the sent folder holds one mail."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        place.postbox.data = lambda _: "hang up"
        with pytest.raises(UnavailableError):
            await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        place.postbox.data = lambda _: None
        assert isinstance(await place.desk.reply(ticket, "Hi", key="k", expect=stamp), Posted)
        [flags] = await place.box.flags("Sent")
        assert "Draft" not in flags
        assert "Flagged" not in flags

    @pytest.mark.parametrize("at", ["rcpt", "data"])
    async def test_refusals_leave_nothing_behind(self, place: MailPlace, at: str) -> None:
        """4xx: later, as often as it takes. 5xx: refused, in the server's words."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        setattr(place.postbox, at, lambda _: "451 4.7.1 try again later")
        for _ in range(3):
            with pytest.raises(UnavailableError):
                await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        setattr(place.postbox, at, lambda _: "550 5.1.1 no such mailbox")
        refused = await place.desk.reply(ticket, "Hi", key="k", expect=stamp)
        assert isinstance(refused, Refused)
        assert "550" in refused.why
        assert await place.box.all("Sent") == []
        setattr(place.postbox, at, lambda _: None)
        assert isinstance(await place.desk.reply(ticket, "Hi", key="k", expect=stamp), Posted)

    async def test_no_text_of_a_mail_gets_into_a_header(self, place: MailPlace) -> None:
        """A subject and a key with line breaks; a reply with a header's look."""
        subject = "=?utf-8?q?Hi=0D=0ABcc=3A_eve=40evil=2Eexample?="
        raw = stamped(mail(**FIRST)).replace(b"Subject: My order", b"Subject: " + subject.encode())
        ticket = (await place.arrives(raw)).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        text = "Bcc: eve@evil.example\r\n\r\nX: y\x00\x1b[0m"
        posted = await place.desk.reply(ticket, text, key="k\r\nBcc: e@evil.example", expect=stamp)
        assert isinstance(posted, Posted)
        for content in (place.postbox.taken[0][1].as_bytes(), (await place.box.all("Sent"))[0]):
            sent = message_from_bytes(content, policy=policy.default)
            assert "Bcc" not in sent
            assert "X" not in sent
        assert place.postbox.addresses == [ANN]
        assert (await place.desk.read(ticket)).own_keys == {"k\r\nBcc: e@evil.example"}

    async def test_one_broken_mail_does_not_stop_the_rest(self, place: MailPlace) -> None:
        """Each of them is said, in order, and the good one behind them is read."""
        _, cursor = await place.mailbox.poll(None)
        odd = b"\xff\xfe: x\r\nFrom\r\n"
        shaped = [shapes.nested(60), b"\r\n\r\n", odd, shapes.BROKEN_CHARSET]
        for raw in (*shaped, stamped(mail(**FIRST))):
            await place.box.put(raw)
        came, after = await place.mailbox.poll(cursor)
        assert [each.event.kind for each in came] == ["message"] * 5
        assert came[-1].text == "Where is my order?"
        assert (await place.mailbox.poll(after))[0] == []
        for each in came:
            assert not (await place.desk.read(each.event.ticket_id)).gone

    async def test_large_mail_is_read_without_its_attachment(self, place: MailPlace) -> None:
        """10 MB: the text comes first, and what follows is not fetched."""
        came = await place.arrives(shapes.big(10))
        assert (came.text, came.cut) == ("See the film.", True)
        assert [each.name for each in came.attachments] == ["film.mp4"]
        started = time.monotonic()
        assert not (await place.desk.read(came.event.ticket_id)).gone
        assert time.monotonic() - started < 20

    async def test_cursor_reads_each_mail_once_in_order(self, place: MailPlace) -> None:
        """Old mail is left alone, and a cursor goes through JSON."""
        await place.box.put(stamped(mail(text="old")))
        none, cursor = await place.mailbox.poll(None)
        assert none == []
        texts = [f"mail {number}" for number in range(4)]
        for text in texts[:2]:
            await place.box.put(stamped(mail(text=text)))
        one, cursor = await place.mailbox.poll(Cursor.model_validate_json(cursor.model_dump_json()))
        for text in texts[2:]:
            await place.box.put(stamped(mail(text=text)))
        two, cursor = await place.mailbox.poll(cursor)
        assert [each.text for each in (*one, *two)] == texts
        assert (await place.mailbox.poll(cursor))[0] == []

    async def test_uids_given_out_again_lose_nothing(self, place: MailPlace) -> None:
        """The last days are read again; the message's id tells what was there before."""
        _, start = await place.mailbox.poll(None)
        await place.box.put(stamped(mail(**FIRST)))
        [before], _ = await place.mailbox.poll(start)
        stale = start.model_copy(update={"uidvalidity": start.uidvalidity - 1, "uid": 90_000})
        [again], cursor = await place.mailbox.poll(stale)
        assert again.event == before.event
        assert cursor.uidvalidity == start.uidvalidity
        assert (await place.mailbox.poll(cursor))[0] == []

    async def test_waiting_ends_when_mail_comes(self, place: MailPlace) -> None:
        """Within a second; and at once for what came before the waiting began."""
        _, cursor = await place.mailbox.poll(None)
        waiting = asyncio.ensure_future(place.mailbox.wait_for_mail(cursor, 30))
        await asyncio.sleep(1)
        assert not waiting.done()
        await place.box.put(stamped(mail(**FIRST)))
        began = time.monotonic()
        assert await waiting
        assert time.monotonic() - began < 5
        assert await place.mailbox.wait_for_mail(cursor, 30)
        _, cursor = await place.mailbox.poll(cursor)
        assert not await place.mailbox.wait_for_mail(cursor, 0.3)

    async def test_check_says_what_is_right(self, place: MailPlace) -> None:
        """In sentences; nothing is written or sent."""
        await place.arrives(stamped(mail(**FIRST)))
        checks = {check.name: check for check in await check_mailbox(place.opened)}
        assert [check.says for check in checks.values() if not check.ok] == []
        assert "1 of 1" in checks["dmarc"].says
        assert "1 mails" in checks["folder"].says
        assert place.postbox.taken == []

    async def test_check_says_what_is_missing(self, place: MailPlace) -> None:
        """A folder that is not there, a header under more lines, a password that is wrong."""
        await place.arrives(b"Received: by lmtp.desk.example\r\n" + stamped(mail(**FIRST)))
        odd = place.with_settings(sent_folder="Gesendete Größen")
        checks = {
            check.name: check.says for check in await check_mailbox(odd.opened) if not check.ok
        }
        assert "Gesendete Größen" in checks["sent_folder"]
        assert "Sent" in checks["sent_folder"]
        assert "under 1 Received lines" in checks["dmarc"]
        wrong = EmailCredentials.model_validate({"user": place.box.user, "password": "wrong"})
        opened = Opened("c", "t", place.opened.settings, wrong, place.opened.http, ["s"])
        [imap] = [check for check in await check_mailbox(opened) if check.name == "imap"]
        assert not imap.ok
        assert "refused user or password" in imap.says
        assert "wrong" not in imap.says
        with pytest.raises(CredentialsError):
            await MailPlace(place.box, place.postbox, opened).mailbox.poll(None)

    async def answered(self, place: MailPlace) -> tuple[str, EmailMessage]:
        """A ticket with one reply of ours: its id, and the mail that the customer got."""
        ticket = (await place.arrives(stamped(mail(**FIRST)))).event.ticket_id
        stamp = (await place.desk.read(ticket)).stamp
        assert isinstance(await place.desk.reply(ticket, "Hi", key="k0", expect=stamp), Posted)
        return ticket, place.postbox.taken[-1][1]
