"""Offline replies: the passage that answers, word for word, with its source."""

import re
from typing import Any

from graphs.nodes.respond import CitedQuote, Reply, Statement
from graphs.nodes.technical import ERROR_CODE
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.tokens import content_words, coverages

MAX_BLOCKS = 3
# Share of the question's content words that an article must contain before it may be quoted.
MIN_COVERAGE = 0.3
FIRST_STEP = re.compile(r"\A\s*1[.)] ")
# Share of the words still missing that a further block of the article must cover.
MIN_GAIN = 0.4
# A long passage covers more by chance; this much more is no chance.
CLEARLY = 0.25


def compose(_ticket: Ticket, facts: dict[str, Any]) -> Reply:
    """Quote what answers each question, whole; what no article answers is left to a person."""
    claims = []
    for question in facts["questions"]:
        found = [s for s in facts["sources"] if answers(s, question["intent"])]
        if (source := best(question["text"][:READ_CHARS], found)) is not None:
            claims.append(claim(question, source))
    answered = {claim.question for claim in claims}
    left = [question["id"] for question in facts["questions"] if question["id"] not in answered]
    return Reply(claims=claims, unanswered=left)


def answers(source: dict[str, str], intent: str) -> bool:
    """Whether it is an article that was found for that part of the ticket."""
    return source["kind"] == "article" and source["part"] == intent


def best(question: str, articles: list[dict[str, str]]) -> dict[str, str] | None:
    """What the search found best, or one that covers clearly more; None when it covers too little.

    An article that has an error code of the question in its title needs no more.
    """
    if not articles:
        return None
    scored = coverages(question, [f"{a['title']} {a['text']}" for a in articles])
    fullest = max(range(len(articles)), key=lambda i: (scored[i], -i))
    at = fullest if scored[fullest] - scored[0] >= CLEARLY else 0
    named = any(code in articles[at]["title"] for code in ERROR_CODE.findall(question))
    return articles[at] if named or scored[at] >= MIN_COVERAGE else None


def claim(question: dict[str, str], article: dict[str, str]) -> Statement:
    """The article's words as the answer."""
    quoted = quote(question["text"][:READ_CHARS], article)
    evidence = [CitedQuote(kind="article", id=article["id"], quote=block) for block in quoted]
    said = "\n\n".join(plain(block) for block in quoted)
    return Statement(question=question["id"], text=said, evidence=evidence)


def quote(question: str, passage: dict[str, str]) -> list[str]:
    """The opening paragraph, and the blocks that add something the question asks for."""
    opening, *others = blocks(passage["text"])
    missing = " ".join(content_words(question) - content_words(opening))
    covered = coverages(missing, others)
    gains = [share + steps(block) for share, block in zip(covered, others, strict=True)]
    ranked = sorted((i for i, g in enumerate(gains) if g >= MIN_GAIN), key=lambda i: -gains[i])
    chosen = [others[i] for i in sorted(ranked[: MAX_BLOCKS - 1])]
    return [opening.strip(), *(block.strip() for block in chosen)]


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
