"""What customers ask and people decide, with what must have happened to the world in the end.

Every case has a customer of its own, with two equal payments, a small one, and a subscription, so
that what happened to them is the doing of this case alone.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.world import PRICE, SMALL

LOWERED = 2000
TWICE = "I was charged twice for my Pro plan this month, please refund one of them."
CANCEL = "Please cancel my Pro plan subscription."
MAILING = "Please mail all customers {whom}.\nText:\nHello {{name}}, we are closed on Monday."

# Tool, what it was done to, minor units (0 where there are none).
Effect = tuple[str, str, int]


@dataclass
class Case:
    """One customer's story. `promised` is what must happen, all of it unless `perhaps`.

    `replies`: how many public replies its ticket may have at the connected desk; none for a ticket
    of the API.
    """

    kind: str
    number: int
    runs: list[Any] = field(default_factory=list)
    promised: set[Effect] = field(default_factory=set)
    perhaps: bool = False
    outcomes: tuple[str | None, ...] = ("acted",)
    reasons: tuple[str | None, ...] = (None,)
    ended: bool = False
    replies: tuple[int, ...] = ()

    def refunds(self, payment: int = 2, amount: int = PRICE) -> None:
        """A person agreed to this refund."""
        self.promised.add(("refund", f"pay_{self.number}_{payment}", amount))

    def cancels(self) -> None:
        """A person agreed to end the subscription."""
        self.promised.add(("cancel", f"sub_{self.number}_1", 0))


async def approved(case: Case, desk: Desk, rng: random.Random, body: str) -> None:
    """The plan is agreed to as it is."""
    run_id = await desk.start(case.number, body)
    run = await desk.rest(run_id)
    await desk.decide(run, "approve")
    case.runs.append(await desk.rest(run_id))


async def refund(case: Case, desk: Desk, rng: random.Random) -> None:
    """One refund."""
    case.refunds()
    await approved(case, desk, rng, TWICE)


async def subscription(case: Case, desk: Desk, rng: random.Random) -> None:
    """One cancellation of a subscription."""
    case.cancels()
    await approved(case, desk, rng, CANCEL)


async def both(case: Case, desk: Desk, rng: random.Random) -> None:
    """A plan of two steps: the second must be found undone after a crash between them."""
    case.refunds()
    case.cancels()
    await approved(case, desk, rng, f"{TWICE} {CANCEL}")


async def small(case: Case, desk: Desk, rng: random.Random) -> None:
    """A refund within the customer's allowance: no person is asked."""
    case.promised.add(("refund", f"pay_{case.number}_3", SMALL))
    run_id = await desk.start(case.number, "Please refund my Extra storage payment.")
    case.runs.append(await desk.rest(run_id))


async def edit(case: Case, desk: Desk, rng: random.Random) -> None:
    """The reviewer lowers the amount."""
    case.refunds(amount=LOWERED)
    run_id = await desk.start(case.number, TWICE)
    change = [{"id": f"refund-pay_{case.number}_2", "args": {"amount_minor": LOWERED}}]
    await desk.decide(await desk.rest(run_id), "edit", steps=change)
    case.runs.append(await desk.rest(run_id))


async def respond(case: Case, desk: Desk, rng: random.Random) -> None:
    """The reviewer wishes for another plan and agrees to that one."""
    case.refunds(payment=1)
    run_id = await desk.start(case.number, TWICE)
    first = await desk.rest(run_id)
    await desk.decide(first, "respond", comment=f"Only pay_{case.number}_1 is the duplicate")
    await desk.decide(await desk.rest(run_id), "approve")
    case.runs.append(await desk.rest(run_id))


async def reject(case: Case, desk: Desk, rng: random.Random) -> None:
    """The reviewer says no: nothing happens, a person has the ticket."""
    case.outcomes, case.reasons = ("rejected", "escalated"), ("rejected",)
    run_id = await desk.start(case.number, TWICE)
    await desk.decide(await desk.rest(run_id), "reject")
    case.runs.append(await desk.rest(run_id))


