"""The stock checkpointer behind the fence."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncCursor
from psycopg.rows import DictRow

from app.db.checkpoints.fence import FENCE, Holder, holder_of, refusing_late_writes

_writer: ContextVar[Holder | None] = ContextVar("writer", default=None)


class FencedSaver(AsyncPostgresSaver):
    """AsyncPostgresSaver whose writes raise RunLostError once another attempt has the run."""

    @asynccontextmanager
    async def behind(self, holder: Holder) -> AsyncIterator[None]:
        """See GroupingSaver; here each write is waited for."""
        yield

    async def durable(self, holder: Holder) -> None:
        """See GroupingSaver; here it always is."""

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        async with super()._cursor(pipeline=pipeline) as cursor:
            if pipeline and (holder := _writer.get()):
                await cursor.execute(FENCE, [[holder[0]], [holder[1]]])
            yield cursor

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See AsyncPostgresSaver. Raises RunLostError besides."""
        holder = holder_of(config)
        with refusing_late_writes(holder):
            token = _writer.set(holder)
            try:
                return await super().aput(config, checkpoint, metadata, new_versions)
            finally:
                _writer.reset(token)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """See AsyncPostgresSaver. Raises RunLostError besides."""
        holder = holder_of(config)
        with refusing_late_writes(holder):
            token = _writer.set(holder)
            try:
                await super().aput_writes(config, writes, task_id, task_path)
            finally:
                _writer.reset(token)
