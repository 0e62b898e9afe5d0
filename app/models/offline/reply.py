"""Offline replies: what the one article says that answers exactly, whole and with its source."""

from typing import Any

from app.models.offline.exact import exact_passage
from graphs.nodes.respond import Reply
from graphs.reply.suggestion import answering_sections, readable
from graphs.state import Ticket
from tools.models import Passage

# No longer section can be a claim; a person answers instead.
SECTION_CHARS = 5_000


def compose(ticket: Ticket, facts: dict[str, Any]) -> Reply:
    """A claim for each section of the article that answers the ticket's one question.

    Every other question is left open: code says what was done, and a person has the rest.
    """
    asked = [question["id"] for question in facts["questions"]]
    passage = exact_passage(ticket, passages(facts)) if len(asked) == 1 else None
    claims = claims_of(asked[0], passage) if passage else []
    return Reply.model_validate({"claims": claims, "unanswered": [] if claims else asked})


def passages(facts: dict[str, Any]) -> list[Passage]:
    """The articles among the sources, each once."""
    found = {
        source["id"]: Passage(
            article_id=source["id"],
            title=source["title"],
            text=source["text"],
            score=0.0,
            questions=source.get("questions", []),
            opens=source.get("opens", False),
        )
        for source in reversed(facts["sources"])
        if source["kind"] == "article"
    }
    return list(found.values())[::-1]


def claims_of(question: str, passage: Passage) -> list[dict[str, Any]]:
    """Each section that answers, word for word; none when one is too long to be a claim."""
    sections = answering_sections(passage["text"])
    if any(len(section) > SECTION_CHARS for section in sections):
        return []
    return [
        {
            "question": question,
            "text": readable(section),
            "evidence": [{"kind": "article", "id": passage["article_id"], "quote": section}],
        }
        for section in sections
    ]
