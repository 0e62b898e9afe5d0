"""The checkpointer that commits for many runs at once: the stock one's contract, and its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import uuid4

import pytest
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import DatabaseError
from sqlalchemy import make_url

from app.db.checkpoints.group_commit import GroupCommit
from app.db.checkpoints.saver import GroupingSaver
from app.db.core.connections import SaverPool, open_saver_pool
from tests.doubles.cutting_line import cutting_line
from tests.doubles.postgres_messages import EXECUTE, batches


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[SaverPool]:
    """Connections to the migrated database."""
    async with open_saver_pool(database_url, 3) as opened:
        yield opened


async def test_conforms_to_the_interface(pool: SaverPool) -> None:
    """LangGraph's own suite for checkpointers, every capability that the stock one has."""

    @checkpointer_test(name="grouping")
    async def saver() -> AsyncIterator[GroupingSaver]:
        yield GroupingSaver(pool, GroupCommit(pool))

    report = await validate(saver)
    failures = {name: result.failures for name, result in report.results.items()}
    assert {name: found for name, found in failures.items() if found} == {}
    passed = {name for name, result in report.results.items() if result.passed}
    assert passed >= {"put", "put_writes", "get_tuple", "list", "delete_thread", "prune"}


def config(thread: str) -> Any:
    """Where a thread's next checkpoint goes."""
    return {"configurable": {"thread_id": thread, "checkpoint_ns": "", "checkpoint_id": None}}


async def put(saver: GroupingSaver, thread: str, value: Any) -> Any:
    """One checkpoint with one value."""
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"state": value}
    checkpoint["channel_versions"] = {"state": "1"}
    return await saver.aput(config(thread), checkpoint, {}, {"state": "1"})


async def commits(pool: SaverPool) -> int:
    """How many transactions the database has committed, this one flushed."""
    async with pool.connection() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        cursor = await connection.execute(
            "SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()"
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["n"])


async def test_many_writers_share_commits_and_each_is_durable(pool: SaverPool) -> None:
    """A hundred runs at once need a handful of transactions, and all their rows are there."""
    saver = GroupingSaver(pool, GroupCommit(pool))
    before = await commits(pool)
    done = await asyncio.gather(*(put(saver, f"many-{n}", {"n": n}) for n in range(100)))
    assert await commits(pool) - before < 50
    for n, where in enumerate(done):
        found = await saver.aget_tuple(where)
        assert found is not None
        assert found.checkpoint["channel_values"] == {"state": {"n": n}}


async def test_bad_row_of_one_writer_fails_that_writer_alone(pool: SaverPool) -> None:
    """Postgres refuses U+0000: the others of the same transaction are written all the same."""
    saver = GroupingSaver(pool, GroupCommit(pool))
    bad = asyncio.create_task(put(saver, "bad\x00", {"n": 0}))
    good = [asyncio.create_task(put(saver, f"good-{n}", {"n": n})) for n in range(5)]
    with pytest.raises((DatabaseError, ValueError)):
        await bad
    for where in await asyncio.gather(*good):
        assert await saver.aget_tuple(where) is not None


async def test_commit_is_one_statement(database_url: str) -> None:
    """A client that freezes between two of one transaction holds its locks until it wakes up."""
    url = make_url(database_url)
    assert url.port is not None
    async with (
        cutting_line(url.port) as line,
        open_saver_pool(
            url.set(port=line.port).render_as_string(hide_password=False), 1
        ) as through,
    ):
        saver = GroupingSaver(through, GroupCommit(through))
        where = await put(saver, "once", {"n": 0})
        line.sent.clear()
        await asyncio.gather(
            put(saver, "twice", {"n": 0}), saver.aput_writes(where, [("state", 1)], "task-1")
        )
        executed = [batch.count(EXECUTE) for batch in batches(line.sent)]
    # One for the statement; to prepare it executes none.
    assert (max(executed), sum(executed)) == (1, 1)


async def test_stock_saver_goes_on_from_our_checkpoint(pool: SaverPool) -> None:
    """So does a worker of an earlier release, beside this one or put back: it loses no value."""
    ours, stock = GroupingSaver(pool, GroupCommit(pool)), AsyncPostgresSaver(pool)
    values, versions = (
        {"effects": [], "memory": {}, "n": 0},
        dict.fromkeys(("effects", "memory"), "1"),
    )
    first = {**empty_checkpoint(), "channel_values": values, "channel_versions": versions}
    begin: Any = {"configurable": {"thread_id": "two-releases", "checkpoint_ns": ""}}
    where = await ours.aput(begin, cast("Checkpoint", first), {}, {**versions})
    second = {**first, "id": empty_checkpoint()["id"]}
    where = await stock.aput(where, cast("Checkpoint", second), {}, {})
    read = await ours.aget_tuple(where)
    assert read is not None
    assert read.checkpoint["channel_values"] == values


async def test_cancelled_writer_does_not_take_the_others_along(pool: SaverPool) -> None:
    """Its rows stay in the transaction that they joined."""
    saver = GroupingSaver(pool, GroupCommit(pool))
    leaving = asyncio.create_task(put(saver, "leaving", {"n": 0}))
    staying = asyncio.create_task(put(saver, "staying", {"n": 1}))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await saver.aget_tuple(await staying) is not None
    assert await saver.aget_tuple(config("leaving")) is not None


async def test_writes_of_a_step_that_has_ended_are_not_stored(pool: SaverPool) -> None:
    """The next checkpoint holds them; those of a step that has not ended are kept."""
    saver = GroupingSaver(pool, GroupCommit(pool))
    first = await put(saver, "ended", {"n": 0})
    second = empty_checkpoint()
    second["channel_values"], second["channel_versions"] = {"state": {"n": 1}}, {"state": "2"}
    await asyncio.gather(
        saver.aput_writes(first, [("state", {"n": 1})], "task-1"),
        saver.aput(first, second, {}, {"state": "2"}),
    )
    before, after = await saver.aget_tuple(first), await saver.aget_tuple(config("ended"))
    assert before is not None
    assert after is not None
    assert (before.pending_writes, after.checkpoint["channel_values"]["state"]) == ([], {"n": 1})
    newest: Any = {"configurable": {**first["configurable"], "checkpoint_id": second["id"]}}
    await saver.aput_writes(newest, [("state", {"n": 2})], "task-2")
    kept = await saver.aget_tuple(newest)
    assert kept is not None
    assert kept.pending_writes == [("task-2", "state", {"n": 2})]


async def test_empty_thread_is_read_once_without_the_database(pool: SaverPool) -> None:
    """What the holder has written by its second read is found; another holder is not affected."""
    saver = GroupingSaver(pool, GroupCommit(pool))
    first, other = (str(uuid4()), 1), (str(uuid4()), 1)
    read: Any = {"metadata": {"run_id": first[0], "attempt": 1}, **config("empty")}
    elsewhere: Any = {**read, "metadata": {"run_id": other[0], "attempt": 1}}
    await put(saver, "empty", {"n": 1})
    async with saver.behind(first):
        saver.begin_empty(first)
        assert await saver.aget_tuple(elsewhere) is not None
        assert await saver.aget_tuple(read) is None
        assert await saver.aget_tuple(read) is not None
        saver.begin_empty(first)
    assert await saver.aget_tuple(read) is not None
