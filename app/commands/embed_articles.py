"""deskgraph articles embed: fill the vectors of articles now, and show how far it is."""

import asyncio

import typer
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncEngine

from app.adapters.ports.embedders import build_embedder
from app.adapters.ports.embeddings import EmbeddingsError, TextEmbedder
from app.adapters.ports.embeddings_file import EmbeddingsFileError
from app.adapters.ports.passage_vectors import vectors_name
from app.commands.database import explained, load_settings, require_database, with_database
from app.commands.terminal import complain
from app.db.core.connections import Sessions, make_engine
from app.db.knowledge.vectors import count_stale, has_table
from app.settings import Settings
from app.worker.embed_articles import embed_some

NO_MODEL = "Set DESKGRAPH_EMBEDDINGS_FILE or DESKGRAPH_EMBEDDINGS_MODEL first."
NO_TABLE = "This Postgres has no pgvector: there is no place for vectors."


def loaded(settings: Settings) -> TextEmbedder | None:
    """The embedder of the settings, or a sentence and exit code 2 when its file is not usable."""
    try:
        return build_embedder(settings)
    except EmbeddingsFileError as error:
        complain(error)
        raise typer.Exit(2) from None


def embed_articles() -> None:
    """Make the vectors that are missing, of every tenant; a worker does the same by itself."""
    settings = load_settings()
    embedder = loaded(settings)
    if embedder is None:
        typer.echo(NO_MODEL, err=True)
        raise typer.Exit(2)
    with with_database(settings) as connected, explained():
        url = require_database(connected)
        engine = make_engine(url, 2, prepared=connected.prepared_statements)
        done = asyncio.run(_embed_all(engine, embedder))
    typer.echo(f"{done} passages embedded with {embedder.model}.")


async def _embed_all(engine: AsyncEngine, embedder: TextEmbedder) -> int:
    sessions, done = Sessions(engine), 0
    try:
        async with sessions() as session:
            if not await has_table(session):
                typer.echo(NO_TABLE, err=True)
                raise typer.Exit(1)
            total = await count_stale(session, vectors_name(embedder))
        with Progress() as progress:
            bar = progress.add_task("Embedding", total=total)
            while made := await embed_some(sessions, embedder):
                done += made
                progress.update(bar, completed=done)
    except EmbeddingsError as error:
        complain(f"{done} passages embedded, then: {error}")
        raise typer.Exit(1) from None
    finally:
        await engine.dispose()
    return done
