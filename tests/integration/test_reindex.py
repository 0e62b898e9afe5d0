"""Articles that an older version stored are cut and indexed again by `deskgraph migrate`."""

from collections.abc import Callable

import psycopg

from app.commands.migrate import migrate

OLD = """
INSERT INTO tenants (id, name) VALUES ('t', 'T');
INSERT INTO articles (tenant_id, id, title, content, language)
    SELECT 't', 'a' || n, 'Sharing ' || n, 'Boards are shared by a link.', 'en'
    FROM generate_series(1, 120) n;
INSERT INTO article_chunks (tenant_id, article_id, position, title, text, config)
    SELECT 't', id, 0, title, content, 'english' FROM articles;
INSERT INTO article_terms (tenant_id, term, chunk_id, weight)
    SELECT 't', 'board', id, 1 FROM article_chunks;
"""
COUNTS = """
SELECT count(DISTINCT chunk.article_id), count(*) FILTER (WHERE ngram = 'boar')
FROM article_chunks chunk JOIN article_ngrams ON chunk_id = chunk.id
"""


def test_older_articles_are_indexed_once(fresh_database: Callable[[], str]) -> None:
    """All of them, in several transactions; the next migration leaves them as they are."""
    url = fresh_database()
    migrate(url, lambda _step: None)
    with psycopg.connect(url) as connection:
        connection.execute(OLD)
    migrate(url, lambda _step: None)
    with psycopg.connect(url) as connection:
        assert connection.execute(COUNTS).fetchone() == (120, 120)
        [ids] = connection.execute("SELECT array_agg(id ORDER BY id) FROM article_chunks")
    migrate(url, lambda _step: None)
    with psycopg.connect(url) as connection:
        [again] = connection.execute("SELECT array_agg(id ORDER BY id) FROM article_chunks")
    assert again == ids
