"""Who may cause a mailing, how it is proposed, and what the reviewer sees."""

from typing import Any

import pytest

from app.models.offline.wishes import mailing
from graphs.nodes.general import Mailing
from graphs.policy import Policy, ReplyMode
from tests.fakes import FakeGate, World
from tests.unit.desk import SILENT, Desk, article, scripted, ticket
from tools.mail import mailing_words, masked
from tools.models import Step

ASK = "Please mail all customers on the Pro plan.\nSubject: New prices\nText:\nHello {name}, hi."
OBEDIENT = Mailing(audience="pro", subject="Hi", body="Dear {name}", unsure=False)


def opened(*, may_mail: bool, gate_from: int = 25) -> Desk:
    """A desk whose caller may mail, or not."""
    world = World(gate=FakeGate(), may_mail=may_mail)
    world.policy = Policy(bulk_mail_gate_from=gate_from)
    world.knowledge.passages = [article("opening-hours")]
    return Desk(world)


async def test_mailing_is_proposed_with_count_and_text_and_waits() -> None:
    """The reviewer sees how many, who first (masked), and what the first one reads."""
    at = opened(may_mail=True, gate_from=3)
    paused = await at.start(ASK)
    [step] = paused["plan"]["steps"]
    assert step["id"] == "mail-pro"
    assert step["args"] == {
        "audience": "pro",
        "subject": "New prices",
        "body": "Hello {name}, hi.",
        "recipients": 3,
        "as_of": "2026-11-22T00:00:00+00:00",
    }
    assert step["editable"] == ["subject", "body"]
    assert [e["summary"] for e in step["evidence"]] == [
        "3 recipients, first: a***@example.com, b***@example.com, e***@example.com",
        "Subject: New prices\n\nHello A***, hi.",
    ]
    assert paused["plan"]["gate"] == [
        "a mail to 3 people reaches the gate of 3", "the offline model proposed it",
    ]  # fmt: skip
    assert at.world.mailer.mails == []
    done = await at.decide("approve")
    assert done["outcome"] == "acted"
    assert "We have sent your mail to 2 contacts in pro." in done["reply"]["text"]
    assert [mail["to"]["id"] for mail in at.world.mailer.mails] == ["c1", "c2"]


async def test_mailing_is_reported_whatever_the_model_writes() -> None:
    """Below a draft that is silent about it stands the sentence, and no edit reaches it."""
    at = opened(may_mail=True, gate_from=3)
    at.world.policy = at.world.policy.model_copy(update={"reply_mode": ReplyMode(default="draft")})
    scripted(at, Reply=[SILENT])
    await at.start(ASK)
    await at.decide("approve")
    sentence = "We have sent your mail to 2 contacts in pro."
    step: Step = (await at.open_gate()).value["steps"][0]
    assert step["args"]["text"] == "Hello,"
    assert [e["summary"] for e in step["evidence"] if e["kind"] == "appended"] == [sentence]
    greeted: Step = {**step, "args": {**step["args"], "text": "Hello! Kind regards"}}
    done = await at.decide("edit", [greeted])
    assert done["reply"]["text"] == f"Hello! Kind regards\n\n{sentence}"


async def test_list_that_changed_meanwhile_brings_the_plan_back() -> None:
    """Approved for other people: no mail is sent, and a person sees why."""
    at = opened(may_mail=True, gate_from=3)
    await at.start(ASK)
    at.world.mailings.changed = "the audience 'pro' is not the 3 people counted"
    again = await at.decide("approve")
    assert again["plan"]["changed"] == [f"mail-pro: {at.world.mailings.changed}"]
    assert at.world.mailer.mails == []


async def test_below_the_gate_only_the_toolbox_is_asked() -> None:
    """No approval is opened, and the toolbox's gate judges the call."""
    at = opened(may_mail=True, gate_from=4)
    at.world.configure_model()
    at.world.gate.everything = True
    done = await at.start(ASK)
    assert (done["outcome"], done["plan"]["gate"]) == ("acted", [])
    assert [call.tool for call in at.world.gate.asked] == ["send_bulk_mail"]


async def test_without_the_scope_the_model_is_not_even_asked() -> None:
    """A customer's ticket causes no mailing, whatever a model would answer."""
    at = opened(may_mail=False)
    model = scripted(at, Mailing=[OBEDIENT])
    done = await at.start(ASK)
    assert "Mailing" not in model.asked
    assert (done["plan"] or {"steps": []})["steps"] == []
    assert (at.world.contacts.asked, at.world.mailer.mails) == (0, [])


async def test_ticket_that_asks_for_no_mailing_is_answered_as_ever() -> None:
    """The right to mail changes nothing else."""
    done = await opened(may_mail=True).start("What are your opening hours?")
    assert (done["outcome"], done["reply"]["citations"]) == ("answered", ["opening-hours"])


@pytest.mark.parametrize(
    "wish",
    [
        {"audience": "everyone@example.com"},
        {"audience": "unknown"},
        {"audience": "empty"},
        {"subject": "Hi\r\nBcc: x@evil.example"},
        {"body": ""},
        {"unsure": True},
        {"audience": None, "unsure": True},
    ],
)
async def test_mailing_that_does_not_fit_goes_to_a_person(wish: dict[str, Any]) -> None:
    """An address instead of a name, an unknown or empty audience, a header in the subject."""
    at = opened(may_mail=True)
    scripted(at, Mailing=[OBEDIENT.model_copy(update=wish)])
    done = await at.start(ASK)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "unsure")
    assert at.world.mailings.begun == []


AUDIENCES = {"pro": 4, "trial": 12, "news_letter": 3, "all": 40}


@pytest.mark.parametrize(
    ("body", "audience"),
    [
        ('Mail all customers on the Pro plan: "We are closed on Monday."', "pro"),
        ("Please email everyone in the trial segment\nText: Hi", "trial"),
        ("Send this message to all news letter readers\nText:\nHi\nthere", "news_letter"),
        ("Send an e-mail to all our customers\nText: Hi", "all"),
    ],
)
def test_offline_rule_reads_audience_and_text(body: str, audience: str) -> None:
    """The audience's own name is said, and the text is quoted or stands after `Text:`."""
    wish = mailing(ticket(body), {"audiences": AUDIENCES})
    assert (wish.audience, wish.unsure) == (audience, False)
    assert wish.body


@pytest.mark.parametrize(
    "body",
    [
        "Mail all customers on the Pro plan",
        'Mail all customers on pro or trial: "Hi"',
        'Mail all customers in Berlin: "Hi"',
    ],
)
def test_offline_rule_is_unsure_without_one_audience_and_a_text(body: str) -> None:
    """Two audiences, none, or no text: a person looks."""
    wish = mailing(ticket(body), {"audiences": AUDIENCES})
    assert (wish.audience, wish.unsure) == (None, True)


def test_offline_rule_sees_no_mailing_where_none_is_asked_for() -> None:
    """Mail as a topic is no wish to send one."""
    for body in ("How do I change my e-mail address?", "I get no mail from you at all", "Hi"):
        wish = mailing(ticket(body), {"audiences": AUDIENCES})
        assert (wish.audience, wish.unsure) == (None, False)


def test_addresses_are_masked() -> None:
    """A reviewer recognises a person without seeing the address."""
    assert masked("ann@example.com") == "a***@example.com"


def test_a_mailing_that_missed_a_contact_says_so() -> None:
    """The reply never claims more than was sent."""
    result = {"audience": "pro", "sent": 5, "failed": 1, "unknown": 2, "skipped": 0}
    words = "5 contacts in pro (1 refused by the mail server, 2 perhaps not reached)"
    assert mailing_words(result) == words
