"""One transaction for the rows of many writers: checkpoints, steps and costs of a process' runs.

Every writer can wait until its own rows are durable; only the transaction is shared. Until a
writer waits, rows are collected for at most HOLD_SECONDS.
"""

import asyncio
from contextlib import suppress
from typing import Any, LiteralString

from app.db.checkpoints.fence import FENCE, FENCE_OF_MANY
from app.db.core.connections import SaverPool
from app.db.runs.model_calls import UPSERT_MODEL_CALLS
from app.db.runs.steps import UPSERT_STEPS
from app.db.tenants.spend import ADD_SPEND

# The most work without effects that a crash can lose.
HOLD_SECONDS = 0.05

# Binary arrays: the dumper of text ones escapes each value in Python.
INSERT_BLOBS: LiteralString = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[])
ON CONFLICT DO NOTHING"""
UPSERT_CHECKPOINTS: LiteralString = """
INSERT INTO checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[]::jsonb[],
    %b::text[]::jsonb[])
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata"""
_WRITES: LiteralString = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx,
    channel, type, blob)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::int[],
    %b::text[], %b::text[], %b::bytea[])
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) """
INSERT_WRITES: LiteralString = _WRITES + "DO NOTHING"
UPSERT_WRITES: LiteralString = (
    _WRITES + "DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob"
)
# In this order: the fence first, a checkpoint's values before itself. Each with the number of
# columns that identify a row, since a row may stand in a statement only once.
STATEMENTS: dict[LiteralString, int] = {
    FENCE: 2,
    INSERT_BLOBS: 4,
    UPSERT_CHECKPOINTS: 3,
    INSERT_WRITES: 6,
    UPSERT_WRITES: 6,
    UPSERT_STEPS: 1,
    UPSERT_MODEL_CALLS: 1,
    ADD_SPEND: 1,
}

Row = tuple[Any, ...]
Rows = dict[LiteralString, list[Row]]
Done = asyncio.Future[None]
Batch = list[tuple[Rows, Done]]


class GroupCommit:
    """Commits in one transaction all rows that arrived during the last one."""

    def __init__(self, pool: SaverPool) -> None:
        self._pool = pool
        self._waiting: Batch = []
        self._writer: asyncio.Task[None] | None = None
        self._awaited = asyncio.Event()

    def join(self, rows: Rows) -> Done:
        """Queue rows for the next commit; the future ends with its success or its error."""
        done: Done = asyncio.get_running_loop().create_future()
        # A writer that was cancelled leaves no warning about an error that was never retrieved.
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._waiting.append((rows, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return done

    def hurry(self) -> None:
        """Commit now, since a writer waits."""
        self._awaited.set()

    async def _write(self) -> None:
        """Commit until no rows are left; what arrives meanwhile goes with the next transaction."""
        try:
            while self._waiting:
                await self._hold()
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
        finally:
            _answer(self._waiting, asyncio.CancelledError())

    async def _hold(self) -> None:
        """Collect more rows until a writer waits, at most HOLD_SECONDS."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HOLD_SECONDS):
                await self._awaited.wait()
        self._awaited.clear()

    async def _commit(self, batch: Batch) -> None:
        try:
            await self._insert([rows for rows, _ in batch])
        except Exception as error:  # noqa: BLE001  # each writer gets its own
            await self._one_by_one(batch, error)
        except BaseException as error:
            _answer(batch, error)
            raise
        else:
            _answer(batch, None)

    async def _one_by_one(self, batch: Batch, error: Exception) -> None:
        """Insert each writer's rows alone: one bad row, or lost run, must not fail the others."""
        for part in batch:
            try:
                if len(batch) > 1:
                    await self._insert([part[0]])
            except Exception as own:  # noqa: BLE001  # as above
                _answer([part], own)
            else:
                _answer([part], None if len(batch) > 1 else error)

    async def _insert(self, parts: list[Rows]) -> None:
        async with (
            self._pool.connection() as connection,
            connection.pipeline(),
            connection.transaction(),
        ):
            for statement, identity in STATEMENTS.items():
                rows = {row[:identity]: row for part in parts for row in part.get(statement, ())}
                if statement is INSERT_WRITES:
                    rows = _needed(rows, parts)
                if rows:
                    columns = [list(column) for column in zip(*rows.values(), strict=True)]
                    many = statement is FENCE and len(rows) > 1
                    await connection.execute(FENCE_OF_MANY if many else statement, columns)


def _needed(writes: dict[Row, Row], parts: list[Rows]) -> dict[Row, Row]:
    """The writes of steps that have not ended: the next checkpoint holds what the others wrote."""
    checkpoints = (row for part in parts for row in part.get(UPSERT_CHECKPOINTS, ()))
    # Thread, namespace and the checkpoint that the step began with.
    ended = {(row[0], row[1], row[3]) for row in checkpoints}
    return {identity: row for identity, row in writes.items() if row[:3] not in ended}


def _answer(batch: Batch, error: BaseException | None) -> None:
    for _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
