"""More than one machine: the figures and lists of its section are those of the code."""

import pytest

from app.db.core.base import Base
from app.settings import Settings
from app.worker.consumer import JOBS_POOL
from tests.bench.partition import HEADINGS, MOST, TENANTS, place, rows, weights
from tests.integration.moving import STAYS
from tests.unit.test_docs import code, table, text_of

NAMES = [f"t{number}" for number in range(TENANTS)]
DRAWN = [weights(name, MOST + 1) for name in NAMES]
SIZES = "With the default settings, and 10 connections kept for commands and administrators:"
# Not ours: the checkpointer's and the queue's, and the one that needs pgvector.
OTHERS = {
    "checkpoints", "checkpoint_blobs", "checkpoint_writes", "article_embeddings",
    "procrastinate_jobs",
}  # fmt: skip


def test_connections_are_those_of_the_settings() -> None:
    """Each line of the table of connections is the formula above it, with the defaults."""
    settings = Settings(_env_file=None, database_url=None)
    pool, saver = settings.pool_size, settings.saver_pool_size
    # Besides those for jobs a worker listens on two, and one holds its lock; an API listens on one.
    kept = 10
    rows = [[int(cell) for cell in row] for row in table("docs/operations.md", SIZES)]
    assert rows
    for apis, workers, alone, clients, servers, behind in rows:
        assert clients == (apis + workers) * (pool + saver)
        direct = apis + workers * (JOBS_POOL + 3)
        assert alone == clients + direct + kept
        assert behind == servers + direct + kept


@pytest.mark.parametrize("databases", range(2, MOST + 1))
def test_added_database_takes_tenants_and_no_other_gains_one(databases: int) -> None:
    """A tenant that moves, moves to the new one; so one that is removed hands out only its own."""
    changed = [
        (place(drawn, databases), place(drawn, databases + 1))
        for drawn in DRAWN
        if place(drawn, databases) != place(drawn, databases + 1)
    ]
    assert {new for _, new in changed} == {databases}
    assert {old for old, _ in changed} == set(range(databases)), "each gives some"


def test_hash_is_the_same_everywhere_and_for_ever() -> None:
    """A router in another language or release must find the same database: fixed examples."""
    assert [place(weights(name, 8), 8) for name in ("acme", "demo", "globex", "initech")] == [
        4,
        1,
        4,
        2,
    ]


@pytest.mark.no_cover
def test_table_of_partitions_is_what_the_simulation_prints() -> None:
    """Every figure of the table is that of `python -m tests.bench.partition`."""
    assert "| " + " | ".join(HEADINGS) + " |" in text_of("docs/operations.md")
    assert table("docs/operations.md", "### How evenly a hash spreads tenants") == rows()


def test_every_table_is_named_to_move_or_to_stay() -> None:
    """A table that the move of a tenant forgets would be lost: each stands in the list once."""
    rows = table("docs/operations.md", "### Moving a tenant")
    named = [name for cells in rows for name in code(cells[0])]
    assert sorted(named) == sorted(Base.metadata.tables.keys() | OTHERS)
    copied = {name for cells in rows if "copied" in cells[1] for name in code(cells[0])}
    assert set(named) - copied == STAYS | {"procrastinate_jobs"}


def test_numbers_that_two_databases_give_alike_are_named() -> None:
    """Each column that counts by itself stands beside its table: its numbers exist elsewhere."""
    rows = table("docs/operations.md", "### Moving a tenant")
    named = {name: cells[1] for cells in rows for name in code(cells[0])}
    for name, counted in Base.metadata.tables.items():
        for column in counted.columns:
            assert column.identity is None or f"`{name}.{column.name}`" in named[name], name
