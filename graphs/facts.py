"""Everything a reply may speak of. `respond` writes from these facts, `check` holds it to them."""

from typing_extensions import TypedDict

from graphs.state import SPECIALISTS, DoneStep, SupportState
from tools.billing import payment_line
from tools.models import JsonObject
from tools.money import format_money


class PassageFact(TypedDict):
    """What an article says."""

    article_id: str
    title: str
    text: str


class EffectFact(TypedDict):
    """What was done; `amount` is money as text, or empty."""

    tool: str
    amount: str
    about: str


class HandedOver(TypedDict):
    """A part of the ticket that a person goes on with, such as "billing", and who that is."""

    part: str
    who: str


class Facts(TypedDict):
    """The only sources of a reply; `guidance` is a reviewer's wish, and no source."""

    effects: list[EffectFact]
    handed_over: list[HandedOver]
    payments: list[str]
    passages: list[PassageFact]
    objections: list[str]
    guidance: list[str]


def reply_facts(state: SupportState) -> Facts:
    """Collect the facts of a run, specialists in their fixed order."""
    findings = [state["findings"][name] for name in SPECIALISTS if name in state["findings"]]
    payments = [payment for finding in findings for payment in finding["payments"]]
    bought = {payment["id"]: payment["description"] for payment in payments}
    return {
        "effects": [
            effect_fact(step["tool"], step["result"], bought)
            for step in state["effects"]
            if step["tool"] != "create_handoff"
        ],
        "handed_over": [
            handed_over(step) for step in state["effects"] if step["tool"] == "create_handoff"
        ],
        "payments": [payment_line(payment) for payment in payments],
        "passages": [
            {"article_id": p["article_id"], "title": p["title"], "text": p["text"]}
            for finding in findings
            for p in finding["passages"]
        ],
        "objections": [f"{o['rule']}: {o['detail']}" for o in state["objections"]],
        "guidance": state["guidance"],
    }


def handed_over(step: DoneStep) -> HandedOver:
    """Which part a person has, and who, as far as somebody is there."""
    agent = step["result"]["agent"]
    return {"part": step["args"]["part"], "who": agent["name"] if agent else ""}


def effect_fact(tool: str, result: JsonObject, bought: dict[str, str]) -> EffectFact:
    """An effect in words a customer understands."""
    if tool != "refund_payment":
        return {"tool": tool, "amount": "", "about": ""}
    return {
        "tool": tool,
        "amount": format_money(result["amount_minor"], result["currency"]),
        "about": bought.get(result["payment_id"], "your payment"),
    }
