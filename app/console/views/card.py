"""One approval as its reviewer reads it: what would be done, why it asks, and what follows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.console.views.words import label, sums
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.runs import Message, Run
from app.services.approvals.edit import editable_of, may_drop
from app.services.approvals.offers import agreed_so_far
from graphs.reply.names import names_in, text_of
from graphs.text.new_text.reading import set_apart
from tools.catalog import money_of, parsed
from tools.money import minor_unit_digits
from tools.wording import Names

SET_APART = {
    "quote": "Quoted from an earlier message",
    "forward": "Forwarded message",
    "signature": "Signature",
    "disclaimer": "Disclaimer",
    "headers": "Mail headers",
    "html_hidden": "Hidden by the message's HTML",
    "hidden_characters": "Invisible characters",
}


@dataclass(frozen=True, slots=True)
class Field:
    """An argument of a step; `way` is how a reviewer may change it: `down`, `text` or not."""

    name: str
    title: str
    value: str
    shown: str
    way: str
    maximum: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the plan, in words; `sentence` is what code will say of it to the customer."""

    id: str
    title: str
    risk: str
    amount: str
    reason: str
    fields: list[Field]
    evidence: list[Mapping[str, Any]]
    sentence: str
    droppable: bool

    @property
    def editable(self) -> bool:
        """Whether a reviewer may change something of it."""
        return any(field.way for field in self.fields)


@dataclass(frozen=True, slots=True)
class TextView:
    """A customer's message in its two halves: what they wrote now, and what was set apart."""

    new: str
    apart: list[tuple[str, str]]


def title_of(approval: Approval) -> str:
    """The verbs of the plan in one line."""
    if approval.kind == "reply":
        return "Send a reply"
    verbs = Counter(label(step["tool"]) for step in approval.steps)
    return ", ".join(f"{verb} ×{n}" if n > 1 else verb for verb, n in verbs.items())


def money_text(steps: Sequence[Mapping[str, Any]]) -> str:
    """What the steps move in all, by currency; empty when they move nothing."""
    return sums(totals(steps))


def totals(steps: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the steps move, minor units by currency."""
    moved: Counter[str] = Counter()
    for money in filter(None, map(money_of, steps)):
        moved[money.currency] += money.amount_minor
    return dict(moved)


def agreed_text(approval: Approval, decisions: list[Decision]) -> str:
    """How many have agreed, and who, when more than one must."""
    if approval.required_approvers < 2:
        return ""
    names = agreed_so_far(approval, decisions)
    by = f": {', '.join(names)}" if names else ""
    return f"{len(names)} of {approval.required_approvers} have agreed{by}"


def steps_of(approval: Approval, run: Run, payments: list[Any]) -> list[StepView]:
    """The steps as a reviewer reads them; `payments` are those that the run has read."""
    language = (run.result.get("triage") or {}).get("language")
    names = names_in(payments)
    droppable = len(approval.steps) > 1
    return [
        StepView(
            id=step["id"],
            title=label(step["tool"]),
            risk=step["risk"],
            amount=money_text([step]),
            reason=step["reason"],
            fields=_fields(step),
            evidence=step["evidence"],
            sentence=_sentence(step, names, language),
            droppable=droppable and may_drop(step),
        )
        for step in approval.steps
    ]


def _fields(step: Mapping[str, Any]) -> list[Field]:
    """The arguments, an amount in the units that people count in."""
    args, editable = step["args"], editable_of(dict(step))
    shown = []
    for name, value in args.items():
        if (name, value) == ("reason", step["reason"]) and name not in editable:
            continue
        if name == "amount_minor":
            text = major(value, args["currency"])
            shown.append(Field(name, "Amount", text, money_text([step]) or text,
                               editable.get(name, ""), text))  # fmt: skip
        elif not (name == "currency" and "amount_minor" in args):
            text = value if isinstance(value, str) else str(value)
            shown.append(Field(name, label(name), text, text, editable.get(name, ""), ""))
    return shown


def major(amount_minor: int, currency: str) -> str:
    """Minor units as a number that people type: 4900 USD is "49.00"."""
    digits = minor_unit_digits(currency)
    whole, rest = divmod(amount_minor, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def _sentence(step: Mapping[str, Any], names: Names, language: str | None) -> str:
    """What code will say to the customer once the step is done as it is planned."""
    if (known := parsed(step)) is None or known[0].kind == "reply":
        return ""
    effect, args = known
    result = effect.simulate(args)
    if effect.kind == "handoff":
        # Who takes it is known only then.
        return ""
    return text_of(effect.wording(step["args"], result, names), language)


def text_view(message: Message) -> TextView:
    """A message as its reader needs it: the customer's own new words first."""
    read = set_apart(message.text)
    apart = [(SET_APART.get(part["kind"], label(part["kind"])), part["text"])
             for part in read.set_apart]  # fmt: skip
    return TextView(read.text, apart)
