"""What a claim may quote: articles, payments, subscriptions and effects, each with its text.

All but articles are lines that code writes, so that the books are quoted as exactly as an article.
"""

from collections.abc import Iterator, Sequence
from typing import NotRequired

from typing_extensions import TypedDict

from graphs.conversation import Memory
from graphs.reply.names import named, names_in, reply_language, sentences_about, text_of
from graphs.state import SPECIALISTS, EvidenceKind, Finding, SupportState
from tools.billing import payment_line
from tools.catalog import kind_of
from tools.models import Payment
from tools.subscriptions import subscription_line
from tools.wording import Names


class Source(TypedDict):
    """One source; `part` is the part of the ticket that it was found for, "" for all parts.

    An article's `questions` are those that it declares; `opens`: its text begins where it does.
    """

    kind: EvidenceKind
    id: str
    title: str
    text: str
    part: str
    questions: NotRequired[list[str]]
    opens: NotRequired[bool]


def sources(state: SupportState) -> list[Source]:
    """All that this run has retrieved or done: articles first, specialists in their fixed order."""
    found = {name: state["findings"][name] for name in SPECIALISTS if name in state["findings"]}
    names = names_in([payment for one in found.values() for payment in one["payments"]])
    return [
        *(source for part, one in found.items() for source in _articles(part, one)),
        *(source for part, one in found.items() for source in _books(part, one, names)),
        *_effects(state, names),
        *_earlier(state.get("memory")),
    ]


def _articles(part: str, finding: Finding) -> Iterator[Source]:
    for p in finding["passages"]:
        source = _source("article", p["article_id"], p["title"], p["text"], part)
        yield {**source, "questions": p.get("questions", []), "opens": p.get("opens", False)}


def _books(part: str, finding: Finding, names: Names) -> Iterator[Source]:
    newest = newest_payments(finding["payments"], names)
    for payment in finding["payments"]:
        said = payment_line({**payment, "description": names(payment["id"])})
        line = said + newest.get(payment["id"], "")
        yield _source("payment", payment["id"], names(payment["id"]), line, part)
    for subscription in finding.get("subscriptions", []):
        name = named(subscription["description"], subscription["id"])
        line = subscription_line({**subscription, "description": name})
        yield _source("subscription", subscription["id"], name, line, part)


def newest_payments(payments: Sequence[Payment], names: Names) -> dict[str, str]:
    """What the lines of the newest payments say of that, by id: "when was my last payment?".

    Only what was taken counts. One line alone shows it, since a verifier sees no other.
    """
    taken = [p for p in payments if p.get("status", "succeeded") in ("succeeded", "refunded")]
    ordered = sorted(taken, key=lambda payment: (payment["captured_at"], payment["id"]))
    said = {
        (name := names(p["id"])): (p["id"], f", the newest payment for {name}") for p in ordered
    }
    newest = dict(said.values())
    return newest | ({ordered[-1]["id"]: ", the newest of all payments"} if ordered else {})


def _effects(state: SupportState, names: Names) -> Iterator[Source]:
    """What this run has done, as the reply says it; hand-offs are never quoted."""
    language = reply_language(state)
    for step in state["effects"]:
        text = text_of(sentences_about(step, names), language)
        if kind_of(step["tool"]) == "action" and text:
            yield _source("effect", step["step_id"], step["tool"], text, "")


def _earlier(memory: Memory | None) -> Iterator[Source]:
    """What was done on the customer's earlier tickets, one line an effect."""
    for past in memory["tickets"] if memory else []:
        day = past["at"][:10]
        lines = "\n".join(f"- Ticket of {day}: {done}" for done in past["promised"])
        if lines:
            yield _source("effect", past["ticket_id"], f"Earlier ticket of {day}", lines, "")


def _source(kind: EvidenceKind, id_: str, title: str, text: str, part: str) -> Source:
    return {"kind": kind, "id": id_, "title": title, "text": text, "part": part}
