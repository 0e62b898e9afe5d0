"""The laws of the port Helpdesk. Every desk passes them: the fake, the doubles and real software.

A subclass gives the fixture `harness`; tests/conformance/harness.py says what that is.
"""

import itertools
import time
from collections.abc import Awaitable, Callable

import pytest

from app.connectors.errors import CredentialsError
from app.connectors.helpdesk import (
    AlreadyPosted,
    Answer,
    Change,
    Closed,
    Gone,
    Overtaken,
    Posted,
    Priority,
    Refused,
)
from tests.conformance.harness import Feature, Harness
from tools.errors import UnavailableError

ASKED, MORE = "My card was charged twice.", "It was on 18 November."
REPLY = "We gave the second payment back.\n\nIt takes “five” days: 12,50 € — tschüß & <b>bye</b>."
NOTE = "Draft: please look at the second payment."
# Characters that a query, a URL or JSON would read as its own.
AWKWARD_KEY = 'reply:it\'s "a\\ key" %27 {x} OR 1=1 -- ü\n' + "k" * 300
# More calls than any connector makes for one reply.
MOST_CALLS = 15

numbers = itertools.count(1)


def fresh_key() -> str:
    """A key that no other test uses."""
    return f"reply:test:{next(numbers)}:{time.time_ns()}"


def seen(texts: list[str], text: str) -> int:
    """How many of the texts are this one, whatever a mail's lines do to its blanks."""
    words = " ".join(text.split())
    return sum(words in " ".join(other.split()) for other in texts)


def lacking(harness: Harness, feature: Feature) -> str | None:
    """Why the desk lacks the feature; None when it has it."""
    return harness.lacks.get(feature)


