"""Import the shared knowledge base into a Postgres of our own, ask, and report."""

import asyncio
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean, quantiles

import typer

from app.adapters.ports.knowledge import PostgresKnowledge
from app.commands.articles import look_over, read_source, store
from app.commands.migrate import migrate
from app.db.core.connections import Sessions, make_engine
from app.db.core.embedded import embedded_postgres
from app.db.tenants.queries import ensure_tenant
from tests.bench.options import command_line
from tests.bench.retrieval.families import Question, questions

DATA = Path(__file__).parents[4] / "shared" / "data"
TENANT = "bench"
LIMIT = 10
# The ranking is measured, not how many of ten passages fit into a prompt.
EVERYTHING = 1_000_000

Score = dict[str, float]


def score(question: Question, found: list[str]) -> Score:
    """Share of the needs met among the first 1, 5 and 10, and how early the first one was."""
    ranks = [min((found.index(i) for i in need if i in found), default=LIMIT)
             for need in question.needs]  # fmt: skip
    recalls = {f"@{k}": mean(rank < k for rank in ranks) for k in (1, 5, 10)}
    first = min(ranks)
    return {**recalls, "MRR": 1 / (first + 1) if first < LIMIT else 0.0}


async def fill(sessions: Sessions, data: Path) -> None:
    """The knowledge base, in a tenant of its own."""
    source = data / "kb" / "banking_documents.jsonl"
    async with sessions.begin() as session:
        await ensure_tenant(session, TENANT, "Bench")
        articles = read_source(source)
        await store(session, TENANT, articles)


async def measure(sessions: Sessions, asked: list[Question]) -> dict[str, list[Score]]:
    """Every question's scores, and how long its search took."""
    knowledge = PostgresKnowledge(sessions, TENANT, context_tokens=EVERYTHING)
    scores: dict[str, list[Score]] = defaultdict(list)
    for question in asked:
        began = time.perf_counter()
        found = await knowledge.search([question.text], "en", LIMIT)
        took = time.perf_counter() - began
        ids = [passage["article_id"] for passage in found]
        scores[question.family].append({**score(question, ids), "ms": took * 1000})
    return scores


def report(scores: dict[str, list[Score]]) -> None:
    """One line a family."""
    typer.echo(f"{'family':12}{'asked':>6}{'@1':>7}{'@5':>7}{'@10':>7}{'MRR':>7}{'p95 ms':>8}")
    for family, rows in scores.items():
        means = "".join(
            f"{mean(row[key] for row in rows):7.3f}" for key in ("@1", "@5", "@10", "MRR")
        )
        slow = quantiles([row["ms"] for row in rows], n=20)[-1]
        typer.echo(f"{family:12}{len(rows):6}{means}{slow:8.1f}")


async def run(url: str, data: Path) -> None:
    """Fill, ask, report."""
    engine = make_engine(url, 2)
    sessions = Sessions(engine)
    await fill(sessions, data)
    await look_over(engine)
    report(await measure(sessions, questions(data)))
    await engine.dispose()


def main() -> None:
    """Measure with the data that the command line names, on a Postgres of its own."""
    parser = command_line("tests.bench.retrieval", __doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with kb and intents")
    data: Path = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as url:
        migrate(url, lambda _step: None)
        asyncio.run(run(url, data))


if __name__ == "__main__":
    main()
