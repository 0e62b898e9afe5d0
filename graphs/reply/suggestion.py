"""What a person who takes over a ticket could answer: a suggestion, and the best articles.

Pure functions. A suggestion is never sent: a person reads it first.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest

from graphs.state import SPECIALISTS, SupportState
from tools.models import FoundArticle, Passage, Suggestion

ARTICLES = 3
EXCERPT_CHARS = 500
# A suggestion is no longer than a reply may be.
SUGGESTION_CHARS = 5_000
HEADING = re.compile(r"^#{1,6}[ \t].*$", re.MULTILINE)
FIRST_STEP = re.compile(r"^[ \t]*1[.)] ", re.MULTILINE)
MARKS = re.compile(r"\*\*|__|`")


def suggestion(state: SupportState, passages: Sequence[Passage]) -> Suggestion | None:
    """A draft that was refused, else what the best article says; None when there is neither."""
    refused = state.get("refused_draft")
    if refused and refused["text"].strip():
        text = refused["text"][:SUGGESTION_CHARS]
        return {"text": text, "citations": list(refused["citations"])}
    if not passages:
        return None
    text = "\n\n".join(answering_sections(passages[0]["text"]))[:SUGGESTION_CHARS]
    return {"text": text, "citations": [passages[0]["article_id"]]} if text else None


def found_passages(state: SupportState, part: str | None = None) -> list[Passage]:
    """What the specialists found, or one of them: each one's best first, no article twice."""
    findings = state.get("findings") or {}
    names = [part] if part else SPECIALISTS
    lists = [findings[name]["passages"] for name in names if name in findings]
    ranked = [passage for rank in zip_longest(*lists) for passage in rank if passage]
    found: dict[str, Passage] = {}
    for passage in ranked:
        found.setdefault(passage["article_id"], passage)
    return list(found.values())


def best_articles(passages: Sequence[Passage]) -> list[FoundArticle]:
    """The first three articles, each with the beginning of what was found in it."""
    return [
        {
            "article_id": passage["article_id"],
            "title": passage["title"],
            "excerpt": passage["text"][:EXCERPT_CHARS],
        }
        for passage in passages[:ARTICLES]
    ]


def answering_sections(text: str) -> list[str]:
    """The opening of an article, and its first section when that is steps to follow; both whole.

    Without headings, and without marks of emphasis, as a customer reads it.
    """
    opening, *sections = (MARKS.sub("", part).strip() for part in HEADING.split(text))
    # An article that begins with a heading has no text before it.
    parts = ([opening] if opening else []) + [section for section in sections if section]
    steps = parts[1:2] if parts[1:] and FIRST_STEP.search(parts[1]) else []
    return parts[:1] + steps
