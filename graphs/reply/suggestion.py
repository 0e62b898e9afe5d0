"""What a person who takes over a ticket could answer: a suggestion, and the best articles.

Pure functions. A suggestion is never sent: a person reads it first.
"""

import re
from collections.abc import Sequence
from itertools import chain, zip_longest

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
    # A text without claims is a greeting alone; a release before this one stored no claims.
    if refused and refused["text"].strip() and refused.get("claims", True):
        text = refused["text"][:SUGGESTION_CHARS]
        return {"text": text, "citations": list(refused["citations"])}
    if not passages:
        return None
    text = "\n\n".join(map(readable, answering_sections(passages[0]["text"])))
    cited = [passages[0]["article_id"]]
    return {"text": text[:SUGGESTION_CHARS], "citations": cited} if text else None


def found_passages(state: SupportState, part: str | None = None) -> list[Passage]:
    """What the specialists found, or one of them: each one's best first, no article twice."""
    findings = state.get("findings") or {}
    names = [part] if part else SPECIALISTS
    lists = [findings[name]["passages"] for name in names if name in findings]
    best: dict[str, Passage] = {}
    for passage in chain.from_iterable(zip_longest(*lists)):
        if passage:
            best.setdefault(passage["article_id"], passage)
    return list(best.values())


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

    Without their headings, else word for word.
    """
    parts = [part for part in (part.strip() for part in HEADING.split(text)) if part]
    steps = parts[1:2] if parts[1:] and FIRST_STEP.search(parts[1]) else []
    return parts[:1] + steps


def readable(section: str) -> str:
    """The section without marks of emphasis, as a customer reads it."""
    return MARKS.sub("", section)
