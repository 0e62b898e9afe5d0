"""The migrations make exactly the tables that the code declares, from many replicas at once."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url

from app.commands.migrate import alembic_config, migrate, upgrade_tables
from tests.integration.schema import schema_of, unordered_schema_of

REVISIONS = ScriptDirectory.from_config(alembic_config())
# What data folders have that were made by the revisions 0001 to 0019, one after the other: the id,
# and the SHA-256 of the lines of `schema_of` on Postgres 18.
INITIAL = "0019"
INITIAL_SCHEMA = "e5d847c3a7c895aa4a0d5fcc31cae2b08e2edeaf3f32e2f9488cfe8d1409023f"


@contextmanager
def alembic_on(url: str) -> Iterator[Config]:
    """Alembic's configuration with a connection, whose changes are committed at the end."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        yield config
    engine.dispose()


def test_tables_in_code_and_database_agree(database_url: str) -> None:
    """`alembic check` finds nothing to change."""
    with alembic_on(database_url) as config:
        command.check(config)
    with psycopg.connect(database_url) as connection:
        [[count]] = connection.execute("SELECT count(*) FROM alembic_version")
    assert count == 1


def test_four_replicas_migrate_one_empty_database(fresh_database: Callable[[], str]) -> None:
    """All succeed, and a fifth one finds nothing to do."""
    url = fresh_database()
    steps: list[str] = []
    with ThreadPoolExecutor(4) as replicas:
        for done in [replicas.submit(migrate, url, steps.append) for _ in range(4)]:
            done.result()
    migrate(url, steps.append)
    assert steps == ["tables", "checkpoints", "embeddings", "articles", "queue"] * 5
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT to_regclass('runs'), to_regclass('checkpoints')")
        assert rows.fetchone() == ("runs", "checkpoints")


def test_no_index_is_the_beginning_of_a_primary_key(fresh_database: Callable[[], str]) -> None:
    """It would be written with each row, and read for none: LangGraph makes three of them."""
    url = fresh_database()
    migrate(url, lambda _step: None)
    query = """
        SELECT small.indexrelid::regclass::text FROM pg_index small
        JOIN pg_index big ON big.indrelid = small.indrelid AND big.indisprimary
            AND big.indexrelid <> small.indexrelid
        JOIN pg_class of ON of.oid = small.indrelid AND of.relnamespace = 'public'::regnamespace
        WHERE small.indpred IS NULL AND small.indexprs IS NULL AND NOT small.indisunique
            AND big.indkey::text LIKE small.indkey::text || ' %'
    """
    with psycopg.connect(url) as connection:
        assert connection.execute(query).fetchall() == []


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
    """Every upgrade has its way back, also from a database that is in use."""
    url = fresh_database()
    upgrade_tables(url)
    ours = set(schema_of(url))
    migrate(url, lambda _step: None)
    everything = schema_of(url)
    assert ours < set(everything)
    with alembic_on(url) as config:
        command.downgrade(config, "base")
    assert not ours.intersection(schema_of(url))
    migrate(url, lambda _step: None)
    assert schema_of(url) == everything


@pytest.mark.thorough
def test_each_revision_goes_down_to_what_was_before_it(fresh_database: Callable[[], str]) -> None:
    """A downgrade removes what its upgrade made, no less and no more, one revision at a time."""
    url = fresh_database()
    before, below = unordered_schema_of(url), "base"
    assert before == []
    for script in reversed(list(REVISIONS.walk_revisions())):
        upgrade_tables(url, script.revision)
        after = unordered_schema_of(url)
        with alembic_on(url) as config:
            command.downgrade(config, below)
        assert unordered_schema_of(url) == before, script.path
        upgrade_tables(url, script.revision)
        assert unordered_schema_of(url) == after, script.path
        before, below = after, script.revision


def test_revisions_are_one_line() -> None:
    """There is one first and one last revision, and every file is one of the line between them."""
    files = [path for path in Path(REVISIONS.versions).glob("*.py") if path.stem != "__init__"]
    [head] = REVISIONS.get_heads()
    in_line = [Path(script.path) for script in REVISIONS.iterate_revisions(head, "base")]
    assert REVISIONS.get_bases() == [INITIAL]
    assert sorted(in_line) == sorted(files)


def test_initial_revision_is_what_data_folders_have(fresh_database: Callable[[], str]) -> None:
    """A change of the schema is a revision of its own: the first one never runs there again."""
    url = fresh_database()
    upgrade_tables(url, INITIAL)
    schema = "\n".join(schema_of(url))
    assert hashlib.sha256(schema.encode()).hexdigest() == INITIAL_SCHEMA


def test_current_database_is_left_alone(fresh_database: Callable[[], str]) -> None:
    """On a database that stands at the last revision nothing runs."""
    url = fresh_database()
    upgrade_tables(url)
    # A revision that runs writes the row, and a table that is made again has another oid.
    state = """
        SELECT version_num, xmin::text, (
            SELECT array_agg(oid ORDER BY oid) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace)
        FROM alembic_version"""
    with psycopg.connect(url) as connection:
        before = connection.execute(state).fetchall()
    upgrade_tables(url)
    with psycopg.connect(url) as connection:
        assert connection.execute(state).fetchall() == before
    assert [row[0] for row in before] == REVISIONS.get_heads()


def test_payments_and_refunds_from_before_have_succeeded(
    fresh_database: Callable[[], str],
) -> None:
    """What stood there without a status was done, and it was not disputed."""
    url = fresh_database()
    upgrade_tables(url, "0021")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO tenants (id, name) VALUES ('t', 'T')")
        connection.execute(
            "INSERT INTO sandbox_payments (tenant_id, id, customer_id, description, amount_minor,"
            " currency, captured_at) VALUES ('t', 'pay_1', 'c', 'Pro plan', 4900, 'USD', now())"
        )
        connection.execute(
            "INSERT INTO sandbox_refunds (tenant_id, id, idempotency_key, payment_id, amount_minor,"
            " currency, reason) VALUES ('t', 're_1', 'k', 'pay_1', 100, 'USD', 'r')"
        )
    upgrade_tables(url)
    with psycopg.connect(url) as connection:
        payments = connection.execute("SELECT status, disputed FROM sandbox_payments").fetchall()
        refunds = connection.execute("SELECT status FROM sandbox_refunds").fetchall()
    assert (payments, refunds) == ([("succeeded", False)], [("succeeded",)])


def test_runs_that_wait_at_a_redeploy_are_on_the_queue(fresh_database: Callable[[], str]) -> None:
    """Each from when it was due; what has ended is not."""
    url = fresh_database()
    queued = REVISIONS.get_revision("0042")
    assert queued is not None
    upgrade_tables(url, str(queued.down_revision))
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO tenants (id, name) VALUES ('t', 'T')")
        connection.execute(
            "INSERT INTO api_keys (id, tenant_id, name, secret_sha256, scopes)"
            " VALUES ('k', 't', 'k', '', '{}')"
        )
        connection.execute(
            "INSERT INTO runs (id, tenant_id, thread_id, ticket_id, customer_id, ticket,"
            " policy_version, started_by, request_sha256, status, not_before, finished_at)"
            " SELECT gen_random_uuid(), 't', gen_random_uuid(), status, 'c', '{}', 0, 'k', '',"
            " status, now() + later, ended FROM (VALUES ('pending', interval '1 hour', NULL),"
            " ('success', '0', now())) AS made (status, later, ended)"
        )
    upgrade_tables(url)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT status, queued_for = not_before FROM runs").fetchall()
    assert sorted(rows) == [("pending", True), ("success", None)]
