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

    Every other question is left open: code says what became of a wish about money, and a person
    has the rest.
    """
    asked = [question for question in facts["questions"] if question["intent"] != "billing"]
    claims = exact_claims(asked[0], ticket, facts) if len(asked) == 1 else []
    answered = {claim["question"] for claim in claims}
    left = [q["id"] for q in facts["questions"] if q["id"] not in answered]
    return Reply.model_validate({"claims": claims, "unanswered": left})


def exact_claims(
    question: dict[str, str], ticket: Ticket, facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """What the article says that answers the question exactly; empty without one.

    Beside a wish about money the subject may be about that wish.
    """
    alone = len(facts["questions"]) == 1
    part: Ticket = ticket if alone else {**ticket, "subject": "", "body": question["text"]}
    passage = exact_passage(part, passages(facts))
    return claims_of(question["id"], passage) if passage else []


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
