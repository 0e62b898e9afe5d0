"""Import the shared knowledge base into a Postgres of our own, ask, and print the tables.

With DESKGRAPH_EMBEDDINGS_FILE (and its hash) the search by meaning is measured as well. `--copies`
stores the knowledge base so many times, to see what its size costs; read only the times then.
"""

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from app.adapters.ports.embedders import build_embedder
from app.adapters.ports.embeddings import TextEmbedder
from app.adapters.ports.passage_vectors import vectors_name
from app.commands.articles import look_over, read_source, store
from app.commands.database import load_settings
from app.commands.migrate import migrate
from app.db.core.connections import Sessions, make_engine, open_saver_pool
from app.db.core.embedded import embedded_postgres
from app.db.knowledge.vectors import count_stale
from app.db.tenants.queries import ensure_tenant
from app.worker.embed_articles import embed_some
from tests.bench.options import command_line, positive
from tests.bench.retrieval.families import Question, questions, recorded_queries
from tests.bench.retrieval.report import Score, score, tables
from tests.bench.retrieval.ways import TENANT, Way, ways

DATA = Path(__file__).parents[4] / "shared" / "data"


async def fill(sessions: Sessions, data: Path, copies: int, progress: Progress) -> None:
    """The knowledge base, in a tenant of its own, each copy with ids of its own."""
    articles = read_source(data / "kb" / "banking_documents.jsonl")
    task = progress.add_task("storing articles", total=copies)
    for number in range(copies):
        mine = [replace(one, id=f"{one.id}~{number}") if number else one for one in articles]
        async with sessions.begin() as session:
            await ensure_tenant(session, TENANT, "Bench")
            await store(session, TENANT, mine)
        progress.advance(task)


async def embed(sessions: Sessions, embedder: TextEmbedder, progress: Progress) -> None:
    """A vector for each passage."""
    async with sessions() as session:
        total = await count_stale(session, vectors_name(embedder))
    task = progress.add_task("embedding passages", total=total)
    while done := await embed_some(sessions, embedder):
        progress.advance(task, done)


async def measure(way: Way, asked: list[Question], progress: Progress) -> list[Score]:
    """Every question's score, and how long its search took."""
    scores, task = [], progress.add_task(f"asking: {way.name}", total=len(asked))
    start = time.perf_counter()
    for question in asked:
        began = time.perf_counter()
        found = await way.ask(question)
        scores.append(score(question, found, (time.perf_counter() - began) * 1000))
        progress.advance(task)
    # Stands there also where no terminal shows the bars.
    progress.console.print(
        f"asked {len(asked)} questions by {way.name}: {time.perf_counter() - start:.0f} s"
    )
    return scores


async def run(url: str, data: Path, copies: int, embedder: TextEmbedder | None) -> None:
    """Fill, ask, report. Progress goes to stderr."""
    engine = make_engine(url, 2)
    recorded, every = recorded_queries(), questions(data)
    hard = [question for question in every if question.text in recorded]
    async with open_saver_pool(url, 2) as pool:
        sessions = Sessions(engine, pool)
        with Progress(console=Console(stderr=True)) as progress:
            await fill(sessions, data, copies, progress)
            if embedder:
                await embed(sessions, embedder, progress)
            await look_over(engine)
            scores = {
                way.name: await measure(way, hard if way.recorded else every, progress)
                for way in ways(sessions, embedder, data)
            }
    await engine.dispose()
    for line in tables(scores):
        typer.echo(line)


def main() -> None:
    """Measure with the data that the command line names, on a Postgres of its own."""
    parser = command_line("tests.bench.retrieval", __doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with kb and intents")
    parser.add_argument("--copies", type=positive, default=1, help="times the articles are stored")
    given = parser.parse_args()
    embedder = build_embedder(load_settings())
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as url:
        migrate(url, lambda _step: None)
        asyncio.run(run(url, given.data, given.copies, embedder))


if __name__ == "__main__":
    main()
