"""The redaction's law: of what is personal or secret no byte leaves, wherever it stands.

Seeded: each seed makes other people, numbers, keys and places for them.
"""

import random
import string
from typing import Any

import pytest
from langgraph.types import interrupt

from app.observability.tool_runs import as_tool_run
from app.observability.tracing import Tracing
from tests.doubles.langsmith_capture import LangSmithCapture, metadata
from tests.integration.test_tracer import State, langsmith, traced, tracing

__all__ = ["langsmith", "tracing"]  # fixtures

SEEDS = 12
ENDS = ("success", "failure", "pause")
SYLLABLES = ("zyx", "qwor", "vank", "plio", "drus", "meb", "xal", "tirn")


class Person:
    """A person with all that must not leave; `markers` are the texts to look for."""

    def __init__(self, seed: int) -> None:
        self.make = make = random.Random(seed)  # noqa: S311, no secret
        digits, name = self.digits, self.made_up_name
        first, last = name(), name()
        groups = [digits(4) for _ in range(4)]
        self.name = f"{first} {last}"
        self.email = f"{first}.{last}{digits(2)}@{name().lower()}.example"
        self.phone = make.choice(
            [f"+49 {digits(3)} {digits(7)}", f"+1 ({digits(3)}) {digits(3)}-{digits(4)}",
             f"0049{digits(9)}", f"0{digits(3)} {digits(7)}"]
        )  # fmt: skip
        self.card = make.choice([" ", "-", ""]).join(["4" + groups[0][1:], *groups[1:]])
        self.iban = f"DE{digits(2)} " + " ".join(groups) + f" {digits(2)}"
        self.key = "sk-proj-" + "".join(make.choices(string.ascii_letters + string.digits, k=40))
        self.markers = {
            "first": first, "last": last, "email": self.email, "phone": self.phone,
            "card": self.card, "iban": self.iban, "key": self.key,
        }  # fmt: skip

    def digits(self, count: int) -> str:
        """So many of them."""
        return "".join(self.make.choices(string.digits, k=count))

    def made_up_name(self) -> str:
        """No word of any text."""
        return "".join(self.make.sample(SYLLABLES, 3)).title()

    def sentence(self) -> str:
        """All of it in some order, between words."""
        said = [self.name, self.email, self.phone, self.card, self.iban, self.key]
        self.make.shuffle(said)
        return "Dear team, " + self.make.choice([", ", "; ", "\n", " and "]).join(said) + " thanks"

    def buried(self, depth: int = 4) -> Any:
        """It somewhere within JSON."""
        found: Any = self.sentence()
        for _ in range(self.make.randint(0, depth)):
            found = self.make.choice([{"note": found}, [found, 7], {"rows": [found]}])
        return found


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_nothing_personal_leaves(
    tracing: Tracing, langsmith: LangSmithCapture, seed: int, end: str
) -> None:
    """By a ticket, a tool's arguments and result, a contact, an exception, or a gate."""
    person = Person(seed)

    async def found() -> Any:
        # A contact, whose name is known from here on only.
        return [{"name": person.name, "email": person.email}, person.buried()]

    async def refused() -> None:
        raise LookupError(person.sentence())

    async def work(state: State) -> State:
        await as_tool_run("read_contacts", {"customer_id": "cus_1", "q": "all"}, found)
        if end == "failure":
            await as_tool_run("refund", {"reason": person.buried()}, refused)
        if end == "pause":
            interrupt({"steps": person.buried()})
        return {"text": str(person.buried())}

    before = len(langsmith.sent)
    root, runs, ended = await traced(tracing, langsmith, work)
    sent = langsmith.sent[before:].decode()
    left = {kind for kind, marker in person.markers.items() if marker in sent}
    assert left == set()
    assert isinstance(ended, LookupError) == (end == "failure")
    for run in (root, *runs):
        assert metadata(run)["thread_id"] == "t"
        assert metadata(run)["ticket_id"] == "T-1"
