"""A mail server that goes away amid a mailing: it goes on later, and a person knows how far."""

from dataclasses import replace

import pytest

from tests.fake_mail import FakeMailer, FakeMailings
from tests.fakes import FakeGate, World
from tests.unit.desk import Desk
from tests.unit.test_mailing import ASK
from tools.errors import ApprovalRequiredError, UnavailableError
from tools.models import Contact, Delivery, Mail
from tools.strategies import replay
from tools.toolbox import Toolbox

NEWS = {"audience": "pro", "subject": "Hi", "body": "Hello", "recipients": 2, "as_of": "2026-11-22"}


class WaitingMailings(FakeMailings):
    """Who could not be mailed for now waits again."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, Contact] = {}

    async def next(self, key: str) -> Contact | None:
        contact = await super().next(key)
        if contact:
            self.taken[contact["id"]] = contact
        return contact

    async def note(self, key: str, contact_id: str, delivery: Delivery) -> None:
        if delivery["status"] == "later":
            self.waiting.insert(0, self.taken[contact_id])
        else:
            await super().note(key, contact_id, delivery)


class FailingMailer(FakeMailer):
    """Takes one mail and then none, as long as it is down."""

    def __init__(self) -> None:
        super().__init__()
        self.down = True

    async def send(self, mail: Mail) -> Delivery:
        if self.down and self.mails:
            raise UnavailableError("the mail server hangs up")
        return await super().send(mail)


@pytest.fixture
def world() -> World:
    """A caller who may mail, and a server that takes one mail."""
    made = World(gate=FakeGate(everything=True), may_mail=True)
    made.mailings, made.mailer = WaitingMailings(), FailingMailer()
    return made


def open_toolbox(world: World) -> Toolbox:
    """The toolbox of `act` in a replay."""
    return replace(world.toolbox("act"), strategy=replay)


async def test_person_who_takes_over_knows_how_far_the_mailing_came(world: World) -> None:
    """A server that stays away ends in a hand-off that says how many were mailed, of how many."""
    world.configure_model()
    at = Desk(world)
    done = await at.start(ASK)
    assert done["outcome"] == "escalated"
    [summary] = world.conversations.summaries
    assert "pro: 1 of 2 were mailed, 1 still waiting: the mail server hangs up" in summary
    assert world.ledger.statuses()[0] == "started"


async def test_mailing_of_a_replay_goes_on_where_it_stopped(world: World) -> None:
    """Begun is no unknown outcome: each is mailed once, under the replay's own approval."""
    with pytest.raises(UnavailableError):
        await open_toolbox(world).call("send_bulk_mail", NEWS, step_id="mail-pro")
    world.mailer = FakeMailer()
    sent = await open_toolbox(world).call("send_bulk_mail", NEWS, step_id="mail-pro")
    assert (sent["sent"], world.ledger.statuses()) == (2, ["done"])
    assert [mail["to"]["id"] for mail in world.mailer.mails] == ["c2"]


async def test_mailing_that_was_begun_needs_the_replays_own_approval(world: World) -> None:
    """The replayed run's yes is none for the rest of the mailing."""
    with pytest.raises(UnavailableError):
        await open_toolbox(world).call("send_bulk_mail", NEWS, step_id="mail-pro")
    world.mailer, world.gate = FakeMailer(), FakeGate()
    with pytest.raises(ApprovalRequiredError):
        await open_toolbox(world).call("send_bulk_mail", NEWS, step_id="mail-pro")
    assert world.mailer.mails == []
