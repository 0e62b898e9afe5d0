"""The facts of a reply: `respond` writes from them, `check` compares the draft with them."""

from typing_extensions import TypedDict

from graphs.questions import Settled, settled
from graphs.reply.names import names_in, reply_language, sentences_about, text_of
from graphs.reply.sources import Source, sources
from graphs.state import SPECIALISTS, DoneStep, SupportState
from graphs.text.phrases import UNDONE
from tools.billing import payment_line
from tools.catalog import EFFECTS, kind_of
from tools.wording import Names, in_language


class PassageFact(TypedDict):
    """What an article says; `part` is the part of the ticket that it was found for."""

    article_id: str
    title: str
    text: str
    part: str


class EffectFact(TypedDict):
    """What was done: the sentence for the customer, and the values in it.

    The sentence is empty for an effect that this version of the code has no words for.
    """

    tool: str
    sentence: str
    values: list[str]


class HandedOver(TypedDict):
    """A part that a person goes on with, such as "billing", who that is, and the sentence."""

    part: str
    who: str
    sentence: str


class AskedFact(TypedDict):
    """A question of the ticket, as a claim names it."""

    id: str
    text: str
    part: str


class Facts(TypedDict):
    """The facts of a reply. Only `sources` may be quoted; `guidance` is a reviewer's wish.

    `undone` names what a reviewer took out of the plan. `sentences` are those that code adds to
    the reply: what was done, what was not, and who goes on.
    """

    questions: list[AskedFact]
    settled: Settled
    sources: list[Source]
    effects: list[EffectFact]
    handed_over: list[HandedOver]
    undone: list[str]
    sentences: list[str]
    payments: list[str]
    passages: list[PassageFact]
    objections: list[str]
    guidance: list[str]


def reply_facts(state: SupportState) -> Facts:
    """Collect the facts of a run, specialists in their fixed order."""
    findings = {name: state["findings"][name] for name in SPECIALISTS if name in state["findings"]}
    payments = [payment for finding in findings.values() for payment in finding["payments"]]
    language, names = reply_language(state), names_in(payments)
    done = [(step, kind_of(step["tool"])) for step in state["effects"]]
    effects = [effect_fact(step, names, language) for step, kind in done if kind == "action"]
    handed = [handed_over(step, names, language) for step, kind in done if kind == "handoff"]
    dropped = undone(state, names)
    return {
        "questions": [
            {"id": q["id"], "text": q["text"], "part": q["intent"]}
            for q in state.get("questions", [])
        ],
        "settled": settled(state),
        "sources": sources(state),
        "effects": effects,
        "handed_over": handed,
        "undone": dropped,
        "sentences": added_sentences(effects, dropped, handed, language),
        "payments": [payment_line({**p, "description": names(p["id"])}) for p in payments],
        "passages": [
            {"article_id": p["article_id"], "title": p["title"], "text": p["text"], "part": part}
            for part, finding in findings.items()
            for p in finding["passages"]
        ],
        "objections": [f"{o['rule']}: {o['detail']}" for o in state["objections"]],
        "guidance": state["guidance"],
    }


def added_sentences(
    effects: list[EffectFact], dropped: list[str], handed: list[HandedOver], language: str | None
) -> list[str]:
    """What was done, what was not done, and which parts went to a person."""
    not_done = [UNDONE.fill(language, about=", ".join(dropped))] if dropped else []
    done = [effect["sentence"] for effect in effects if effect["sentence"]]
    return [*done, *not_done, *(part["sentence"] for part in handed)]


def undone(state: SupportState, names: Names) -> list[str]:
    """What the specialists proposed and a reviewer dropped, as the customer calls it."""
    if (plan := state.get("plan")) is None:
        return []
    left = {step["id"] for step in plan["steps"]}
    proposed = [step for finding in state["findings"].values() for step in finding["steps"]]
    dropped = [step for step in proposed if step["id"] not in left]
    subjects = [
        effect.subject(step, names) if (effect := EFFECTS.get(step["tool"])) else step["id"]
        for step in dropped
    ]
    return list(dict.fromkeys(subjects))


def effect_fact(step: DoneStep, names: Names, language: str | None) -> EffectFact:
    """An effect in the words for the customer."""
    said = sentences_about(step, names)
    return {
        "tool": step["tool"],
        "sentence": text_of(said, language),
        "values": [str(in_language(v, language)) for one in said for v in one.values.values()],
    }


def handed_over(step: DoneStep, names: Names, language: str | None) -> HandedOver:
    """Which part a person has, who, if an agent was free, and the sentence for the customer."""
    agent = step["result"]["agent"]
    return {
        "part": step["args"]["part"],
        "who": agent["name"] if agent else "",
        "sentence": text_of(sentences_about(step, names), language),
    }
