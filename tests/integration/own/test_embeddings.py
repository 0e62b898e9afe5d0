"""Search by meaning: an extra that is kept up to date, and that never breaks a search."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text

from app.adapters.ports.embeddings import Embedder
from app.adapters.ports.knowledge import PostgresKnowledge
from app.adapters.ports.passage_vectors import vectors_name
from app.db.core.connections import Sessions
from app.db.knowledge.articles import put_article
from app.db.knowledge.vectors import claim_chunks, create_table
from app.worker.embed_articles import embed_some
from tests.conftest import Tenant
from tests.doubles.embeddings_double import EmbeddingsDouble
from tests.doubles.server import serving
from tests.integration.reads import rows_read


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


async def unclaim(sessions: Sessions) -> None:
    """Let no chunk wait for the end of a claim."""
    async with sessions.begin() as session:
        await session.execute(text("UPDATE article_chunks SET embed_not_before = NULL"))


async def vectors(sessions: Sessions, tenant: Tenant, model: str) -> tuple[int, int]:
    """Chunks of the tenant, and how many have a vector of the model."""
    counted = text(
        "SELECT count(DISTINCT c.id), count(DISTINCT e.chunk_id) FROM article_chunks c"
        " LEFT JOIN article_embeddings e ON e.chunk_id = c.id AND e.model = :model"
        " WHERE c.tenant_id = :tenant"
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


async def test_question_that_an_article_declares_is_found_in_other_words(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, double: EmbeddingsDouble
) -> None:
    """It leans the article's vectors towards what customers ask, in words that it lacks."""
    # So that no other word shares a direction with the one that is asked.
    double.dimensions = 4096
    asked = ["Wages?"]
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "pay", "Calendar", "Each month.", "en", asked)
    await embed_all(sessions, embedder)
    knowledge = PostgresKnowledge(sessions, tenant.id, embedder)
    assert (await knowledge.search(["salary"], "en", 3))[0]["article_id"] == "pay"


async def test_vectors_of_an_older_release_are_made_again(
    sessions: Sessions, tenant: Tenant, embedder: Embedder
) -> None:
    """They had the model's bare name, and each passage had one, in a table for one."""
    await embed_all(sessions, embedder)
    older = {"model": embedder.model}
    async with sessions.begin() as session:
        await session.execute(text("UPDATE article_embeddings SET model = :model"), older)
        await session.execute(text("UPDATE article_chunks SET embedded_with = :model"), older)
    await unclaim(sessions)
    await embed_all(sessions, embedder)
    chunks, embedded = await vectors(sessions, tenant, vectors_name(embedder))
    assert chunks == embedded > 0


async def test_another_model_or_dimension_embeds_again(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, double: EmbeddingsDouble
) -> None:
    """A vector of another model is no neighbour."""
    await embed_all(sessions, embedder)
    await unclaim(sessions)
    double.dimensions = 32
    other = replace(embedder, model="other")
    await embed_all(sessions, other)
    chunks, embedded = await vectors(sessions, tenant, vectors_name(other))
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


async def test_idle_look_reads_no_chunk(
    sessions: Sessions, tenant: Tenant, embedder: Embedder
) -> None:
    """When all is embedded, neither looking nor storing reads what is there."""
    await unclaim(sessions)
    await embed_all(sessions, embedder)
    await unclaim(sessions)
    async with sessions.begin() as session:
        await session.execute(text("ANALYZE article_chunks, article_embeddings"))
    async with sessions() as session:
        before = await rows_read(session, "article_chunks")
        assert await claim_chunks(session, vectors_name(embedder), 64) == []
        # The planner looks at both ends of the index.
        assert await rows_read(session, "article_chunks") - before < 5


async def test_vectors_of_another_length_are_made_again(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, double: EmbeddingsDouble
) -> None:
    """The same name, another model behind it: an edit shows it, and everything follows."""
    await embed_all(sessions, embedder)
    double.dimensions = 32
    await unclaim(sessions)
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "pay", "Wages", "Wages come monthly.", "en")
    await embed_all(sessions, embedder)
    lengths = text("SELECT DISTINCT vector_dims(embedding) FROM article_embeddings")
    async with sessions() as session:
        assert list(await session.scalars(lengths)) == [32]
    chunks, embedded = await vectors(sessions, tenant, vectors_name(embedder))
    assert chunks == embedded > 0


OLDER_TABLE = """
    DROP TABLE article_embeddings;
    CREATE TABLE article_embeddings (
        chunk_id bigint PRIMARY KEY REFERENCES article_chunks (id) ON DELETE CASCADE,
        tenant_id text NOT NULL, model text NOT NULL, embedding vector NOT NULL
    );
    INSERT INTO article_embeddings SELECT id, tenant_id, 'older', '[1,0]' FROM article_chunks
"""


async def test_table_of_an_older_release_takes_several_vectors_of_a_chunk(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, database_url: str
) -> None:
    """It had room for one; `deskgraph migrate` may be called again afterwards."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(OLDER_TABLE)
        assert [create_table(connection) for _ in range(2)] == [None, None]
    long = "\n".join(f"{'word ' * 80}{number}" for number in range(3))
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "long", "Long", long, "en")
    await unclaim(sessions)
    await embed_all(sessions, embedder)
    parts = text(
        "SELECT part FROM article_embeddings JOIN article_chunks ON id = chunk_id"
        " WHERE article_id = 'long' ORDER BY part"
    )
    async with sessions() as session:
        assert list(await session.scalars(parts)) == [0, 1, 2]
    chunks, embedded = await vectors(sessions, tenant, vectors_name(embedder))
    assert chunks == embedded > 0


async def test_a_table_that_was_lost_is_filled_again(
    sessions: Sessions, tenant: Tenant, embedder: Embedder, database_url: str
) -> None:
    """`deskgraph migrate` makes it again, and the worker embeds all that it held."""
    await embed_all(sessions, embedder)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE article_embeddings")
        assert create_table(connection) is None
    await unclaim(sessions)
    await embed_all(sessions, embedder)
    chunks, embedded = await vectors(sessions, tenant, vectors_name(embedder))
    assert chunks == embedded > 0
