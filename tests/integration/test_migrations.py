"""The migrations make exactly the tables that the code declares, from many replicas at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from alembic import command
from sqlalchemy import create_engine, make_url

from app.commands.migrate import alembic_config, migrate, upgrade_tables


def test_tables_in_code_and_database_agree(database_url: str) -> None:
    """`alembic check` finds nothing to change."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.check(config)
    engine.dispose()
    with psycopg.connect(database_url) as connection_:
        [[count]] = connection_.execute("SELECT count(*) FROM alembic_version")
    assert count == 1


def test_four_replicas_migrate_one_empty_database(fresh_database: Callable[[], str]) -> None:
    """All succeed, and a fifth one finds nothing to do."""
    url = fresh_database()
    steps: list[str] = []
    with ThreadPoolExecutor(4) as replicas:
        for done in [replicas.submit(migrate, url, steps.append) for _ in range(4)]:
            done.result()
    migrate(url, steps.append)
    assert steps == ["tables", "checkpoints", "embeddings", "queue"] * 5
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT to_regclass('runs'), to_regclass('checkpoints')")
        assert rows.fetchone() == ("runs", "checkpoints")


def test_events_of_another_server_can_be_read(fresh_database: Callable[[], str]) -> None:
    """A restored dump holds transactions of the future; migrating makes them the oldest."""
    url = fresh_database()
    migrate(url, lambda _step: None)
    foreign = (
        "INSERT INTO events (txid, tenant_id, run_id, type, data) "
        "SELECT 10 ^ 12 - n, 't', gen_random_uuid(), n::text, '{}' FROM generate_series(1, 3) n"
    )
    with psycopg.connect(url) as connection:
        connection.execute(foreign)
    migrate(url, lambda _step: None)
    with psycopg.connect(url) as connection:
        rows = list(connection.execute("SELECT txid, type FROM events ORDER BY txid, seq"))
    assert rows == [(3, "1"), (3, "2"), (3, "3")]


def test_migrations_go_down_and_up_again(fresh_database: Callable[[], str]) -> None:
    """Every upgrade has its way back."""
    url = fresh_database()
    upgrade_tables(url)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    engine.dispose()
    with psycopg.connect(url) as connection_:
        left = connection_.execute("SELECT to_regclass('runs')").fetchone()
    assert left == (None,)
    upgrade_tables(url)
