"""The checkpointer: LangGraph's tables, but the runs of a process commit together.

The stock saver takes one lock around every call, moves to a thread for each value it writes, and
commits each superstep by itself; that is most of what a run costs. See docs/adr/0017.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

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
from psycopg import AsyncCursor
from psycopg.rows import DictRow

from app.db.checkpoints.fence import FENCE, Holder, holder_of, refusing_late_writes
from app.db.checkpoints.group_commit import (
    INSERT_BLOBS,
    INSERT_WRITES,
    UPSERT_CHECKPOINTS,
    UPSERT_WRITES,
    Done,
    GroupCommit,
    Rows,
)
from app.db.core.connections import SaverPool


class GroupingSaver(AsyncPostgresSaver):
    """Durable like the stock saver, unless an execution asks to be only a moment behind."""

    def __init__(self, pool: SaverPool, commits: GroupCommit) -> None:
        super().__init__(pool)
        self._pool = pool
        self._commits = commits
        self._behind: dict[Holder, list[Done]] = {}
        self._empty: set[Holder] = set()

    @asynccontextmanager
    async def behind(self, holder: Holder) -> AsyncIterator[None]:
        """Within, the holder's checkpoints may be 50 ms late; at a good end all are durable.

        Raises RunLostError, and what the database said, when one of them could not be written.
        """
        self._behind[holder] = []
        try:
            yield
            await self.durable(holder)
        finally:
            del self._behind[holder]
            self._empty.discard(holder)

    def begin_empty(self, holder: Holder) -> None:
        """Let the next read of the holder find nothing: its thread has no checkpoint yet."""
        self._empty.add(holder)

    async def durable(self, holder: Holder) -> None:
        """Wait until all that the holder wrote so far is durable. Raises as `behind`."""
        await self._committed(holder, self._behind.get(holder, []))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint; durable on return, or as `behind` says. Raises RunLostError."""
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
        await self._put(holder_of(config), {INSERT_BLOBS: blobs, UPSERT_CHECKPOINTS: [row]})
        return _config({"thread_id": thread_id, "checkpoint_ns": namespace}, checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a task wrote; durable on return, or as `behind` says. Raises RunLostError."""
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
        await self._put(holder_of(config), {UPSERT_WRITES if special else INSERT_WRITES: rows})

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See AsyncPostgresSaver; what the execution itself wrote is seen."""
        holder = holder_of(config)
        if holder in self._empty:
            self._empty.remove(holder)
            return None
        if holder and self._behind.get(holder):
            await self.durable(holder)
        return await super().aget_tuple(config)

    async def put_beside(self, holder: Holder | None, rows: Rows) -> None:
        """Join the next transaction with rows that count also when the run was lost.

        Durable on return, unless the holder may be behind.
        """
        late = self._behind.get(holder) if holder else None
        done = self._commits.join(rows)
        if late is None:
            await self._committed(holder, [done])
        else:
            late[:] = [other for other in late if not other.done() or other.exception()]
            late.append(done)

    async def _put(self, holder: Holder | None, rows: Rows) -> None:
        """The same for rows that only the holder of the run may write."""
        await self.put_beside(holder, {FENCE: [holder] if holder else [], **rows})

    async def _committed(self, holder: Holder | None, writes: list[Done]) -> None:
        if any(not done.done() for done in writes):
            self._commits.hurry()
        with refusing_late_writes(holder):
            for done in writes:
                # A cancelled writer must not cancel the transaction that it shares.
                await asyncio.shield(done)

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
        """A pooled connection for each reader, without the stock saver's lock."""
        async with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            if pipeline:
                async with connection.pipeline():
                    yield cursor
            else:
                yield cursor


def _config(row: DictRow, checkpoint_id: str) -> RunnableConfig:
    here = {"thread_id": row["thread_id"], "checkpoint_ns": row["checkpoint_ns"]}
    return {"configurable": {**here, "checkpoint_id": checkpoint_id}}


def _split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Scalars are stored in the checkpoint itself, all other values as blobs.

    As the stock saver does, and an earlier release: a value that did not change and has no
    blob would be lost in the checkpoint that another release makes of this one.
    """
    inline = {
        name: value
        for name, value in values.items()
        if value is None or isinstance(value, str | int | float | bool)
    }
    return inline, {name: value for name, value in values.items() if name not in inline}


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
