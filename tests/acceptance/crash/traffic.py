"""Customers who keep coming while processes die, and what each of them must have got in the end."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable

from tests.acceptance.crash.cases import Case, Effect, Story
from tests.acceptance.crash.desk import Desk, StuckError


class Traffic:
    """So many cases at once, one after the other, until it is asked to stop."""

    def __init__(
        self,
        desk: Desk,
        stories: dict[Story, int],
        rng: random.Random,
        at_once: int,
        customers: int,
    ) -> None:
        self.desk, self.rng, self.at_once, self.customers = desk, rng, at_once, customers
        self.stories = stories
        self.cases: list[Case] = []
        self.open = True

    async def flow(self) -> None:
        """Until stopped, and until every case that began has ended or got stuck."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        stories, weights = list(self.stories), list(self.stories.values())
        while self.open and len(self.cases) < self.customers:
            [story] = self.rng.choices(stories, weights)
            case = Case(story.__name__, len(self.cases) + 1)
            self.cases.append(case)
            try:
                own = random.Random(case.number)  # noqa: S311  # no secret
                await story(case, self.desk, own)
                case.ended = True
            except StuckError as error:
                self.desk.complaints.append(f"{case.kind} {case.number}: {error}")

    def kinds(self) -> Counter[str]:
        """How many cases of each kind there were."""
        return Counter(case.kind for case in self.cases)


def wrong_ends(
    cases: Iterable[Case],
    done: set[Effect],
    unknown: set[tuple[str, str]],
    mailed: dict[str, int],
) -> list[str]:
    """What a case was promised and did not get, or got without a promise, or how it ended wrong.

    An effect whose outcome is unknown may be missing, and then a person has the ticket.
    """
    found: list[str] = []
    left = set(done)
    for case in cases:
        tell = f"{case.kind} {case.number}"
        doubtful = {(tool, target) for tool, target, _ in case.promised} & unknown
        for effect in case.promised:
            tool, target, amount = effect
            if tool == "mail":
                reached = mailed.get(f"mail:{target}:T-{case.number}", 0)
                if reached != amount:
                    found.append(f"{tell}: {reached} of {amount} people were mailed")
            elif effect in left:
                left.remove(effect)
            elif not (case.perhaps or doubtful):
                found.append(f"{tell}: {effect} did not happen")
        found += [f"{tell}: {why}" for why in odd_runs(case, doubtful=bool(doubtful))]
    return found + [f"no person agreed to {effect}" for effect in left]


def odd_runs(case: Case, *, doubtful: bool) -> list[str]:
    """Runs of a case that ended in another way than its story has it."""
    found = []
    outcomes, reasons = case.outcomes, case.reasons
    if doubtful:
        outcomes, reasons = (*outcomes, "escalated", None), (*reasons, "step_failed")
    for run in case.runs:
        reason = (run["escalation"] or {}).get("reason")
        if run["outcome"] not in outcomes or reason not in reasons:
            found.append(
                f"run {run['id']} ended {run['status']}/{run['outcome']}, {run['escalation']}"
            )
    return found
