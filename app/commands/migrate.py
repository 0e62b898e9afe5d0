"""Bring a database to the newest schema: ours, the checkpointer's, then the queue's."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Connection, create_engine, make_url

import migrations
from app.commands.database import UnknownRevisionError
from app.commands.terminal import typed
from app.db.core.connections import Sessions, make_engine, plain_dsn
from app.db.knowledge.reindex import FIRST, Key, reindex_some
from app.db.knowledge.vectors import create_table
from app.worker.consumer import apply_schema

# Any fixed number: the replica that holds the lock migrates, and every other one waits for it.
MIGRATION_LOCK = 4_872_301_555
POLL_SECONDS = 0.1
# Articles of one transaction.
REINDEXED = 50
# LangGraph's, on what the primary keys of its tables begin with: nothing reads by them.
REPEATED_INDEXES = tuple(
    sql.Identifier(f"{table}_thread_id_idx")
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
)
# A dump of another server brings events of transactions that this one has not had yet, which
# no reader could see. They become its oldest, in the order of their numbers: see docs/adr/0014.
TAKE_IN_EVENTS = """
UPDATE events SET txid = 3
WHERE txid >= (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint
"""

TOO_OLD = """\
The database's schema is at revision {revision}; the migrations of this version begin at {first}, \
so they cannot bring it up to date. Nothing was changed.
Keep the data: check out the last commit whose migrations/versions holds revision {revision} \
(version 0.1.0, before its migrations became one), run its `deskgraph migrate`, then this one again.
Or start afresh: set DESKGRAPH_DATABASE_URL to an empty database, or DESKGRAPH_DATA_DIR to another \
folder for `{dev}`."""
TOO_NEW = """\
The database's schema is at revision {revision}, and this version only knows those up to {last}: \
a newer deskgraph made it. Nothing was changed.
Run that version or a newer one, or restore the backup that was made before its migration."""


def migrate(database_url: str, progress: Callable[[str], None]) -> None:
    """Upgrade step by step; safe to run from many replicas at once, and again.

    Raises:
        UnknownRevisionError: another version made the tables, and nothing was changed.
    """
    dsn = plain_dsn(database_url)
    with psycopg.connect(dsn, autocommit=True) as lock:
        take_lock(lock)
        progress("tables")
        upgrade_tables(database_url)
        lock.execute(TAKE_IN_EVENTS)
        progress("checkpoints")
        # CREATE INDEX CONCURRENTLY cannot stand in a transaction, so this is no Alembic step.
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
            PostgresSaver(connection).setup()
            for index in REPEATED_INDEXES:
                connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
        progress("embeddings")
        with psycopg.connect(dsn, autocommit=True) as connection:
            if missing := create_table(connection):
                progress(missing)
        progress("articles")
        asyncio.run(index_articles(database_url))
        progress("queue")
        asyncio.run(apply_schema(database_url))


async def index_articles(database_url: str) -> None:
    """Index what an older version stored, some articles a transaction; none are left untouched."""
    engine = make_engine(database_url, 1)
    sessions = Sessions(engine)
    last: Key | None = FIRST
    try:
        while last is not None:
            async with sessions.begin() as session:
                last = await reindex_some(session, last, REINDEXED)
    finally:
        await engine.dispose()


def take_lock(connection: psycopg.Connection) -> None:
    """Wait until no other replica migrates.

    By asking again and again: a session that waits inside `pg_advisory_lock` holds a snapshot,
    and CREATE INDEX CONCURRENTLY in the session that has the lock would wait for it for ever.
    """
    taken = False
    while not taken:
        [[taken]] = connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK])
        if not taken:
            time.sleep(POLL_SECONDS)


def upgrade_tables(database_url: str, revision: str = "head") -> None:
    """Run the Alembic migrations up to `revision`. Raises UnknownRevisionError."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            refuse_unknown_revision(connection, config)
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


def refuse_unknown_revision(connection: Connection, config: Config) -> None:
    """Say what to do about a schema at a revision that is not among the migrations here.

    Raises:
        UnknownRevisionError.
    """
    known = sorted(step.revision for step in ScriptDirectory.from_config(config).walk_revisions())
    first, last = known[0], known[-1]
    for revision in MigrationContext.configure(connection).get_current_heads():
        # The ids are numbers of four digits, so they sort as texts.
        if revision < first:
            raise UnknownRevisionError(
                TOO_OLD.format(revision=revision, first=first, dev=typed("dev"))
            )
        if revision not in known:
            raise UnknownRevisionError(TOO_NEW.format(revision=revision, last=last))


def alembic_config() -> Config:
    """The migrations beside the installed package, wherever that is."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config
