"""Replies that may be used again: which runs may cache one, and which parts are stored."""

import re
from collections.abc import Iterable

from typing_extensions import TypedDict

from graphs.reply.assemble import assembled
from graphs.reply.checks.draft_case import Case
from graphs.reply.checks.leaks import personal_data, secrets
from graphs.reply.facts import reply_facts
from graphs.reply.question_key import speaks_for_others
from graphs.run.memory import IMPERSONAL, read_memory
from graphs.state import Claim, Draft, Grounding, SupportState, Ticket, Triage
from graphs.text.normalize import folded
from tools.models import Passage

# Stands for the name in a kept greeting; no reply holds these brackets (Unicode 2983, 2984).
NAME_HERE = "\u2983name\u2984"
LETTERS = re.compile(r"[^\W_]+")
NO_FACTS = reply_facts({"findings": {}, "effects": [], "objections": [], "guidance": []})
NO_TICKET: Ticket = {"subject": "", "body": "", "language": None, "customer_name": None}


class CachedAnswer(TypedDict):
    """A checked reply with what `check` needs to check it again; `text` names no customer.

    `released`: a person wrote the text and said that others may get it; then it has no claims.
    """

    text: str
    citations: list[str]
    claims: list[Claim]
    grounding: Grounding
    released: bool
    triage: Triage
    passages: list[Passage]


def reusable(state: SupportState, email: str, ids: Iterable[str]) -> CachedAnswer | None:
    """What the ended run leaves for others who ask the same, or None.

    Only a plain answer from articles to a single question, that was verified or released: no
    customer data was read, nothing was done, and nothing in the text points at the customer.
    """
    triage, draft, ticket = state["triage"], state["draft"], state["ticket"]
    if triage is None or draft is None or not impersonal(state) or not speaks_for_others(ticket):
        return None
    edited = rewritten(state)
    if not (edited or verified(state)):
        return None
    text = without_name(draft["text"], ticket["customer_name"])
    if tells_of(text, ticket["customer_name"] or "", email, ids):
        return None
    return {
        "text": text,
        "citations": draft["citations"],
        "claims": [] if edited else draft.get("claims", []),
        "grounding": draft.get("grounding", "quotes"),
        "released": edited,
        "triage": triage,
        "passages": state["findings"][triage["intents"][0]]["passages"],
    }


def impersonal(state: SupportState) -> bool:
    """Whether the run's answer came from articles and the question alone."""
    triage, plan, draft = state["triage"], state["plan"], state["draft"]
    touched = state["effects"] or state["guidance"] or (plan and plan["steps"])
    return (
        state["outcome"] == "answered"
        and not state.get("cache_hit")
        and not (state["escalation"] or state["handoff"])
        and (released(state) or not (state["decision"] or state["review"]))
        and not touched
        and not remembers(state)
        and len(state.get("questions", [])) <= 1
        and not state.get("asked_back")
        and triage is not None
        and len(triage["intents"]) == 1
        and triage["intents"][0] in IMPERSONAL
        and list(state["findings"]) == triage["intents"]
        and not any(finding["payments"] for finding in state["findings"].values())
        and draft is not None
        and bool(draft["citations"])
        and not state["objections"]
    )


def released(state: SupportState) -> bool:
    """Whether a person who decided about this reply lets others have it."""
    decision = state["decision"]
    agreed = decision is not None and decision["verdict"] in {"approve", "edit"}
    return bool(agreed and decision and decision.get("release"))


def rewritten(state: SupportState) -> bool:
    """Whether the reply is a person's text that they released."""
    decision = state["decision"]
    return decision is not None and decision["verdict"] == "edit" and released(state)


def verified(state: SupportState) -> bool:
    """Whether a verifier supported every claim, or the reply holds whole quotes alone."""
    draft = state["draft"]
    claims = draft.get("claims", []) if draft else []
    if draft and draft.get("grounding") == "quotes":
        return bool(claims)
    supported = {v["text"] for v in state.get("verdicts", []) if v["supported"]}
    return bool(claims) and all(claim["text"] in supported for claim in claims)


def remembers(state: SupportState) -> bool:
    """Whether the run may read anything of what was said before."""
    return any(read_memory(state).values())


def without_name(text: str, name: str | None) -> str:
    """The text with a place for the name in its greeting: "Hello Ann," and the like.

    Elsewhere the name stays, so that `tells_of` refuses the text.
    """
    words = (name or "").split()
    for form in dict.fromkeys([name or "", *words[:1], *words[-1:]]):
        greeting = rf"(\w[\w ]{{0,30}}?) {re.escape(form)}(?=[,!:.]|\s*\n)"
        if form and (found := re.match(greeting, text)):
            return f"{found[1]} {NAME_HERE}{text[found.end() :]}"
    return text


def with_name(text: str, name: str | None) -> str:
    """The kept text for one customer; a greeting without a name stays well formed."""
    return text.replace(f" {NAME_HERE}", f" {name}" if name else "", 1)


def tells_of(text: str, name: str, email: str, ids: Iterable[str]) -> bool:
    """Whether the text still points at a person.

    By an address, an identifier, a phone or account number, a secret, or a word of the customer's
    own name or address.
    """
    said = folded(text.replace(NAME_HERE, ""))
    # The last label of an address, such as "com", identifies no person.
    own = {folded(word) for word in LETTERS.findall(f"{name} {email.rpartition('.')[0]}")}
    words = set(LETTERS.findall(said))
    if any(_stands_in(word, said, words) for word in own if len(word) > 1 or not word.isascii()):
        return True
    if any(len(id_) > 2 and folded(id_) in said for id_ in ids):
        return True
    case = Case.of({"text": text, "citations": []}, NO_FACTS, NO_TICKET)
    return any(personal_data(case)) or any(secrets(case))


def _stands_in(word: str, said: str, words: set[str]) -> bool:
    """Scripts without spaces have no word borders, so any place counts."""
    return word in words if word.isascii() else word in said


def recalled_draft(answer: CachedAnswer, ticket: Ticket) -> Draft:
    """The kept reply for the customer who asks now; claims get a greeting of their own."""
    name, claims = ticket["customer_name"], answer["claims"]
    text = with_name(answer["text"], name)
    if claims:
        language = answer["triage"]["language"]
        text = assembled(claims, language=language, customer_name=name, sentences=())
    return {
        "text": text,
        "citations": answer["citations"],
        "claims": claims,
        "unanswered": [],
        "grounding": answer["grounding"],
        "released": answer["released"],
    }
