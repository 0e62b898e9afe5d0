"""Offline replies: the passage that answers, word for word, with its source."""

import re
from typing import Any

from graphs.nodes.respond import Reply
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.tokens import content_words, coverages

MAX_BLOCKS = 3
FIRST_STEP = re.compile(r"\A\s*1[.)] ")
# Share of the words still missing that a further block of the article must cover.
MIN_GAIN = 0.4
# A long passage covers more by chance; this much more is no chance.
CLEARLY = 0.25


def compose(ticket: Ticket, facts: dict[str, Any]) -> Reply:
    """Quote what answers the question; list the payments when nothing was done or found.

    What was done is added by code; then a greeting is enough.
    """
    question = f"{ticket['subject']}\n{ticket['body']}"[:READ_CHARS]
    passages = best_passages(question, facts["passages"])
    parts = [quote(question, passage) for passage in passages]
    if not (parts or facts["effects"]) and facts["payments"]:
        parts = ["These are the payments we have on record for you:", "\n".join(facts["payments"])]
    if not (parts or facts["effects"]):
        return Reply(text="", citations=[])
    name = ticket["customer_name"]
    greeting = f"Hello {name}," if name else "Hello,"
    text = "\n\n".join([greeting, *parts])
    return Reply(text=text[:3000], citations=[p["article_id"] for p in passages])


def best_passages(question: str, passages: list[dict[str, str]]) -> list[dict[str, str]]:
    """For each part of the ticket what the search found best; no article twice.

    Of a ticket with one part, another passage that covers clearly more of it.
    """
    parts = dict.fromkeys(passage["part"] for passage in passages)
    if len(parts) == 1:
        scored = coverages(question, [f"{p['title']} {p['text']}" for p in passages])
        fullest = max(range(len(passages)), key=lambda i: (scored[i], -i))
        return [passages[fullest if scored[fullest] - scored[0] >= CLEARLY else 0]]
    first = [next(p for p in passages if p["part"] == part) for part in parts]
    return list({passage["article_id"]: passage for passage in first}.values())


def quote(question: str, passage: dict[str, str]) -> str:
    """The opening paragraph, and the blocks that add something the question asks for."""
    opening, *others = blocks(passage["text"])
    missing = " ".join(content_words(question) - content_words(opening))
    covered = coverages(missing, others)
    gains = [share + steps(block) for share, block in zip(covered, others, strict=True)]
    ranked = sorted((i for i, g in enumerate(gains) if g >= MIN_GAIN), key=lambda i: -gains[i])
    chosen = [others[i] for i in sorted(ranked[: MAX_BLOCKS - 1])]
    return "\n\n".join(plain(block) for block in (opening, *chosen))


def blocks(text: str) -> list[str]:
    """The paragraphs, without headings; of a text that is nothing else, its headings."""
    told = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    return [b for b in re.split(r"\n\s*\n", told) if b.strip()] or [text]


def steps(block: str) -> float:
    """What a block gains by being steps to follow: they are always worth telling."""
    return MIN_GAIN if FIRST_STEP.match(block) else 0


def plain(block: str) -> str:
    """Markdown to plain text: no emphasis, no code ticks, no heading marks."""
    return re.sub(r"\*\*|__|`|^#+\s*", "", block, flags=re.MULTILINE).strip()
