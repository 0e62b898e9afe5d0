"""Many articles that look like real ones, stored quickly: for benches of a large knowledge base.

An article mixes sentences of one real document with sentences of others, so topics and pairs of
words stay; one word in sixteen is put in place of another, from a vocabulary whose frequencies
fall as those of names and product codes do (Zipf). Without these no index would grow new terms.
"""

import bisect
import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.articles import read_source
from app.db.core.connections import Sessions, plain_dsn
from app.db.knowledge.articles import chunks, config_for
from app.db.knowledge.bm25 import INSERT_TERMS, USUAL_LENGTH, indexed
from app.db.knowledge.ngrams import INSERT_PAIRS, INSERT_PARTS, USUAL_PARTS
from app.db.knowledge.tokenize import plain, spaced
from app.db.tables.knowledge import Article, ArticleChunk

SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
WORD = re.compile(r"[a-z]{4,}")
VOCABULARY, ZIPF_OFFSET, ZIPF_EXPONENT, REPLACED = 150_000, 2.7, 1.07, 1 / 16
OWN_SHARE, SENTENCES = 0.6, (6, 20)
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
BATCH = 400
INDEXED = ("article_terms", "article_ngrams")
CONSTRAINTS = """
    SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || conname,
        'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || conname || ' '
            || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE contype = 'p' AND conrelid::regclass::text = ANY (%s)"""
INDEXES = """
    SELECT 'DROP INDEX ' || indexname, indexdef FROM pg_indexes
    WHERE tablename = ANY (%s) AND indexdef NOT LIKE 'CREATE UNIQUE%%'"""


@dataclass(frozen=True, slots=True)
class Writer:
    """Makes articles from documents: the same ones for the same seed."""

    documents: Sequence[tuple[str, list[str]]]
    sentences: Sequence[str]
    shares: Sequence[float]
    dice: random.Random

    def article(self, number: int) -> dict[str, Any]:
        """One article, with the columns of its row."""
        title, own = self.dice.choice(self.documents)
        wanted = self.dice.randint(*SENTENCES)
        chosen = [
            self.dice.choice(own if self.dice.random() < OWN_SHARE else self.sentences)
            for _ in range(wanted)
        ]
        content = "\n\n".join(
            " ".join(map(self._varied, chosen[i : i + 4])) for i in range(0, wanted, 4)
        )
        title = f"{self._varied(title)} {self._rare()}"
        values = {"id": f"a{number}", "title": title, "content": content, "language": "en"}
        return {**values, "questions": []}

    def _varied(self, sentence: str) -> str:
        return WORD.sub(
            lambda word: self._rare() if self.dice.random() < REPLACED else word[0], sentence
        )

    def _rare(self) -> str:
        rank = bisect.bisect(self.shares, self.dice.random() * self.shares[-1])
        syllables = []
        for _ in range(3):
            rank, syllable = divmod(rank * 7919 + 13, len(SYLLABLES))
            syllables.append(SYLLABLES[syllable])
        return "".join(syllables)


def writer(data: Path, seed: int = 1) -> Writer:
    """A writer on the documents of the measurement of searches."""
    source = read_source(data / "kb" / "banking_documents.jsonl")
    documents = [(one.title, list(filter(None, SENTENCE.split(one.content)))) for one in source]
    ranks = range(1, VOCABULARY + 1)
    shares = itertools.accumulate((rank + ZIPF_OFFSET) ** -ZIPF_EXPONENT for rank in ranks)
    every = [sentence for _, own in documents for sentence in own]
    return Writer(documents, every, list(shares), random.Random(seed))  # noqa: S311  # no secret


async def fill_articles(
    url: str, sessions: Sessions, tenant_id: str, writing: Writer, count: int
) -> None:
    """Store so many articles; indexes are made after the rows, and statistics after these."""
    with psycopg.connect(plain_dsn(url), autocommit=True) as connection:
        later = list(_dropped(connection))
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            async with sessions.begin() as session:
                await session.execute(text("SET LOCAL session_replication_role = replica"))
                await _store(session, tenant_id, [writing.article(number) for number in numbers])
        connection.execute("SET maintenance_work_mem = '1GB'")
        for statement in later:
            connection.execute(statement.encode())
        connection.execute("VACUUM (ANALYZE)")


def _dropped(connection: psycopg.Connection[Any]) -> Iterator[str]:
    for query in (CONSTRAINTS, INDEXES):
        for drop, create in connection.execute(query.encode(), (list(INDEXED),)).fetchall():
            connection.execute(drop.encode())
            yield create


async def _store(session: AsyncSession, tenant_id: str, articles: list[dict[str, Any]]) -> None:
    """Articles, their chunks and every index, each with one statement of the service's own."""
    rows = [{"tenant_id": tenant_id, **values} for values in articles]
    await session.execute(insert(Article), rows)
    cut = [
        {
            "tenant_id": tenant_id, "article_id": one["id"], "position": position,
            "title": one["title"], "text": part, "config": config_for(one["language"]),
        }
        for one in articles
        for position, part in enumerate(chunks(one["content"]))
    ]  # fmt: skip
    stored = list(await session.scalars(insert(ArticleChunk).returning(ArticleChunk), cut))
    each = [indexed(tenant_id, [chunk], []) for chunk in stored]
    values = each[0] | {
        name: [value for one in each for value in one[name]] for name in ("ids", "texts", "factors")
    }
    words = {"config": stored[0].config, "texts": list(map(spaced, values["texts"]))}
    await session.execute(INSERT_TERMS, values | words | {"usual": USUAL_LENGTH})
    await session.execute(INSERT_PAIRS, values | words | {"usual": USUAL_LENGTH})
    parts = {"texts": list(map(plain, values["texts"])), "usual": USUAL_PARTS}
    await session.execute(INSERT_PARTS, values | parts)
