"""What a claim may quote: articles, payments, subscriptions and effects, each with its text."""

from typing import NotRequired

from typing_extensions import TypedDict

from graphs.reply.facts import reply_facts
from graphs.state import EvidenceKind, SupportState


class Source(TypedDict):
    """One source; `part` is the part of the ticket that it was found for.

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
    """The sources of a run, articles first."""
    facts = reply_facts(state)
    return [
        {
            "kind": "article",
            "id": p["article_id"],
            "title": p["title"],
            "text": p["text"],
            "part": p["part"],
            "questions": p.get("questions", []),
            "opens": p.get("opens", False),
        }
        for p in facts["passages"]
    ]
