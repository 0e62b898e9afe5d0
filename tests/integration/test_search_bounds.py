"""What a search reads of a large knowledge base is bounded, and the rare word still decides."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.commands.articles import look_over
from app.db.core.connections import Sessions
from app.db.knowledge import bm25
from app.db.knowledge.articles import put_article
from app.db.knowledge.bm25 import MAX_COUNTED, MAX_MATCHES, asked_parts, rank_chunks
from tests.conftest import Tenant

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
    SELECT :tenant, 'word' || word, id, 1 FROM cut, generate_series(1, :words) AS word"""


@pytest.fixture
async def large(sessions: Sessions, tenant: Tenant) -> Tenant:
    """A tenant with many articles that say the same words, and one that says another as well."""
    values = {"tenant": tenant.id, "chunks": CHUNKS, "words": WORDS}
    async with sessions.begin() as session:
        await session.execute(text(FILL), values)
        await put_article(session, tenant.id, "odd", "Odd", "A zygote and word1.", "en")
    await look_over(sessions.kw["bind"])
    return tenant


def read_of(plan: dict[str, Any], table: str) -> Iterator[float]:
    """The rows that each part of a plan read of a table."""
    if plan.get("Relation Name") == table:
        yield plan["Actual Rows"] * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from read_of(part, table)


async def test_search_reads_a_bounded_number_of_rows(sessions: Sessions, large: Tenant) -> None:
    """Each word is counted up to a bound, and no more than so many rows are read after that."""
    values = {"tenant_id": large.id, "parts": [QUESTION], "config": "english", "limit": 10}
    async with sessions.raw_connection() as connection, connection.cursor() as cursor:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {bm25.select_ranked(bm25.WORDS).sql}"
        await cursor.execute(explain.encode(), values)
        row: Any = await cursor.fetchone()
    [plan] = row["QUERY PLAN"]
    read = sum(read_of(plan["Plan"], "article_terms"))
    assert MAX_COUNTED < read <= (WORDS + 1) * MAX_COUNTED + 2 * MAX_MATCHES
    # All are counted once, and the best looked up; the tenant has the demo's articles as well.
    assert sum(read_of(plan["Plan"], "article_chunks")) <= CHUNKS + 200


async def test_rare_word_decides_among_many_articles(sessions: Sessions, large: Tenant) -> None:
    """Although five usual ones stand in every other article."""
    async with sessions() as session:
        best, *others = await rank_chunks(session, large.id, asked_parts([QUESTION]), "english", 10)
    assert best.article_id == "odd"
    assert len(others) == 9
