"""The ways of searching that are compared, from plain baselines to everything together."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from app.adapters.ports.embeddings import TextEmbedder, Vector
from app.adapters.ports.knowledge import PostgresKnowledge
from app.adapters.ports.passage_vectors import vectors_name
from app.db.core.connections import Sessions
from app.db.knowledge.bm25 import Hit, asked_parts, rank_chunks
from app.db.knowledge.tokenize import sentences
from app.db.knowledge.vectors import nearest_chunks
from tests.bench.retrieval.families import Question, documents, recorded_queries

TENANT = "bench"
LIMIT = 10
# The ranking is measured, not how many of ten passages fit into a prompt.
EVERYTHING = 1_000_000

Ask = Callable[[Question], Awaitable[list[str]]]
"""Asks one way of searching; the ids of the articles found, best first."""


class Way(NamedTuple):
    """One way; `recorded` ones know the queries of the hard questions and tickets alone."""

    name: str
    ask: Ask
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Remembering:
    """An embedder that embeds each text once."""

    embedder: TextEmbedder
    known: dict[str, Vector] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """That of the embedder."""
        return self.embedder.model

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors, those of known texts at once."""
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known.update(zip(new, await self.embedder.embed(new), strict=True))
        return [self.known[text] for text in texts]


def ways(sessions: Sessions, embedder: TextEmbedder | None, data: Path) -> list[Way]:
    """Every way, simplest first."""
    plain = PostgresKnowledge(sessions, TENANT, context_tokens=EVERYTHING)
    # Several ways ask the same: only the first of them waits for the model.
    remembering = Remembering(embedder) if embedder else None
    meaning = PostgresKnowledge(sessions, TENANT, remembering, context_tokens=EVERYTHING)
    known = [
        Way("TF-IDF", tfidf(data)),
        Way("words", words(sessions)),
        Way("fused", searched(plain)),
        Way("fused, queries", searched(plain, queries=True), recorded=True),
        Way("fused, queries, 2nd round", searched(plain, queries=True, again=True), recorded=True),
    ]
    if remembering is None:
        return known
    both = searched(meaning, queries=True, again=True)
    return [
        *known,
        Way("meaning alone", nearest(sessions, remembering)),
        Way("with meaning", searched(meaning)),
        Way("all, queries, 2nd round", both, recorded=True),
    ]


def tfidf(data: Path) -> Ask:
    """Whole articles by scikit-learn's defaults: how hard the questions are, for comparison."""
    # Without types.
    from sklearn.feature_extraction.text import (  # type: ignore[import-untyped]  # noqa: PLC0415
        TfidfVectorizer,
    )

    articles = documents(data)
    vectorizer: Any = TfidfVectorizer()
    matrix = vectorizer.fit_transform([f"{one['title']}\n{one['content']}" for one in articles])
    ids = [one["id"] for one in articles]

    async def ask(question: Question) -> list[str]:
        likeness = (matrix @ vectorizer.transform([question.text]).T).toarray().ravel()
        best = likeness.argsort(kind="stable")[::-1][:LIMIT]
        return [ids[place] for place in best if likeness[place] > 0]

    return ask


def words(sessions: Sessions) -> Ask:
    """The ranking by words, without the others."""

    async def ask(question: Question) -> list[str]:
        async with sessions() as session:
            return _ids(
                await rank_chunks(session, TENANT, asked_parts([question.text]), "english", LIMIT)
            )

    return ask


def nearest(sessions: Sessions, embedder: TextEmbedder) -> Ask:
    """The ranking by meaning, without the others."""

    async def ask(question: Question) -> list[str]:
        vectors = await embedder.embed(sentences([question.text]))
        async with sessions() as session:
            name = vectors_name(embedder)
            return _ids(await nearest_chunks(session, TENANT, name, vectors, LIMIT))

    return ask


def searched(knowledge: PostgresKnowledge, *, queries: bool = False, again: bool = False) -> Ask:
    """The search as the workflow asks it, with a model's queries and a second round or without."""
    recorded = recorded_queries()

    async def ask(question: Question) -> list[str]:
        asked = [*(recorded[question.text] if queries else []), question.text]
        found = await knowledge.search(asked, "en", LIMIT, second_round=again)
        return [passage["article_id"] for passage in found]

    return ask


def _ids(hits: list[Hit]) -> list[str]:
    return [hit.article_id for hit in hits]
