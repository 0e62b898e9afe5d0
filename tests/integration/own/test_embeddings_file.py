"""Search by meaning with a model in a file: filled by a command, refused when it is another."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from app.adapters.ports.embeddings_file import load_embedder
from app.adapters.ports.knowledge import PostgresKnowledge
from app.db.core.connections import Sessions
from app.db.knowledge.articles import put_article
from tests.conftest import Tenant
from tests.doubles.tiny_sentence_model import archive
from tests.integration.command_line import deskgraph

WORDS = {"wages": (1.0, 0.0), "salary": (1.0, 0.1), "bicycle": (0.0, 1.0)}


def model_file(folder: Path, words: dict[str, tuple[float, float]]) -> tuple[Path, str]:
    """A file of these words, and its hash."""
    path = folder / "model.zip"
    path.write_bytes(archive(words))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


async def embed(database_url: str, path: Path, sha256: str) -> str:
    """What `articles embed` says."""
    done = await deskgraph(
        database_url,
        "articles",
        "embed",
        DESKGRAPH_EMBEDDINGS_FILE=str(path),
        DESKGRAPH_EMBEDDINGS_SHA256=sha256,
    )
    return f"{done.exit_code} {done.output}"


async def unclaim(sessions: Sessions) -> None:
    """Let no chunk wait for the end of a claim."""
    async with sessions.begin() as session:
        await session.execute(text("UPDATE article_chunks SET embed_not_before = NULL"))


async def test_command_fills_what_is_missing_and_the_search_finds_it(
    sessions: Sessions, tenant: Tenant, database_url: str, tmp_path: Path
) -> None:
    """An edited article and another file are embedded again; what is done is done once."""
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "pay", "Wages", "Wages come monthly.", "en")
    path, sha256 = model_file(tmp_path, WORDS)
    await unclaim(sessions)
    assert "passages embedded" in await embed(database_url, path, sha256)
    knowledge = PostgresKnowledge(sessions, tenant.id, load_embedder(path, sha256))
    assert (await knowledge.search(["salary"], "en", 3))[0]["article_id"] == "pay"
    await unclaim(sessions)
    assert "0 passages embedded" in await embed(database_url, path, sha256)
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "pay", "Wages", "Wages come weekly.", "en")
    await unclaim(sessions)
    assert "1 passages embedded" in await embed(database_url, path, sha256)
    other, hash_of_other = model_file(tmp_path, {**WORDS, "tandem": (0.1, 1.0)})
    await unclaim(sessions)
    assert hash_of_other in await embed(database_url, other, hash_of_other)
    models = text("SELECT DISTINCT model FROM article_embeddings WHERE tenant_id = :tenant")
    async with sessions() as session:
        found = list(await session.scalars(models, {"tenant": tenant.id}))
    assert found == [f"file:{hash_of_other}+windows"]


@pytest.mark.parametrize("command", [("articles", "embed"), ("worker",), ("dev",)])
async def test_another_file_is_refused_at_the_start(
    database_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Before anything runs, with both hashes."""
    path, sha256 = model_file(tmp_path, WORDS)
    done = await deskgraph(
        database_url,
        *command,
        DESKGRAPH_EMBEDDINGS_FILE=str(path),
        DESKGRAPH_EMBEDDINGS_SHA256="0" * 64,
    )
    assert done.exit_code == 2
    assert sha256 in done.output
    assert "nothing of it was loaded" in done.output


async def test_command_without_a_model_says_what_to_set(database_url: str) -> None:
    """It has nothing to embed with."""
    done = await deskgraph(database_url, "articles", "embed")
    assert done.exit_code == 2
    assert "DESKGRAPH_EMBEDDINGS_FILE" in done.output
