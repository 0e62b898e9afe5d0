"""Keeps the vectors of articles up to date, independently of runs."""

import asyncio

from app.adapters.ports.embeddings import EmbeddingsError, TextEmbedder
from app.adapters.ports.passage_vectors import passage_vectors, vectors_name
from app.db.core.availability import DATABASE_ERRORS, wait_out
from app.db.core.connections import Sessions
from app.db.knowledge.vectors import claim_chunks, has_table, store_vectors
from app.log import get_logger

log = get_logger(__name__)

PAUSE_SECONDS = 2.0
# Each has a few texts to embed, and a server takes only so many at once.
BATCH = 16


async def keep_embedded(sessions: Sessions, embedder: TextEmbedder | None) -> None:
    """Embed new, edited and differently embedded chunks until cancelled."""
    while embedder is not None:
        try:
            if await embed_some(sessions, embedder) == BATCH:
                continue
        except EmbeddingsError as error:
            log.warning("embeddings_unavailable", error=error)
        except DATABASE_ERRORS as error:
            await wait_out(error, "embeddings", 0)
        await asyncio.sleep(PAUSE_SECONDS)


async def embed_some(sessions: Sessions, embedder: TextEmbedder) -> int:
    """Embed up to a batch of chunks; returns how many. Holds no connection during the call.

    A failed batch is tried again when its claim has expired.
    """
    async with sessions.begin() as session:
        if not await has_table(session):
            return 0
        claimed = await claim_chunks(session, vectors_name(embedder), BATCH)
    if not claimed:
        return 0
    vectors = await passage_vectors(embedder, claimed)
    async with sessions.begin() as session:
        await store_vectors(session, vectors_name(embedder), vectors)
    return len(claimed)
