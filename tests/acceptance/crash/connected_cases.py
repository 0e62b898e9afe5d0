"""What customers of the connected tenant ask: by signed hooks, answered at its own desk.

The refunds are its payment provider's. Each case says how many public replies its ticket may have.
"""

import asyncio
import random
from dataclasses import dataclass

from tests.acceptance.crash.cases import TWICE, Case, Story
from tests.acceptance.crash.connected import Connected
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.world import PRICE

QUESTION = "How do I reset my password?"
PERSON = "Emma"
LATE_SECONDS = 2.0


@dataclass(frozen=True)
class ConnectedCases:
    """The stories, as `cases.py` has them."""

    at: Connected

    @property
    def stories(self) -> dict[Story, int]:
        """How often each of them comes up."""
        return {
            self.desk_question: 4,
            self.desk_refund: 7,
            self.desk_person: 2,
            self.desk_hand_back: 2,
            self.desk_race: 3,
        }

    async def desk_question(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """An article answers it, at the desk."""
        case.outcomes, case.replies = ("answered",), (1,)
        self.at.open_ticket(case.number, QUESTION)
        await self.at.says(case.number, rng)
        case.runs.append(await self.at.at_rest(case.number))
        await self._is_answered(case)

    async def desk_refund(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """One refund at the provider, and one reply that says so."""
        case.replies = (1,)
        await self._approve(case, rng)
        await self._is_answered(case)

    async def desk_person(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """A person answers before the approval, and their hook is late: the draft is a note."""
        case.replies = (0,)
        await self._approve(case, rng, person=True)
        at, ticket = self.at, str(case.number)
        await at.until(lambda: at.own.notes(ticket), f"no draft at ticket {ticket}")
        message = next(m for m in at.own.tickets[ticket].messages if m["author"] == "person")
        await at.hook("message.created", case.number, rng, message=message)

    async def desk_hand_back(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """A person takes the ticket and gives it back: the bot answers then, and not before."""
        case.outcomes, case.replies = ("ignored", "answered"), (1,)
        at, ticket = self.at, str(case.number)
        at.open_ticket(case.number, QUESTION)
        at.own.assign(ticket, PERSON)
        await at.hook("ticket.taken", case.number, rng, by={"id": PERSON, "name": PERSON})
        await at.says(case.number, rng)
        case.runs.append(await at.at_rest(case.number))
        at.own.assign(ticket, None)
        await at.hook("ticket.handed_back", case.number, rng)
        case.runs.append(await at.at_rest(case.number, 2))
        await self._is_answered(case)

    async def desk_race(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """A person answers at any moment, and their hook comes some time after that."""
        case.replies = (0, 1)
        self.at.open_ticket(case.number, QUESTION)
        await self.at.says(case.number, rng)
        await asyncio.sleep(rng.uniform(0, LATE_SECONDS))
        message = self.at.own.write(str(case.number), "person", "I am on it.", hook=False)
        await asyncio.sleep(rng.uniform(0, LATE_SECONDS))
        await self.at.hook("message.created", case.number, rng, message=message)

    async def _approve(self, case: Case, rng: random.Random, *, person: bool = False) -> None:
        """Ask for a refund, and agree to it; before that a person may have answered."""
        at = self.at
        at.open_ticket(case.number, TWICE)
        await at.says(case.number, rng)
        run = await at.at_rest(case.number)
        if person:
            at.own.write(str(case.number), "person", "I will look into it.", hook=False)
        await at.desk.decide(run, "approve")
        case.promised |= {
            ("refund", step["args"]["payment_id"], PRICE)
            for step in run["plan"]
        }  # fmt: skip
        case.runs.append(await at.desk.end(run["id"]))

    async def _is_answered(self, case: Case) -> None:
        what = f"no reply at ticket {case.number}"
        await self.at.until(lambda: self.at.replies(case.number), what)
