"""Replies that may be used again: which runs may cache one, and which parts are stored."""

import re
from collections.abc import Iterable

from typing_extensions import TypedDict

from graphs.reply.checks.draft_case import Case
from graphs.reply.checks.leaks import personal_data, secrets
from graphs.reply.facts import reply_facts
from graphs.reply.question_key import speaks_for_others
from graphs.state import Draft, Intent, SupportState, Ticket, Triage
from graphs.text.normalize import folded
from tools.models import Passage

# Stands for the name in a kept greeting; no reply holds these brackets (Unicode 2983, 2984).
NAME_HERE = "\u2983name\u2984"
LETTERS = re.compile(r"[^\W_]+")
# Specialists that see articles only, so that nothing of the customer is in what they find.
IMPERSONAL: frozenset[Intent] = frozenset({"technical", "general"})
NO_FACTS = reply_facts({"findings": {}, "effects": [], "objections": [], "guidance": []})
NO_TICKET: Ticket = {"subject": "", "body": "", "language": None, "customer_name": None}


class CachedAnswer(TypedDict):
    """A checked reply with what `check` needs to check it again; `text` names no customer."""

    text: str
    citations: list[str]
    triage: Triage
    passages: list[Passage]


def reusable(state: SupportState, email: str, ids: Iterable[str]) -> CachedAnswer | None:
    """What the ended run leaves for others who ask the same, or None.

    Only a plain answer from articles to a single question: no customer data was read, nothing was
    done, no person took part, and nothing in the text points at the customer.
    """
    triage, draft, ticket = state["triage"], state["draft"], state["ticket"]
    if triage is None or draft is None or not impersonal(state) or not speaks_for_others(ticket):
        return None
    text = without_name(draft["text"], ticket["customer_name"])
    if tells_of(text, ticket["customer_name"] or "", email, ids):
        return None
    passages = state["findings"][triage["intents"][0]]["passages"]
    cited = draft["citations"]
    return {"text": text, "citations": cited, "triage": triage, "passages": passages}


def impersonal(state: SupportState) -> bool:
    """Whether the run's answer came from articles and the question alone."""
    triage, plan, draft = state["triage"], state["plan"], state["draft"]
    people = (state["escalation"], state["handoff"], state["decision"], state["review"])
    touched = state["effects"] or state["guidance"] or (plan and plan["steps"])
    return (
        state["outcome"] == "answered"
        and not state.get("cache_hit")
        and not any(people)
        and not touched
        and not remembers(state)
        and triage is not None
        and len(triage["intents"]) == 1
        and triage["intents"][0] in IMPERSONAL
        and list(state["findings"]) == triage["intents"]
        and not any(finding["payments"] for finding in state["findings"].values())
        and draft is not None
        and bool(draft["citations"])
        and not state["objections"]
    )


def remembers(state: SupportState) -> bool:
    """Whether the run knows anything of what was said before."""
    memory = state.get("memory")
    return memory is not None and any(memory.values())


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
    """The kept reply for the customer who asks now."""
    return {
        "text": with_name(answer["text"], ticket["customer_name"]),
        "citations": answer["citations"],
    }
