"""The checkpointer: the stock tables, but the runs of a process commit their checkpoints together.

The stock saver takes one lock around every call, moves to a thread for each value it writes, and
commits each superstep by itself; that is most of what a run costs. Here every writer waits for its
own rows as before, so what was acknowledged is durable; only the transaction is shared.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, cast

import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncCursor, DatabaseError
from psycopg.rows import DictRow

from app.db.engine import SaverPool
from app.db.fence import FENCE, FENCE_OF_MANY, Holder, refusing_late_writes

Row = tuple[Any, ...]

BLOBS: LiteralString = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[])
ON CONFLICT DO NOTHING"""
CHECKPOINTS: LiteralString = """
INSERT INTO checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[])
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata"""
WRITES: LiteralString = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx,
    channel, type, blob)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[],
    %s::text[], %s::text[], %s::bytea[])
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) """
NEW_WRITES: LiteralString = WRITES + "DO NOTHING"
SPECIAL_WRITES: LiteralString = (
    WRITES + "DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob"
)
# In this order: the fence first, a checkpoint's values before itself. Each with the number of
# columns that identify a row, since a row may stand in a statement only once.
STATEMENTS: dict[LiteralString, int] = {
    FENCE: 2,
    BLOBS: 4,
    CHECKPOINTS: 3,
    NEW_WRITES: 6,
    SPECIAL_WRITES: 6,
}


Rows = dict[LiteralString, list[Row]]
Waiting = list[tuple[Rows, "asyncio.Future[None]"]]


class GroupingSaver(AsyncPostgresSaver):
    """Durable like the stock saver, with one commit for all that arrived during the last one."""

    def __init__(self, pool: SaverPool) -> None:
        super().__init__(pool)
        self._pool = pool
        self._waiting: Waiting = []
        self._writer: asyncio.Task[None] | None = None

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint; returns when it is durable. Raises RunLostError."""
        configurable = config["configurable"]
        thread_id, namespace = configurable["thread_id"], configurable["checkpoint_ns"]
        inline, apart = _split(checkpoint["channel_values"])
        versions = {name: version for name, version in new_versions.items() if name in apart}
        row = (
            thread_id,
            namespace,
            checkpoint["id"],
            configurable.get("checkpoint_id"),
            _json({**checkpoint, "channel_values": inline}),
            _json(get_serializable_checkpoint_metadata(config, metadata)),
        )
        blobs = self._dump_blobs(thread_id, namespace, apart, versions) if versions else []
        with refusing_late_writes(config) as holder:
            await self._commit({FENCE: _held(holder), BLOBS: blobs, CHECKPOINTS: [row]})
        return _config({"thread_id": thread_id, "checkpoint_ns": namespace}, checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a task wrote; returns when it is durable. Raises RunLostError."""
        configurable = config["configurable"]
        special = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        rows = self._dump_writes(
            configurable["thread_id"],
            configurable["checkpoint_ns"],
            configurable["checkpoint_id"],
            task_id,
            task_path,
            writes,
        )
        with refusing_late_writes(config) as holder:
            kind = SPECIAL_WRITES if special else NEW_WRITES
            await self._commit({FENCE: _held(holder), kind: rows})

    async def _commit(self, rows: Rows) -> None:
        """Join the next transaction, and wait until it is committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        # A writer that is cancelled leaves its rows in the transaction of the others.
        await asyncio.shield(done)

    async def _write(self) -> None:
        """Commit until nobody waits; what arrives meanwhile goes with the next transaction."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._insert([rows for rows, _ in batch])
            except DatabaseError as error:
                await self._one_by_one(batch, error)
            except BaseException as error:
                _answer(batch, error)
                raise
            else:
                _answer(batch, None)

    async def _one_by_one(
        self,
        batch: Waiting,
        error: DatabaseError,
    ) -> None:
        """One writer's bad row, or lost run, must not fail the others."""
        for part in batch:
            try:
                if len(batch) > 1:
                    await self._insert([part[0]])
            except DatabaseError as own:
                _answer([part], own)
            else:
                _answer([part], None if len(batch) > 1 else error)

    async def _insert(self, parts: list[Rows]) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            for statement, identity in STATEMENTS.items():
                rows = {row[:identity]: row for part in parts for row in part.get(statement, ())}
                if rows:
                    columns = [list(column) for column in zip(*rows.values(), strict=True)]
                    many = statement is FENCE and len(parts) > 1
                    await connection.execute(FENCE_OF_MANY if many else statement, columns)

    async def _load_checkpoint_tuple(self, value: DictRow) -> CheckpointTuple:
        """The stock one moves to a thread for the writes, which costs more than to read them."""
        channels = value["checkpoint"].get("channel_values") or {}
        values = {**channels, **self._load_blobs(value["channel_values"])}
        checkpoint = cast("Checkpoint", {**value["checkpoint"], "channel_values": values})
        return CheckpointTuple(
            _config(value, value["checkpoint_id"]),
            checkpoint,
            value["metadata"],
            _config(value, parent) if (parent := value["parent_checkpoint_id"]) else None,
            self._load_writes(value["pending_writes"]),
        )

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        """A connection of its own for every reader, without the stock saver's lock."""
        async with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            if pipeline:
                async with connection.pipeline():
                    yield cursor
            else:
                yield cursor


def _config(row: DictRow, checkpoint_id: str) -> RunnableConfig:
    here = {"thread_id": row["thread_id"], "checkpoint_ns": row["checkpoint_ns"]}
    return {"configurable": {**here, "checkpoint_id": checkpoint_id}}


def _held(holder: Holder | None) -> list[Row]:
    """The fence's row of one writer; none outside of a run."""
    return [holder] if holder else []


def _answer(
    batch: Waiting,
    error: BaseException | None,
) -> None:
    for _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plain values stand in the checkpoint itself, all others in a row of their own."""
    inline = {
        name: value
        for name, value in values.items()
        if value is None or isinstance(value, str | int | float | bool)
    }
    return inline, {name: value for name, value in values.items() if name not in inline}


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
