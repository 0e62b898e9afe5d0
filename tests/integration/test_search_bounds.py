"""What a search reads of a large knowledge base is bounded, and the rare word still decides."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.commands.articles import look_over
from app.db.core.connections import Sessions
from app.db.knowledge import bm25
from app.db.knowledge.articles import put_article
from app.db.knowledge.bm25 import asked_parts, rank_chunks
from tests.conftest import Tenant, make_tenant

CHUNKS, WORDS = 20_000, 6
QUESTION = "word1 word2 word3 word4 word5 word6 zygote"

FILL = """
    WITH made AS (
        INSERT INTO articles (tenant_id, id, title, content, language)
        SELECT :tenant, 'many-' || i, 'Many', 'Many', 'en' FROM generate_series(1, :chunks) AS i
        RETURNING id
    ), cut AS (
        INSERT INTO article_chunks (tenant_id, article_id, position, title, text, config)
        SELECT :tenant, id, 0, 'Many', 'Many', 'english' FROM made RETURNING id
    )
    INSERT INTO article_terms (tenant_id, term, chunk_id, weight)
    SELECT :tenant, 'word' || word, id, 1 FROM cut, generate_series(1, :words) AS word
    UNION ALL SELECT :tenant, 'half', id, 1 FROM cut WHERE id % 2 = 0"""


@pytest.fixture(scope="module")
async def large(sessions: Sessions) -> Tenant:
    """A tenant with many articles that say the same words, and one that says another as well."""
    async with sessions.begin() as session:
        tenant = await make_tenant(session)
        values = {"tenant": tenant.id, "chunks": CHUNKS, "words": WORDS}
        await session.execute(text(FILL), values)
        await put_article(session, tenant.id, "odd", "Odd", "A zygote and word1.", "en")
        await put_article(session, tenant.id, "both", "Odd", "A zygote and word1 in half.", "en")
    await look_over(sessions.kw["bind"])
    return tenant


def read_of(plan: dict[str, Any], table: str) -> Iterator[float]:
    """The rows that each part of a plan read of a table."""
    if plan.get("Relation Name") == table:
        yield plan["Actual Rows"] * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from read_of(part, table)


@pytest.mark.parametrize("as_large", [False, True])
async def test_search_reads_a_bounded_number_of_rows(
    sessions: Sessions, large: Tenant, *, as_large: bool
) -> None:
    """Each word is counted up to a bound, and no more than so many rows are read after that."""
    values = {
        "tenant_id": large.id, "parts": [QUESTION], "config": "english", "limit": 10,
        "chunks": CHUNKS,
    }  # fmt: skip
    statement = bm25.select_ranked(bm25.WORDS, large=as_large)
    async with sessions.raw_connection() as connection, connection.cursor() as cursor:
        await cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}".encode(), values)
        row: Any = await cursor.fetchone()
    [plan] = row["QUERY PLAN"]
    counted = bm25.MAX_COUNTED_OF_LARGE if as_large else bm25.MAX_COUNTED
    matches = bm25.MAX_MATCHES_OF_LARGE if as_large else bm25.MAX_MATCHES
    looked_up = bm25.LOOKED_UP_CHUNKS * (WORDS + 1) if as_large else 0
    read = sum(read_of(plan["Plan"], "article_terms"))
    assert counted < read <= (WORDS + 1) * counted + 2 * matches + looked_up
    # The best are looked up, and none of the others.
    assert sum(read_of(plan["Plan"], "article_chunks")) <= 100


async def test_rare_word_decides_among_many_articles(sessions: Sessions, large: Tenant) -> None:
    """Although five usual ones stand in every other article."""
    async with sessions() as session:
        best, *others = await rank_chunks(session, large.id, asked_parts([QUESTION]), "english", 10)
    assert best.article_id == "odd"
    assert len(others) == 9


async def test_usual_word_decides_between_two_that_share_the_rare_one(
    sessions: Sessions, large: Tenant
) -> None:
    """Although so many articles have it that these two are not among those that are read."""
    asked = asked_parts([f"{QUESTION} half"])
    async with sessions() as session:
        first, second, *_ = await rank_chunks(session, large.id, asked, "english", 10)
    assert [first.article_id, second.article_id] == ["both", "odd"]