class HelpdeskLaws:
    """Each law is one test."""

    # Reading.

    async def test_ticket_is_read_as_it_was_written(self, harness: Harness) -> None:
        """Its messages in order, each with its kind of author, and nothing private is public."""
        ticket_id = await harness.open_ticket("Charged twice", ASKED)
        await harness.customer_writes(ticket_id, MORE)
        await harness.person_replies(ticket_id, "I look into it.")
        await harness.person_notes(ticket_id, "Ask Finance.")
        view = await harness.desk.read(ticket_id)
        assert [(m.author, m.public, m.key) for m in view.messages if m.author != "system"] == [
            ("customer", True, None),
            ("customer", True, None),
            ("person", True, None),
            ("person", False, None),
        ]
        texts = [m.text for m in view.messages if m.author != "system"]
        for text, said in zip(texts, (ASKED, MORE, "I look into it.", "Ask Finance."), strict=True):
            assert said in text
        assert view.last_public_author == "person"
        assert "Charged twice" in view.subject
        assert view.requester.id
        assert not view.requester.verified
        assert not view.closed
        assert not view.gone
        assert view.own_keys == frozenset()
        ids = [message.id for message in view.messages]
        assert len(set(ids)) == len(ids)

    async def test_stamp_changes_with_everything(self, harness: Harness) -> None:
        """Every message, note and change of a field, by anyone, gives another stamp."""
        ticket_id = await harness.open_ticket("Stamps", ASKED)
        stamps = [(await harness.desk.read(ticket_id)).stamp]
        assert (await harness.desk.read(ticket_id)).stamp == stamps[0]

        async def note() -> None:
            assert isinstance(await harness.desk.note(ticket_id, NOTE, key=fresh_key()), Posted)

        async def change() -> None:
            # A ticket may be pending from the beginning.
            urgent: Priority | None = None if lacking(harness, "priority") else "urgent"
            change = Change(status="pending", priority=urgent)
            done = await harness.desk.change(ticket_id, change, key=fresh_key())
            assert isinstance(done, Posted)

        async def reply() -> None:
            await posted(harness, ticket_id, "An answer.")

        steps: list[Callable[[], Awaitable[None]]] = [
            lambda: harness.customer_writes(ticket_id, MORE),
            lambda: harness.person_notes(ticket_id, "Hm."),
            note,
            change,
            reply,
            lambda: harness.assign_person(ticket_id),
            lambda: harness.person_replies(ticket_id, "Mine."),
            lambda: harness.hand_back(ticket_id),
        ]
        for step in steps:
            await step()
            stamps.append((await harness.desk.read(ticket_id)).stamp)
        assert len(set(stamps)) == len(stamps)

    async def test_assignee_is_a_person_until_the_ticket_is_handed_back(
        self, harness: Harness
    ) -> None:
        """A person shows as the assignee, the bot never does, also after it has replied."""
        ticket_id = await harness.open_ticket("Whose", ASKED)
        assert (await harness.desk.read(ticket_id)).assignee is None
        await posted(harness, ticket_id, REPLY)
        assert (await harness.desk.read(ticket_id)).assignee is None
        await harness.assign_person(ticket_id)
        assert (await harness.desk.read(ticket_id)).assignee == harness.person
        await harness.hand_back(ticket_id)
        assert (await harness.desk.read(ticket_id)).assignee is None
        await posted(harness, ticket_id, "Here again.")
        assert seen(await harness.customer_saw(ticket_id), "Here again.") == 1

    @pytest.mark.parametrize(
        "ticket_id",
        [
            *(
                "no such ticket",
                "2026/0042",
                "../1",
                "1?x=1",
                "1 OR 1=1",
                "1\u3000",
                "問い合わせ-42",
            ),
            *("問い合わせ-42", "%31", "-1", "0", "1e3", "x" * 100),
        ],
    )
    async def test_id_that_no_ticket_has_is_gone(self, harness: Harness, ticket_id: str) -> None:
        """Whatever its characters mean in a path or a query: no other ticket gets what was meant
        for it."""
        own = await harness.open_ticket("Ids", ASKED)
        before = (await harness.desk.read(own)).stamp
        assert (await harness.desk.read(ticket_id)).gone
        assert await harness.desk.find_reply(ticket_id, fresh_key()) is None
        reply = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=before)
        note = await harness.desk.note(ticket_id, NOTE, key=fresh_key())
        assert (reply, note) == (Gone(), Gone())
        assert (await harness.desk.read(own)).stamp == before

    # Replies.

    async def test_reply_reaches_the_customer_once_under_its_key(self, harness: Harness) -> None:
        """As it was written, as the bot's, and found again by its key."""
        ticket_id = await harness.open_ticket("Reply", ASKED)
        key = fresh_key()
        assert await harness.desk.find_reply(ticket_id, key) is None
        answer = await posted(harness, ticket_id, REPLY, key)
        view = await harness.desk.read(ticket_id)
        [ours] = [message for message in view.messages if message.key == key]
        assert (ours.id, ours.author, ours.public, ours.html) == (answer.id, "bot", True, False)
        assert ours.text.split() == REPLY.split()
        assert view.own_keys == {key}
        assert view.last_public_author == "bot"
        assert await harness.desk.find_reply(ticket_id, key) == answer.id
        assert await harness.desk.find_reply(ticket_id, key.upper()) is None
        assert seen(await harness.customer_saw(ticket_id), REPLY) == 1

    async def test_repeated_reply_is_not_posted_again(self, harness: Harness) -> None:
        """Neither with the old stamp nor with the new one, nor with another text."""
        ticket_id = await harness.open_ticket("Twice", ASKED)
        key, stamp = fresh_key(), (await harness.desk.read(ticket_id)).stamp
        first = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
        assert isinstance(first, Posted)
        now = (await harness.desk.read(ticket_id)).stamp
        for expect, text in ((stamp, REPLY), (now, REPLY), (now, "Something else.")):
            again = await harness.desk.reply(ticket_id, text, key=key, expect=expect)
            assert again == AlreadyPosted(first.id)
        assert seen(await harness.customer_saw(ticket_id), REPLY) == 1
        assert seen(await harness.people_saw(ticket_id), "Something else.") == 0

    async def test_any_key_is_found_again(self, harness: Harness) -> None:
        """Also one that is long, or that a query or URL would read as its own."""
        ticket_id = await harness.open_ticket("Keys", ASKED)
        answer = await posted(harness, ticket_id, REPLY, AWKWARD_KEY)
        assert await harness.desk.find_reply(ticket_id, AWKWARD_KEY) == answer.id
        assert await harness.desk.find_reply(ticket_id, AWKWARD_KEY + "k") is None
        assert await posted_again(harness, ticket_id, REPLY, AWKWARD_KEY)
        assert seen(await harness.customer_saw(ticket_id), REPLY) == 1

    async def test_key_holds_for_its_own_ticket(self, harness: Harness) -> None:
        """Another ticket's message under the same key is not this one's."""
        one = await harness.open_ticket("One", ASKED)
        other = await harness.open_ticket("Other", ASKED)
        key = fresh_key()
        await posted(harness, one, REPLY, key)
        assert await harness.desk.find_reply(other, key) is None
        await posted(harness, other, REPLY, key)
        assert seen(await harness.customer_saw(other), REPLY) == 1

    @pytest.mark.parametrize("by", ["customer", "person", "note", "assignment"])
    async def test_reply_to_what_changed_meanwhile_is_not_posted(
        self, harness: Harness, by: str
    ) -> None:
        """Whatever was done since the ticket was read, and by anyone."""
        ticket_id = await harness.open_ticket("Meanwhile", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        match by:
            case "customer":
                await harness.customer_writes(ticket_id, MORE)
            case "person":
                await harness.person_replies(ticket_id, "It is solved.")
            case "note":
                await harness.person_notes(ticket_id, "I call them.")
            case _:
                await harness.assign_person(ticket_id)
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert answer == Overtaken()
        assert seen(await harness.customer_saw(ticket_id), REPLY) == 0
        assert seen(await harness.people_saw(ticket_id), REPLY) == 0

    @pytest.mark.parametrize("stamp", ["", "0", "never' OR 1=1", "9" * 30])
    async def test_stamp_of_no_desk_is_an_old_one(self, harness: Harness, stamp: str) -> None:
        """A stamp that the desk never gave posts nothing."""
        ticket_id = await harness.open_ticket("Stamp", ASKED)
        answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        assert answer == Overtaken()
        assert seen(await harness.people_saw(ticket_id), REPLY) == 0

    # Notes.

    async def test_note_is_never_public(self, harness: Harness) -> None:
        """People see it, the customer does not; a repetition adds nothing."""
        ticket_id = await harness.open_ticket("Note", ASKED)
        key = fresh_key()
        first = await harness.desk.note(ticket_id, NOTE, key=key)
        assert isinstance(first, Posted)
        assert await harness.desk.note(ticket_id, NOTE, key=key) == AlreadyPosted(first.id)
        assert await harness.desk.find_reply(ticket_id, key) == first.id
        view = await harness.desk.read(ticket_id)
        [ours] = [message for message in view.messages if message.key == key]
        assert (ours.author, ours.public) == ("bot", False)
        assert view.last_public_author == "customer"
        assert seen(await harness.people_saw(ticket_id), NOTE) == 1
        assert seen(await harness.customer_saw(ticket_id), NOTE) == 0

    # Tickets that are over.

    async def test_closed_ticket_takes_no_reply(self, harness: Harness) -> None:
        """With the stamp of before and with that of the closed ticket."""
        if why := lacking(harness, "closed"):
            pytest.skip(why)
        ticket_id = await harness.open_ticket("Closed", ASKED)
        before = (await harness.desk.read(ticket_id)).stamp
        await harness.close_ticket(ticket_id)
        view = await harness.desk.read(ticket_id)
        assert view.closed
        for expect in (before, view.stamp):
            answer = await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=expect)
            assert answer == Closed()
        assert seen(await harness.customer_saw(ticket_id), REPLY) == 0
        assert (await harness.desk.read(ticket_id)).closed

    async def test_deleted_ticket_is_gone(self, harness: Harness) -> None:
        """Nothing is posted or changed, also where the desk would still take it."""
        if why := lacking(harness, "deleted"):
            pytest.skip(why)
        ticket_id = await harness.open_ticket("Deleted", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        await harness.delete_ticket(ticket_id)
        assert await attempts(harness, ticket_id, stamp) == [Gone(), Gone(), Gone()]
        assert (await harness.desk.read(ticket_id)).gone

    @pytest.mark.parametrize(
        "ticket_id", ["999999", "0", "-1", "../7", "7?x=1", "7' OR '1'='1", ""]
    )
    async def test_ticket_that_never_was_is_gone(self, harness: Harness, ticket_id: str) -> None:
        """Whatever its id would mean in a URL or a query."""
        await harness.open_ticket("Another", ASKED)
        assert (await harness.desk.read(ticket_id)).gone
        assert await harness.desk.find_reply(ticket_id, "k") is None
        assert await attempts(harness, ticket_id, "1") == [Gone(), Gone(), Gone()]

    # Answers that are lost.

    @pytest.fixture
    def lost_at(self) -> range:
        """Which calls of a reply or a note lose their answer, one after the other."""
        return range(MOST_CALLS)

    @pytest.mark.parametrize("fault", ["lost", "garbled"])
    async def test_reply_is_posted_once_whatever_answer_is_lost(
        self, harness: Harness, lost_at: range, fault: str
    ) -> None:
        """Each call of a reply in turn loses its answer; then the same reply comes again."""
        for after in lost_at:
            ticket_id = await harness.open_ticket("Lost", ASKED)
            key, stamp = fresh_key(), (await harness.desk.read(ticket_id)).stamp
            (harness.lose_answer if fault == "lost" else harness.garble_answer)(after)
            try:
                first = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
                assert isinstance(first, Posted)
            except UnavailableError:
                assert not harness.fault_waits
            last = harness.fault_waits
            harness.forget_faults()
            again = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
            assert isinstance(again, Posted | AlreadyPosted)
            assert await harness.desk.find_reply(ticket_id, key) == again.id
            assert seen(await harness.customer_saw(ticket_id), REPLY) == 1
            if last:
                assert after > 0, "no call lost its answer"
                return
        pytest.fail("a reply takes too many calls")

    async def test_note_is_posted_once_whatever_answer_is_lost(
        self, harness: Harness, lost_at: range
    ) -> None:
        """The same for notes."""
        for after in lost_at:
            ticket_id, key = await harness.open_ticket("Lost note", ASKED), fresh_key()
            harness.lose_answer(after)
            try:
                await harness.desk.note(ticket_id, NOTE, key=key)
            except UnavailableError:
                assert not harness.fault_waits
            last = harness.fault_waits
            harness.forget_faults()
            again = await harness.desk.note(ticket_id, NOTE, key=key)
            assert isinstance(again, Posted | AlreadyPosted)
            assert seen(await harness.people_saw(ticket_id), NOTE) == 1
            if last:
                assert after > 0, "no call lost its answer"
                return
        pytest.fail("a note takes too many calls")

    async def test_person_who_replies_after_a_lost_answer_is_not_spoken_over(
        self, harness: Harness, lost_at: range
    ) -> None:
        """The repetition finds either our reply or the person's, and adds none."""
        for after in lost_at:
            ticket_id = await harness.open_ticket("Lost, then a person", ASKED)
            key, stamp = fresh_key(), (await harness.desk.read(ticket_id)).stamp
            harness.lose_answer(after)
            try:
                await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
            except UnavailableError:
                before = seen(await harness.customer_saw(ticket_id), REPLY)
                await harness.person_replies(ticket_id, "It is solved.")
                again = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
                assert isinstance(again, AlreadyPosted if before else Overtaken)
                assert seen(await harness.customer_saw(ticket_id), REPLY) == before
                continue
            assert after > 0, "no call lost its answer"
            harness.forget_faults()
            return
        pytest.fail("a reply takes too many calls")

    # Desks that do not answer well.

    async def test_rate_limit_says_when_to_come_again(self, harness: Harness) -> None:
        """Nothing is posted, and the desk's own number of seconds comes along."""
        ticket_id = await harness.open_ticket("Rate", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        harness.limit_rate(17)
        with pytest.raises(UnavailableError) as caught:
            await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp)
        if not lacking(harness, "retry_after"):
            assert caught.value.retry_after == 17
        assert seen(await harness.people_saw(ticket_id), REPLY) == 0
        await posted(harness, ticket_id, REPLY)

    async def test_slow_desk_is_given_up(self, harness: Harness) -> None:
        """The connector waits a bounded time, and what happened is then unknown."""
        ticket_id = await harness.open_ticket("Slow", ASKED)
        key, stamp = fresh_key(), (await harness.desk.read(ticket_id)).stamp
        harness.answer_slowly()
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
        assert time.monotonic() - began < 30
        harness.forget_faults()
        again = await harness.desk.reply(ticket_id, REPLY, key=key, expect=stamp)
        assert isinstance(again, Posted | AlreadyPosted)
        assert seen(await harness.customer_saw(ticket_id), REPLY) == 1

    async def test_answer_of_no_desk_is_unavailable(self, harness: Harness) -> None:
        """Each call of a reading in turn answers what makes no sense; none becomes a view."""
        ticket_id = await harness.open_ticket("Garbled", ASKED)
        for after in range(MOST_CALLS):
            harness.garble_answer(after)
            try:
                view = await harness.desk.read(ticket_id)
            except UnavailableError:
                continue
            assert harness.fault_waits
            assert after > 0
            harness.forget_faults()
            assert view == await harness.desk.read(ticket_id)
            return
        pytest.fail("a reading takes too many calls")

    async def test_wrong_token_is_said_to_be_that(self, harness: Harness) -> None:
        """Every method says so, and nothing is posted."""
        ticket_id = await harness.open_ticket("Token", ASKED)
        stamp = (await harness.desk.read(ticket_id)).stamp
        harness.break_token()
        for call in (
            lambda: harness.desk.read(ticket_id),
            lambda: harness.desk.find_reply(ticket_id, "k"),
            lambda: harness.desk.reply(ticket_id, REPLY, key="k", expect=stamp),
            lambda: harness.desk.note(ticket_id, NOTE, key="k"),
            lambda: harness.desk.change(ticket_id, Change(status="solved"), key="k"),
        ):
            with pytest.raises(CredentialsError):
                await call()
        texts = await harness.people_saw(ticket_id)
        assert seen(texts, REPLY) + seen(texts, NOTE) == 0

    # Changes.

    @pytest.mark.parametrize("feature", ["status", "priority", "group", "assignee", "tags"])
    async def test_change_is_made_and_may_be_repeated(self, harness: Harness, feature: str) -> None:
        """One field becomes what the change says, the others stay, and again changes nothing."""
        ticket_id = await harness.open_ticket("Change", ASKED)
        before = await harness.fields(ticket_id)
        change = {
            "status": Change(status="pending"),
            "priority": Change(priority="high"),
            "group": Change(group=harness.groups[1]),
            "assignee": Change(assignee=harness.person),
            "tags": Change(tags_add=("refund", "vip customer")),
        }[feature]
        first = await harness.desk.change(ticket_id, change, key=fresh_key())
        if feature in harness.lacks:
            assert isinstance(first, Refused)
            assert await harness.fields(ticket_id) == before
            return
        assert isinstance(first, Posted)
        after = await harness.fields(ticket_id)
        wanted = {
            "status": "pending", "priority": "high", "group": harness.groups[1],
            "assignee": harness.person, "tags": frozenset({"refund", "vip customer"}),
        }[feature]  # fmt: skip
        assert getattr(after, feature) == wanted
        rest = {"status", "priority", "group", "assignee", "tags"} - {feature}
        assert {n: getattr(after, n) for n in rest} == {n: getattr(before, n) for n in rest}
        again = await harness.desk.change(ticket_id, change, key=fresh_key())
        assert isinstance(again, Posted | AlreadyPosted)
        assert await harness.fields(ticket_id) == after

    async def test_tags_of_others_stay(self, harness: Harness) -> None:
        """Tags are added and removed one by one, never set as a whole."""
        if why := lacking(harness, "tags"):
            pytest.skip(why)
        ticket_id = await harness.open_ticket("Tags", ASKED)
        first = Change(tags_add=("billing", "vip"))
        assert isinstance(await harness.desk.change(ticket_id, first, key=fresh_key()), Posted)
        second = Change(tags_add=("refund",), tags_remove=("vip", "never there"))
        assert isinstance(await harness.desk.change(ticket_id, second, key=fresh_key()), Posted)
        assert (await harness.fields(ticket_id)).tags == {"billing", "refund"}

    async def test_status_is_read_in_our_words(self, harness: Harness) -> None:
        """What a change sets, a reading says; solved by the bot is as solved as by a person."""
        ticket_id = await harness.open_ticket("Status", ASKED)
        for status in ("pending", "open", "solved"):
            change = Change(status=status)
            assert isinstance(await harness.desk.change(ticket_id, change, key=fresh_key()), Posted)
            assert (await harness.desk.read(ticket_id)).status == status
            assert (await harness.fields(ticket_id)).status == status

    async def test_refused_change_says_why(self, harness: Harness) -> None:
        """A group that is not there changes nothing, and the words are bounded."""
        if why := lacking(harness, "group"):
            pytest.skip(why)
        ticket_id = await harness.open_ticket("Refused", ASKED)
        before = await harness.fields(ticket_id)
        change = Change(group="no-such-group")
        answer = await harness.desk.change(ticket_id, change, key=fresh_key())
        assert isinstance(answer, Refused)
        assert 0 < len(answer.why) <= 400
        assert await harness.fields(ticket_id) == before

    async def test_change_whose_answer_is_lost_may_be_repeated(self, harness: Harness) -> None:
        """Each call in turn loses its answer; the fields are right in the end."""
        for after in range(MOST_CALLS):
            ticket_id = await harness.open_ticket("Lost change", ASKED)
            change = Change(status="pending", priority="high")
            harness.lose_answer(after)
            try:
                await harness.desk.change(ticket_id, change, key="c")
            except UnavailableError:
                assert not harness.fault_waits
            last = harness.fault_waits
            harness.forget_faults()
            again = await harness.desk.change(ticket_id, change, key="c")
            assert isinstance(again, Posted | AlreadyPosted)
            fields = await harness.fields(ticket_id)
            assert (fields.status, fields.priority) == ("pending", "high")
            if last:
                return
        pytest.fail("a change takes too many calls")


async def posted(harness: Harness, ticket_id: str, text: str, key: str | None = None) -> Posted:
    """A reply on the ticket as it is."""
    stamp = (await harness.desk.read(ticket_id)).stamp
    answer = await harness.desk.reply(ticket_id, text, key=key or fresh_key(), expect=stamp)
    assert isinstance(answer, Posted), answer
    return answer


async def posted_again(harness: Harness, ticket_id: str, text: str, key: str) -> bool:
    """Whether the same reply with a fresh stamp is known."""
    stamp = (await harness.desk.read(ticket_id)).stamp
    answer = await harness.desk.reply(ticket_id, text, key=key, expect=stamp)
    return isinstance(answer, AlreadyPosted)


async def attempts(harness: Harness, ticket_id: str, stamp: str) -> list[Answer]:
    """What a reply, a note and a change are answered."""
    return [
        await harness.desk.reply(ticket_id, REPLY, key=fresh_key(), expect=stamp),
        await harness.desk.note(ticket_id, NOTE, key=fresh_key()),
        await harness.desk.change(ticket_id, Change(status="pending"), key=fresh_key()),
    ]
