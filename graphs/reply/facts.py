"""Everything a reply may speak of. `respond` writes from these facts, `check` holds it to them."""

import re
from typing import cast

from typing_extensions import TypedDict

from graphs.state import SPECIALISTS, DoneStep, SupportState
from graphs.text.bounds import normalized
from graphs.text.phrases import Key, phrase, who_goes_on
from graphs.text.tokens import visible
from tools.billing import payment_line
from tools.models import Handoff, JsonObject, Step
from tools.money import format_money
from tools.subscriptions import subscription_name

TOLD_AS: dict[str, Key] = {
    "refund_payment": "refunded",
    "cancel_subscription": "cancelled",
    "send_bulk_mail": "mailed",
}

# A description may come from whoever paid. One that could be more than a name (a link, markup, a
# sentence, an order) is no fact: the provider's id stands for it.
NO_NAME = re.compile(
    r"[<>\[\]{}@`|*\x00-\x1f\x7f-\x9f\u2028\u2029]|//|[.!?。！？](?!\d)|\.\w*[^\W\d_]|&\w+;"
    r"|\b(?:data|javascript|mailto|tel|sms):|\b(?:we|i|you|wir|ich|sie|nous|je|vous|usted|noi)\b"
    r"|refund|approv",
    re.IGNORECASE,
)
NAME_CHARS = 100


class PassageFact(TypedDict):
    """What an article says; `part` is the part of the ticket that it was found for."""

    article_id: str
    title: str
    text: str
    part: str


class EffectFact(TypedDict):
    """What was done; `amount` is money as text, or empty."""

    tool: str
    amount: str
    about: str


class HandedOver(TypedDict):
    """A part that a person goes on with, such as "billing", who that is, and how it is told."""

    part: str
    who: str
    told: str


class Facts(TypedDict):
    """The only sources of a reply; `guidance` is a reviewer's wish, and no source.

    `undone` names what a reviewer took out of the plan.
    """

    effects: list[EffectFact]
    handed_over: list[HandedOver]
    undone: list[str]
    payments: list[str]
    passages: list[PassageFact]
    objections: list[str]
    guidance: list[str]


def reply_facts(state: SupportState) -> Facts:
    """Collect the facts of a run, specialists in their fixed order."""
    findings = {name: state["findings"][name] for name in SPECIALISTS if name in state["findings"]}
    triage = state.get("triage")
    payments = [payment for finding in findings.values() for payment in finding["payments"]]
    bought = {payment["id"]: named(payment["description"], payment["id"]) for payment in payments}
    return {
        "effects": [
            effect_fact(step["tool"], step["result"], bought)
            for step in state["effects"]
            if step["tool"] != "create_handoff"
        ],
        "handed_over": [
            handed_over(step, triage["language"] if triage else None)
            for step in state["effects"]
            if step["tool"] == "create_handoff"
        ],
        "undone": undone(state, bought),
        "payments": [payment_line({**p, "description": bought[p["id"]]}) for p in payments],
        "passages": [
            {"article_id": p["article_id"], "title": p["title"], "text": p["text"], "part": part}
            for part, finding in findings.items()
            for p in finding["passages"]
        ],
        "objections": [f"{o['rule']}: {o['detail']}" for o in state["objections"]],
        "guidance": state["guidance"],
    }


def undone(state: SupportState, bought: dict[str, str]) -> list[str]:
    """What the specialists proposed and a reviewer dropped, as the customer calls it."""
    if (plan := state.get("plan")) is None:
        return []
    left = {step["id"] for step in plan["steps"]}
    proposed = [step for finding in state["findings"].values() for step in finding["steps"]]
    return list(dict.fromkeys(asked_for(s, bought) for s in proposed if s["id"] not in left))


def asked_for(step: Step, bought: dict[str, str]) -> str:
    """What a step would have been about, in a customer's words where there are any."""
    if step["tool"] == "refund_payment":
        payment_id: str = step["args"]["payment_id"]
        return bought.get(payment_id, payment_id)
    if step["tool"] == "cancel_subscription":
        [record] = step["evidence"]
        return named(subscription_name(record["summary"]), record["id"])
    return str(step["args"].get("audience", step["id"]))


def handed_over(step: DoneStep, language: str | None) -> HandedOver:
    """Which part a person has, who, as far as somebody is there, and the customer's sentence."""
    part, agent = step["args"]["part"], step["result"]["agent"]
    told = who_goes_on(cast("Handoff", step["result"]), language, part)
    return {"part": part, "who": agent["name"] if agent else "", "told": told}


def named(description: str, id_: str) -> str:
    """What was bought, as a name; the id when the description could say more than that."""
    plain = visible(normalized("NFKC", description)).strip()
    return id_ if not plain or len(plain) > NAME_CHARS or NO_NAME.search(plain) else plain


def effect_fact(tool: str, result: JsonObject, bought: dict[str, str]) -> EffectFact:
    """An effect in words a customer understands."""
    amount = about = ""
    if tool == "refund_payment":
        amount = format_money(result["amount_minor"], result["currency"])
        about = bought.get(result["payment_id"], "your payment")
    elif tool == "cancel_subscription":
        about = named(result["description"], result["subscription_id"])
    elif tool == "send_bulk_mail":
        about = mailing_words(result)
    return {"tool": tool, "amount": amount, "about": about}


def mailing_words(result: JsonObject) -> str:
    """How a mailing ended: whom it reached, and how many it did not."""
    missed = {
        "refused by the mail server": result["failed"],
        "perhaps not reached": result["unknown"],
        "no longer on the list": result["skipped"],
    }
    notes = ", ".join(f"{count} {what}" for what, count in missed.items() if count)
    return f"{result['sent']} contacts in {result['audience']}" + (f" ({notes})" if notes else "")


def effect_sentence(effect: EffectFact, language: str | None) -> str:
    """An effect told to the customer, and nothing more; empty when there are no words for it."""
    key = TOLD_AS.get(effect["tool"])
    if key is None:
        return ""
    return phrase(key, language, amount=effect["amount"], about=effect["about"])
