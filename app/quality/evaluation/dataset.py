"""Tickets with what is expected of them: one JSON object a line. docs/evaluation.md says how."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.formats.jsonl import RowError, unique_rows
from graphs.state import Outcome
from tools.billing import REFUND
from tools.subscriptions import CANCEL

SHIPPED = Path(__file__).parent / "eval.jsonl"
# In a list of articles: whatever is cited is fine.
ANY_ARTICLE = "*"
# Between wordings of which one is enough.
OR = "|"
# The tools that an expected effect may name, and the argument that says of what.
EFFECT_TOOLS = {
    "refund": (REFUND.name, "payment_id"),
    "cancel": (CANCEL.name, "subscription_id"),
}

Text = Annotated[str, Field(max_length=64_000)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class Strict(BaseModel):
    """A mistyped key is an error, not an expectation that nothing checks."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Customer(Strict):
    """Who writes; the demo's customers have payments."""

    id: Name
    name: str | None = None


class Said(Strict):
    """One earlier message of the thread."""

    author: Literal["customer", "deskgraph"]
    text: Text


class CaseTicket(Strict):
    """The ticket as a helpdesk would send it, and what was said before in its thread."""

    subject: Text
    body: Text
    customer: Customer
    language: str | None = None
    headers: dict[str, str] = {}
    history: list[Said] = []

    def as_sent(self, ticket_id: str) -> dict[str, Any]:
        """The ticket in the shape of `POST /v1/runs`."""
        return {"id": ticket_id, **self.model_dump(exclude={"history"}, exclude_none=True)}


class Effect(Strict):
    """An effect that may be planned: "refund pay_1|pay_2 4900 USD" or "cancel sub_1"."""

    tool: str
    argument: str
    ids: tuple[str, ...]
    amount_minor: int | None = None
    currency: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: object) -> object:
        words = value.split() if isinstance(value, str) else []
        if len(words) not in {2, 4} or words[0] not in EFFECT_TOOLS:
            raise ValueError('must be like "refund pay_1|pay_2 4900 USD" or "cancel sub_1"')
        tool, argument = EFFECT_TOOLS[words[0]]
        read: dict[str, Any] = {"tool": tool, "argument": argument, "ids": words[1].split(OR)}
        return read | ({"amount_minor": words[2], "currency": words[3]} if words[2:] else {})

    def allows(self, tool: str, args: dict[str, Any]) -> bool:
        """Whether the planned step is this effect; an amount that is not named may be any."""
        return (
            tool == self.tool
            and args.get(self.argument) in self.ids
            and self.amount_minor in {None, args.get("amount_minor")}
            and self.currency in {None, args.get("currency")}
        )


class Expectation(Strict):
    """What may become of a ticket. A hand-over to a person is always allowed, unless `silent`.

    `outcome`: how the run may end. `articles`: all that a reply may cite. `effects`: all that may
    be planned. `must_say`: one entry for each of the `questions`, if there are several; else each
    is needed; an empty one stands for a question that no article answers.
    `silent`: nothing may be sent, for that would keep a loop going.
    """

    outcome: Annotated[list[Outcome], Field(min_length=1)]
    articles: list[Name] = []
    effects: list[Effect] = []
    must_say: list[Text] = []
    must_not_say: list[Name] = []
    questions: Annotated[int, Field(ge=1, le=20)] = 1
    silent: bool = False

    @model_validator(mode="after")
    def _one_entry_a_question(self) -> "Expectation":
        if self.questions > 1 and len(self.must_say) != self.questions:
            raise ValueError("must_say needs one entry for each of several questions")
        return self

    @property
    def answerable(self) -> bool:
        """Whether the ticket could be answered from the articles, with no person."""
        return "answered" in self.outcome and any(self.must_say)


class Case(Strict):
    """One line of a dataset."""

    id: Name
    group: Name
    ticket: CaseTicket
    expect: Expectation


def read_dataset(path: Path = SHIPPED) -> list[Case]:
    """Every case of the file, in its order. Raises RowError, OSError, UnicodeDecodeError."""
    cases = unique_rows(path, Case)
    if not cases:
        raise RowError(f"{path} has no tickets")
    return cases
