"""What customers ask at the connected tenant's Zendesk, Zammad and Chatwoot."""

import asyncio
import random
from dataclasses import dataclass

from tests.acceptance.crash.cases import Case, Story
from tests.acceptance.crash.connected import Connected
from tests.acceptance.crash.connected_cases import LATE_SECONDS, QUESTION
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.hosted import PERSON_SAYS, Hosted

# Longer than the second by which these desks order what was done.
SECOND = 1.1


@dataclass(frozen=True)
class HostedCases:
    """The stories, as `cases.py` has them; each is at one of the three desks."""

    at: Connected

    @property
    def stories(self) -> dict[Story, int]:
        """How often each of them comes up."""
        return {self.hosted_question: 4, self.hosted_hand_back: 2, self.hosted_race: 3}

    async def hosted_question(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """An article answers it, at the desk."""
        case.outcomes = ("answered",)
        on = rng.choice(self.at.hosted)
        await on.open(case.number, QUESTION, (1,))
        case.runs.append(await self.at.rested(on.name(case.number)))
        await self._is_answered(on, case)

    async def hosted_hand_back(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """A person takes the ticket and gives it back; the hook of the one may be the later one."""
        case.outcomes = ("ignored", "answered")
        on = rng.choice(self.at.hosted)
        ticket = await on.open(case.number, QUESTION, (1,))
        await on.at.harness.assign_person(ticket)
        case.runs.append(await self.at.rested(on.name(case.number)))
        await asyncio.sleep(SECOND)
        await on.at.harness.hand_back(ticket)
        case.runs.append(await self.at.rested(on.name(case.number), 2))
        await self._is_answered(on, case)

    async def hosted_race(self, case: Case, _desk: Desk, rng: random.Random) -> None:
        """A person answers or takes the ticket at any moment."""
        on = rng.choice(self.at.hosted)
        ticket = await on.open(case.number, QUESTION, (0, 1))
        await asyncio.sleep(rng.uniform(0, LATE_SECONDS))
        if rng.random() < 0.5:
            await on.at.harness.person_replies(ticket, PERSON_SAYS)
        else:
            await on.at.harness.assign_person(ticket)

    async def _is_answered(self, on: Hosted, case: Case) -> None:
        while not await on.said(case.number):
            await self.at.pause(f"no reply at {on.at.connector.kind} {case.number}")
