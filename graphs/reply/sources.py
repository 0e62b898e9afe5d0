"""What a claim may quote: articles, payments, subscriptions and effects, each with its text."""

from typing_extensions import TypedDict

from graphs.reply.facts import reply_facts
from graphs.state import EvidenceKind, SupportState


class Source(TypedDict):
    """One source; `part` is the part of the ticket that it was found for."""

    kind: EvidenceKind
    id: str
    title: str
    text: str
    part: str


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
        }
        for p in facts["passages"]
    ]
