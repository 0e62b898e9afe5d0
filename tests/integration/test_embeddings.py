"""Search by meaning: an extra that is kept up to date, and that never breaks a search."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.adapters.embeddings import Embedder
from app.adapters.knowledge import PostgresKnowledge
from app.db.articles import put_article
from app.db.engine import Sessions
from app.worker.embed import embed_some
from tests.conftest import Tenant
from tests.doubles.embeddings_double import EmbeddingsDouble
from tests.doubles.server import serving


@pytest.fixture
def double() -> EmbeddingsDouble:
    """A server of one test."""
    return EmbeddingsDouble()


@pytest.fixture
def embedder(double: EmbeddingsDouble) -> Iterator[Embedder]:
    """Its client."""
    with serving(double.app) as url:
        yield Embedder(f"{url}/v1", "tiny", "k", 5)


async def embed_all(sessions: Sessions, embedder: Embedder) -> None:
    """Until nothing is left to embed."""
    while await embed_some(sessions, embedder):
        pass


async def vectors(sessions: Sessions, tenant: Tenant, model: str) -> tuple[int, int]:
    """Chunks of the tenant, and how many have a vector of the model."""
    counted = text(
        "SELECT count(*), count(e.chunk_id) FROM article_chunks c LEFT JOIN article_embeddings e"
        " ON e.chunk_id = c.id AND e.model = :model WHERE c.tenant_id = :tenant"
    )
    async with sessions() as session:
        row = (await session.execute(counted, {"model": model, "tenant": tenant.id})).one()
    return row[0], row[1]


async def test_an_article_without_the_questions_words_is_found(
    sessions: Sessions, tenant: Tenant, embedder: Embedder
) -> None:
    """At once by its words, and by its meaning when the worker has embedded it."""
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "pay", "Wages", "Wages come monthly.", "en")
    knowledge = PostgresKnowledge(sessions, tenant.id, embedder)
    assert (await knowledge.search(["wages"], "en", 3))[0]["article_id"] == "pay"
    assert await knowledge.search(["salary"], "en", 3) == []
    await embed_all(sessions, embedder)
    assert (await knowledge.search(["salary"], "en", 3))[0]["article_id"] == "pay"


async def test_another_model_or_dimension_embeds_again(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, double: EmbeddingsDouble
) -> None:
    """A vector of another model is no neighbour."""
    await embed_all(sessions, embedder)
    async with sessions.begin() as session:
        await session.execute(text("UPDATE article_chunks SET embed_not_before = NULL"))
    double.dimensions = 32
    other = replace(embedder, model="other")
    await embed_all(sessions, other)
    chunks, embedded = await vectors(sessions, tenant, "other")
    assert chunks == embedded > 0
    knowledge = PostgresKnowledge(sessions, tenant.id, other)
    assert await knowledge.search(["reset my password"], "en", 3)
    assert double.keys == {"Bearer k"}


@pytest.mark.parametrize("status", [429, 500, 404])
async def test_a_server_that_fails_leaves_the_search_by_words(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, double: EmbeddingsDouble, status: int
) -> None:
    """Errors of an extra are no errors of a search."""
    double.status = status
    knowledge = PostgresKnowledge(sessions, tenant.id, embedder)
    found = await knowledge.search(["how do I reset my password"], "en", 3)
    assert found[0]["article_id"] == "reset-password"
    assert double.requests
