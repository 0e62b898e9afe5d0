"""The questions that the measurement asks, in families from easy to hard.

A question has needs; a need is met by any one of its documents (several documents say the same).
"""

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphs.text.tokens import content_words

HERE = Path(__file__).parent
PER_INTENT = 5
LETTERS = 200
# Of the easy families, which are made by rule and are a question for each document, so many.
EASY = 100
SEED = 20261122

Document = dict[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer writes, and the documents that each part of it needs."""

    family: str
    text: str
    needs: tuple[frozenset[str], ...]


# What people say instead of the words of a title; the rule is as blunt as it looks.
SAYINGS = {
    "fees": "charges", "fee": "charge", "charged": "billed", "account": "acct", "troubleshooting":
    "problem with", "transferring": "sending", "funds": "money", "requirements": "conditions",
    "eligibility": "who can get it", "setting": "putting", "up": "in place", "understanding":
    "explain", "explained": "in simple words", "earning": "getting", "specifications": "details",
    "declined": "refused", "cancel": "call off", "canceling": "calling off", "apply": "sign up",
    "referral": "recommend a friend", "deposits": "paying in", "international": "abroad",
    "purchases": "shopping", "benefits": "perks", "limits": "maximum", "rewards": "bonus",
    "card": "plastic", "interest": "yield", "mobile": "phone", "complete": "", "guide": "",
}  # fmt: skip
GREETINGS = (
    "Hi there, hope you are well.", "Good morning,", "Hello team!", "Dear Sir or Madam,",
    "Sorry for the long message.", "Hey,",
)  # fmt: skip
ASIDES = (
    "I have been with you since 2014 and never complained before.",
    "My brother in law long me to write instead of calling, the line was busy for ages.",
    "It rained all weekend, so I finally had time for my paperwork.",
    "By the way, the new look of your app is nice.",
    "I am writing this on the train, please excuse the typing.",
    "We just moved house and everything is in boxes.",
)
LINKS = ("Also,", "And another thing:", "Besides that,", "One more question.", "Then,", "PS:")
CLOSINGS = ("Thanks a lot, Kim", "Best regards\nAlex Meyer", "Cheers!", "Please hurry.")


def documents(data: Path) -> list[Document]:
    """The knowledge base of the data folder, as it is."""
    return _rows(data / "kb" / "banking_documents.jsonl")


def questions(data: Path) -> list[Question]:
    """All families, the same ones every time."""
    articles = documents(data)
    titles = list(_titles(articles))
    real = list(_real(data))
    hard = list(_kept("question", "questions.jsonl"))
    reworded = [question for question in titles if question.family == "paraphrase"]
    tickets = _kept("ticket", "tickets.jsonl")
    short = _kept("short", "short.jsonl")
    letters = _letters([reworded, real, hard])
    sentences = _some(list(_sentences(articles)))
    asked = _some([question for question in titles if question.family == "title"])
    return [*short, *real, *hard, *tickets, *letters, *asked, *_some(reworded), *sentences]


def recorded_queries() -> dict[str, list[str]]:
    """By text, the queries that a model would write for a hard question or a ticket."""
    return {row["text"]: row["queries"] for row in _rows(HERE / "queries.jsonl")}


def held_out(question: Question) -> bool:
    """Whether a question was kept from every choice of a constant: half of them, by their hash."""
    return hashlib.sha256(question.text.encode()).digest()[0] % 2 == 1


def _some(family: list[Question]) -> list[Question]:
    """Evenly taken from the whole family."""
    return family[:: max(1, len(family) // EASY)][:EASY]


def _titles(articles: list[Document]) -> Iterator[Question]:
    """A title as it is, and in other words; documents with the same title answer alike."""
    same = defaultdict(set)
    for document in articles:
        same[document["title"]].add(document["id"])
    for title, ids in same.items():
        needs = (frozenset(ids),)
        yield Question("title", title, needs)
        yield Question("paraphrase", paraphrase(title), needs)


def paraphrase(title: str) -> str:
    """The title's words by everyday ones, in lower case, its parts in reverse order."""
    parts = re.split(r": | — ", title.lower())
    return " ".join(SAYINGS.get(w, w) for part in reversed(parts) for w in part.split())


def _sentences(articles: list[Document]) -> Iterator[Question]:
    """A sentence from within a document, without the words of its title."""
    for document in articles:
        body = re.split(r"(?<=[.!?])\s+|\n+", document["content"])
        title = content_words(document["title"])
        long = [s for s in body if len(content_words(s)) >= 8]
        if long:
            middle = long[len(long) // 2]
            kept = [word for word in middle.split() if not content_words(word) & title]
            yield Question("sentence", " ".join(kept), (frozenset([document["id"]]),))


def _real(data: Path) -> Iterator[Question]:
    """Messages of real customers, a few of each intent that a document answers."""
    for row in _rows(HERE / "intents.jsonl"):
        lines = _rows(data / "intents" / f"{row['source']}.jsonl")
        texts = [line["text"] for line in lines if line["intent"] == row["intent"]]
        for text in _dice().sample(texts, PER_INTENT):
            yield Question("real", text, (_ids(row["answers"]),))


def _letters(families: list[list[Question]]) -> Iterator[Question]:
    """Two to four questions of mixed families in one letter, among things that do not matter."""
    rng = _dice()
    for _ in range(LETTERS):
        asked = [rng.choice(rng.choice(families)) for _ in range(rng.randint(2, 4))]
        parts = [rng.choice(GREETINGS), rng.choice(ASIDES)]
        for number, question in enumerate(asked):
            parts += [rng.choice(LINKS)] if number else []
            parts += [question.text] + ([rng.choice(ASIDES)] if rng.random() < 0.4 else [])
        text = " ".join([*parts, rng.choice(CLOSINGS)])
        yield Question("letter", text, tuple(need for q in asked for need in q.needs))


def _kept(family: str, name: str) -> Iterator[Question]:
    """Questions in our own words, beside this file."""
    for row in _rows(HERE / name):
        yield Question(family, row["text"], tuple(_ids(need) for need in row["needs"]))


def _dice() -> random.Random:
    """The same throws every time."""
    return random.Random(SEED)  # noqa: S311


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _ids(short: list[str]) -> frozenset[str]:
    """The knowledge base's ids, whose common prefix the files here leave out."""
    return frozenset(f"doc_{name}" for name in short)