async def expire(case: Case, desk: Desk, rng: random.Random) -> None:
    """No person answers in time."""
    case.outcomes, case.reasons = ("escalated",), ("expired",)
    run_id = await desk.start(case.number, TWICE)
    await desk.rest(run_id)
    await desk.let_expire(run_id)
    case.runs.append(await desk.end(run_id))


async def leave(case: Case, desk: Desk, rng: random.Random) -> None:
    """No person answers at all: the question stays open."""
    case.outcomes = (None,)
    case.runs.append(await desk.rest(await desk.start(case.number, TWICE)))


async def cancel_early(case: Case, desk: Desk, rng: random.Random) -> None:
    """Cancelled before anybody agreed: nothing happens."""
    case.outcomes = (None,)
    run_id = await desk.start(case.number, TWICE)
    await asyncio.sleep(rng.uniform(0, 0.3))
    await desk.cancel(run_id)
    case.runs.append(await desk.rest(run_id))


async def cancel_late(case: Case, desk: Desk, rng: random.Random) -> None:
    """Cancelled after the yes: the refund happened once, or not at all."""
    case.refunds()
    case.perhaps, case.outcomes = True, (None, "acted")
    run_id = await desk.start(case.number, TWICE)
    await desk.decide(await desk.rest(run_id), "approve")
    await asyncio.sleep(rng.uniform(0, 0.2))
    await desk.cancel(run_id)
    case.runs.append(await desk.rest(run_id))


async def replay(case: Case, desk: Desk, rng: random.Random) -> None:
    """What was done is gone through again, and answered from the ledger."""
    await refund(case, desk, rng)
    again = await desk.replay(case.runs[0])
    case.runs.append(await desk.rest(again))


async def mail(case: Case, desk: Desk, rng: random.Random) -> None:
    """A mailing to few: no person is asked."""
    case.promised.add(("mail", "pro", 4))
    body = MAILING.format(whom="on the Pro plan")
    run_id = await desk.start(case.number, body, key=desk.world.marketing)
    case.runs.append(await desk.rest(run_id))


async def large_mail(case: Case, desk: Desk, rng: random.Random) -> None:
    """A mailing to many waits for a yes."""
    case.promised.add(("mail", "newsletter", 40))
    body = MAILING.format(whom="who are newsletter readers")
    run_id = await desk.start(case.number, body, key=desk.world.marketing)
    await desk.decide(await desk.rest(run_id), "approve")
    case.runs.append(await desk.rest(run_id))


async def question(case: Case, desk: Desk, rng: random.Random) -> None:
    """An article answers it."""
    case.outcomes = ("answered",)
    run_id = await desk.start(case.number, "How do I reset my password?")
    case.runs.append(await desk.rest(run_id))


async def angry(case: Case, desk: Desk, rng: random.Random) -> None:
    """A person gets the ticket, by its words alone: no model and no crash decides that."""
    case.outcomes, case.reasons = ("escalated",), ("alarm",)
    body = "This is unacceptable!! I am furious, let me speak to a manager right now."
    case.runs.append(await desk.rest(await desk.start(case.number, body)))


async def again(case: Case, desk: Desk, rng: random.Random) -> None:
    """A second message comes while the first is handled: its run waits for the first.

    Each alone is answered exactly; read as one ticket they ask two things, and a person has both.
    """
    first = await desk.start(case.number, "How do I reset my password?")
    second = await desk.start(case.number, "Where can I download my invoices?", part="2")
    case.runs += [await desk.rest(first), await desk.rest(second)]
    apart = [run for run in case.runs if run["merged_into"] is None]
    if len(apart) == len(case.runs):
        case.outcomes = ("answered",)
    else:
        case.outcomes, case.reasons = ("escalated",), ("no_valid_reply",)
    case.runs = apart


Story = Callable[[Case, Desk, random.Random], Awaitable[None]]
STORIES: dict[Story, int] = {
    refund: 4, subscription: 2, both: 4, small: 2, edit: 1, respond: 2, reject: 1, expire: 1,
    leave: 1, cancel_early: 1, cancel_late: 2, mail: 2, large_mail: 1, question: 2, angry: 1,
    again: 2, replay: 1,
}  # fmt: skip
