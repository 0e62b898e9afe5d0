"""Copies a paused tenant into another database, as docs/operations.md tells it, table by table."""

from importlib import import_module
from pkgutil import iter_modules
from typing import LiteralString, cast

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

import app.db
from app.db.core.base import Base

# Every table joins the metadata.
for module in iter_modules(app.db.__path__, "app.db."):
    import_module(module.name)

# Of the servers, made again, or found again; none of it is missed.
STAYS = {"workers", "pauses", "rates", "answers", "console_sessions", "console_links"}
CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
# Columns that hold a number which another table gave.
REFERENCES = {
    ("thread_summaries", "upto_seq"): "runs",
    ("article_terms", "chunk_id"): "article_chunks",
    ("article_ngrams", "chunk_id"): "article_chunks",
    ("article_embeddings", "chunk_id"): "article_chunks",
}
COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'"""
# An event of another server would lie in this one's future: see docs/adr/0014.
OF_OLDEST_TRANSACTION = SQL("3")

Connection = psycopg.Connection[tuple[object, ...]]


def counted(table: str) -> str | None:
    """The column that counts the rows of a table over all tenants."""
    found = Base.metadata.tables.get(table)
    columns = list(found.columns) if found is not None else []
    return next((column.name for column in columns if column.identity), None)


def move(old: Connection, new: Connection, tenant_id: str) -> None:
    """Copy all of the tenant; it must be paused in both, and none of its runs may be running.

    The caller commits, and may be a superuser only: the copy must wake no trigger.
    """
    running = "SELECT 1 FROM runs WHERE tenant_id = %s AND status = 'running'"
    assert not old.execute(running, [tenant_id]).fetchall(), "wait until none of its runs runs"
    new.execute("SET LOCAL session_replication_role = replica")
    tables = [name for name in Base.metadata.tables if name not in STAYS]
    if old.execute("SELECT to_regclass('article_embeddings') IS NOT NULL").fetchone() == (True,):
        tables.append("article_embeddings")
    shifts = {name: reserve(old, new, name) for name in tables if counted(name)}
    for name in (*tables, *CHECKPOINTS):
        copy(old, new, name, tenant_id, shifts)


def reserve(old: Connection, new: Connection, table: str) -> int:
    """Take numbers in the new database for all that the old one gave; what to add to each."""
    name, column = Identifier(table), Identifier(cast("str", counted(table)))
    highest = old.execute(SQL("SELECT coalesce(max({}), 0) FROM {}").format(column, name))
    [most] = cast("tuple[int]", highest.fetchone())
    # No run may be given one of them in between.
    new.execute(SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
    sequence = SQL("pg_get_serial_sequence({}, {})").format(Literal(table), Literal(counted(table)))
    last = new.execute(SQL("SELECT nextval({})").format(sequence)).fetchone()
    [first] = cast("tuple[int]", last)
    new.execute(SQL("SELECT setval({}, {})").format(sequence, first + most))
    return first


def copy(
    old: Connection, new: Connection, table: str, tenant_id: str, shifts: dict[str, int]
) -> None:
    """The tenant's rows of one table, with the numbers of the new database."""
    names = [cast("str", name) for [name] in old.execute(COLUMNS, [table])]
    values = SQL(", ").join(value_of(table, name, shifts) for name in names)
    query = SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(
        values, Identifier(table), owned(table, tenant_id)
    )
    columns = SQL(", ").join(map(Identifier, names))
    into = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), columns)
    with old.cursor().copy(query) as rows, new.cursor().copy(into) as taken:
        for block in rows:
            taken.write(block)


def owned(table: str, tenant_id: str) -> Composable:
    """Which rows are the tenant's."""
    conditions: dict[str, LiteralString] = {"tenants": "id = {}"} | {
        name: "thread_id IN (SELECT thread_id::text FROM runs WHERE tenant_id = {})"
        for name in CHECKPOINTS
    }
    return SQL(conditions.get(table, "tenant_id = {}")).format(Literal(tenant_id))


def value_of(table: str, column: str, shifts: dict[str, int]) -> Composable:
    """A column as it is written in the new database."""
    if (table, column) == ("runs", "worker_id"):
        return SQL("NULL")
    if table == "events":
        if column == "txid":
            return OF_OLDEST_TRANSACTION
        if column == "seq":
            place = SQL("row_number() OVER (ORDER BY txid, seq) + {}")
            return place.format(Literal(shifts[table]))
    giver = table if column == counted(table) else REFERENCES.get((table, column))
    name = Identifier(column)
    return SQL("{} + {}").format(name, Literal(shifts[giver])) if giver else name
