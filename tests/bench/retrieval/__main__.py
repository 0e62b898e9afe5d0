"""Import the shared knowledge base into a Postgres of our own, ask, and report.

With DESKGRAPH_EMBEDDINGS_FILE (and its hash) the search by meaning is measured as well.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from statistics import mean, quantiles

import typer

from app.adapters.ports.embedders import build_embedder
from app.adapters.ports.embeddings import TextEmbedder
from app.adapters.ports.knowledge import PostgresKnowledge
from app.commands.articles import look_over, read_source, store
from app.commands.database import load_settings
from app.commands.migrate import migrate
from app.db.core.connections import Sessions, make_engine
from app.db.core.embedded import embedded_postgres
from app.db.knowledge.bm25 import rank_chunks
from app.db.tenants.queries import ensure_tenant
from app.worker.embed_articles import embed_some
from tests.bench.options import command_line
from tests.bench.retrieval.families import Question, held_out, questions, recorded_queries

DATA = Path(__file__).parents[4] / "shared" / "data"
TENANT = "bench"
LIMIT = 10
# The ranking is measured, not how many of ten passages fit into a prompt.
EVERYTHING = 1_000_000
MEASURES = ("first", "@8", "@10", "MRR")

Score = dict[str, float]
Ask = Callable[[Question], Awaitable[list[str]]]
"""Asks one way of searching; the ids of the articles found, best first."""


def score(question: Question, found: list[str]) -> Score:
    """Share of the needs met among the first 8 and 10, and how early the first one was."""
    ranks = [min((found.index(i) for i in need if i in found), default=LIMIT)
             for need in question.needs]  # fmt: skip
    recalls = {f"@{k}": mean(rank < k for rank in ranks) for k in (8, 10)}
    first = min(ranks)
    early = 1 / (first + 1) if first < LIMIT else 0.0
    return {**recalls, "first": float(first == 0), "MRR": early}


async def fill(sessions: Sessions, data: Path) -> None:
    """The knowledge base, in a tenant of its own."""
    source = data / "kb" / "banking_documents.jsonl"
    async with sessions.begin() as session:
        await ensure_tenant(session, TENANT, "Bench")
        articles = read_source(source)
        await store(session, TENANT, articles)


def ways(sessions: Sessions, embedder: TextEmbedder | None) -> dict[str, Ask]:
    """Every way of searching by its name; those with queries know the recorded ones alone."""
    recorded = recorded_queries()
    plain = PostgresKnowledge(sessions, TENANT, context_tokens=EVERYTHING)
    meaning = PostgresKnowledge(sessions, TENANT, embedder, context_tokens=EVERYTHING)

    async def words(question: Question) -> list[str]:
        async with sessions() as session:
            hits = await rank_chunks(session, TENANT, [question.text], "english", LIMIT)
        return [hit.article_id for hit in hits]

    def searched(knowledge: PostgresKnowledge, *, queries: bool, again: bool = False) -> Ask:
        async def ask(question: Question) -> list[str]:
            asked = [*(recorded[question.text] if queries else []), question.text]
            found = await knowledge.search(asked, "en", LIMIT, second_round=again)
            return [passage["article_id"] for passage in found]

        return ask

    known: dict[str, Ask] = {
        "words alone": words,
        "fused": searched(plain, queries=False),
        "with queries": searched(plain, queries=True),
        "with queries, second round": searched(plain, queries=True, again=True),
    }
    if embedder:
        known["by meaning"] = searched(meaning, queries=False)
        known["by meaning, with queries"] = searched(meaning, queries=True)
        known["by meaning, with queries, second round"] = searched(
            meaning, queries=True, again=True
        )
    return known


async def measure(ask: Ask, asked: Iterable[Question]) -> dict[tuple[str, bool], list[Score]]:
    """By family and part, every question's scores, and how long its search took."""
    scores: dict[tuple[str, bool], list[Score]] = defaultdict(list)
    for question in asked:
        began = time.perf_counter()
        ids = await ask(question)
        took = (time.perf_counter() - began) * 1000
        row = {**score(question, ids), "ms": took}
        scores[question.family, held_out(question)].append(row)
    return scores


def report(way: str, scores: dict[tuple[str, bool], list[Score]]) -> None:
    """One line a family: the figures of the half that constants were chosen on, then the other."""
    head = "".join(f"{name:>7}" for name in MEASURES)
    typer.echo(f"\n{way}\n{'family':12}{'tune':>5}{head}{'held':>7}{head}{'p95 ms':>8}")
    for family in dict.fromkeys(name for name, _ in scores):
        halves = [scores[family, held] for held in (False, True)]
        told = "  ".join(
            f"{len(rows):5}" + "".join(f"{mean(r[key] for r in rows):7.3f}" for key in MEASURES)
            for rows in halves
        )
        slow = quantiles([row["ms"] for rows in halves for row in rows], n=20)[-1]
        typer.echo(f"{family:12}{told}{slow:8.1f}")


async def run(url: str, data: Path, embedder: TextEmbedder | None) -> None:
    """Fill, ask, report."""
    engine = make_engine(url, 2)
    sessions = Sessions(engine)
    await fill(sessions, data)
    while embedder and await embed_some(sessions, embedder):
        pass
    await look_over(engine)
    recorded = recorded_queries()
    for way, ask in ways(sessions, embedder).items():
        asked = (q for q in questions(data) if "queries" not in way or q.text in recorded)
        report(way, await measure(ask, asked))
    await engine.dispose()


def main() -> None:
    """Measure with the data that the command line names, on a Postgres of its own."""
    parser = command_line("tests.bench.retrieval", __doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with kb and intents")
    data: Path = parser.parse_args().data
    embedder = build_embedder(load_settings())
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as url:
        migrate(url, lambda _step: None)
        asyncio.run(run(url, data, embedder))


if __name__ == "__main__":
    main()
