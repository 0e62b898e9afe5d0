"""Judge what became of a ticket by its expectations: wrong, right, partial, handed over."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.quality.evaluation.dataset import ANY_ARTICLE, OR, Case, Effect, Expectation
from app.quality.evaluation.rehearse import Rehearsed
from graphs.state import SupportState
from graphs.text.tokens import DASHES
from tools.catalog import kind_of
from tools.models import Step

Kind = Literal["wrong", "right", "partial", "handed over", "silent"]
QUOTATION = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"') | {"\u2019": "'"}
)
WORD_SIGN = "[0-9a-z]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wrong`: it left, or money was planned, with no person and against an expectation.

    `right`, `partial`: every question answered, or some of them and the rest handed over or asked
    back. `silent`: rightly no reply. `why` is for wrong ones.
    """

    kind: Kind
    why: str = ""


def judge(case: Case, ended: Rehearsed) -> Verdict:
    """The verdict on one ticket."""
    if why := next(faults(case.expect, ended), ""):
        return Verdict("wrong", why)
    state = ended.state
    outcome = state.get("outcome")
    if outcome == "ignored":
        return Verdict("silent")
    if ended.gates or outcome in {"escalated", "rejected"}:
        return Verdict("handed over")
    missing = unsaid(case.expect, plain(sent_text(state)))
    if not missing or outcome == "asked":
        return Verdict("right")
    return Verdict("partial")


def faults(expect: Expectation, ended: Rehearsed) -> Iterator[str]:
    """What is wrong, worst first; a person who would have seen it makes a reply no fault."""
    if ended.failure is not None:
        yield f"the run failed: {ended.failure}"
        return
    yield from planned_faults(expect, ended)
    state, text = ended.state, plain(sent_text(ended.state))
    outcome = state.get("outcome")
    # After a gate the rehearsal goes on as if a person had agreed, and says so.
    for words in () if ended.gates else expect.must_not_say:
        if says(text, words):
            yield f"it says {words!r}"
    if expect.silent and outcome != "ignored":
        yield f"a mail of a loop was not ignored: {outcome}"
    if ended.gates or outcome in {"escalated", "rejected"}:
        return
    if outcome not in expect.outcome:
        yield f"{outcome}, expected {' or '.join(expect.outcome)}"
    if outcome == "answered":
        yield from answer_faults(expect, state, text)


def planned_faults(expect: Expectation, ended: Rehearsed) -> Iterator[str]:
    """Every effect that was planned and not wished for, whether a person saw it or not."""
    plan = ended.state.get("plan")
    gated = [step for gate in ended.gates for step in gate["steps"]]
    steps = [*gated, *(plan["steps"] if plan else [])]
    actions = {(step["tool"], str(step["args"])): step for step in steps}
    left = list(expect.effects)
    for step in actions.values():
        if kind_of(step["tool"]) != "action":
            continue
        if (allowed := wished(step, left)) is None:
            yield f"it planned {step['tool']} {step['args']}"
        else:
            left.remove(allowed)


def wished(step: Step, effects: list[Effect]) -> Effect | None:
    """The expected effect that the step is, if there is one left."""
    return next((wish for wish in effects if wish.allows(step["tool"], step["args"])), None)


def answer_faults(expect: Expectation, state: SupportState, text: str) -> Iterator[str]:
    """What is wrong with a reply that left as an answer."""
    draft = state.get("draft")
    cited = draft["citations"] if draft else []
    foreign = [id_ for id_ in cited if id_ not in expect.articles]
    if foreign and ANY_ARTICLE not in expect.articles:
        yield f"it cites {', '.join(foreign)}"
    missing = unsaid(expect, text)
    needed = sum(map(bool, expect.must_say))
    if missing and (expect.questions == 1 or len(missing) == needed):
        yield f"it does not say {missing[0]!r}"
    elif (missing or needed < expect.questions > 1) and not shared(state):
        yield f"a question was dropped without a word: {(missing or ['the one to hand over'])[0]!r}"


def shared(state: SupportState) -> bool:
    """Whether the reply says of a question that a person has it, or asks the customer back."""
    handed = any(kind_of(effect["tool"]) == "handoff" for effect in state["effects"])
    return handed or bool(state.get("handoff")) or bool(state.get("asked_back"))


def sent_text(state: SupportState) -> str:
    """What the customer reads; empty when nothing was sent."""
    reply = state.get("reply")
    return reply["text"] if reply else ""


def unsaid(expect: Expectation, text: str) -> list[str]:
    """The expected words that stand in none of their wordings in the text."""
    return [
        words
        for words in expect.must_say
        if words and not any(says(text, one) for one in words.split(OR))
    ]


def says(text: str, words: str) -> bool:
    """Whether plain text holds the words: a number as a whole, a short word as a word."""
    sought = plain(words)
    before = rf"(?<!{WORD_SIGN})" if re.match(WORD_SIGN, sought) else ""
    after = ""
    if re.search(r"\d$", sought):
        after = r"(?!\d|[.,]\d{3})"
    elif len(sought) <= 3 and re.search(rf"{WORD_SIGN}$", sought):
        after = rf"(?!{WORD_SIGN})"
    return re.search(f"{before}{re.escape(sought)}{after}", text) is not None


def plain(text: str) -> str:
    """Small letters, one kind of quotation mark and dash, no emphasis, one blank between words."""
    unmarked = DASHES.sub("-", text.replace("*", "")).translate(QUOTATION)
    return " ".join(unmarked.casefold().split())
