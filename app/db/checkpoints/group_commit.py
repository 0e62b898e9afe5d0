"""One statement for the rows of many writers: checkpoints, steps and costs of a process' runs.

Every writer can wait until its own rows are durable; only the statement is shared. Until a
writer waits, rows are collected for at most HOLD_SECONDS.

It is one statement, and no transaction of several: a process that freezes in the middle of one
would keep its locks, and hold back every reader of events, for as long as its host is frozen.
No time limit of the server ends a pipeline that waits for its client.
"""

import asyncio
from contextlib import suppress
from functools import cache
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
# Each with the number of columns that identify a row, since a row may be written only once.
# Postgres carries them out from the last to the first. So a tenant's spend, which other processes
# change as well, is held for the shortest time; and writes that replace others come before those
# that do not, since no row may be replaced by the statement that inserts it.
STATEMENTS: dict[LiteralString, int] = {
    ADD_SPEND: 1,
    INSERT_BLOBS: 4,
    UPSERT_CHECKPOINTS: 3,
    INSERT_WRITES: 6,
    UPSERT_WRITES: 6,
    UPSERT_STEPS: 1,
    UPSERT_MODEL_CALLS: 1,
    FENCE: 2,
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
        merged = {kind: _merged(kind, parts) for kind in STATEMENTS}
        merged[INSERT_WRITES] = _needed(merged[INSERT_WRITES], parts)
        kinds = tuple(kind for kind, rows in merged.items() if rows)
        statement = _statement(kinds, many=len(merged[FENCE]) > 1)
        columns = [
            list(column) for kind in kinds for column in zip(*merged[kind].values(), strict=True)
        ]
        async with self._pool.connection() as connection:
            await connection.execute(statement, columns)


def _merged(kind: LiteralString, parts: list[Rows]) -> dict[Row, Row]:
    """The rows of a kind: of those with one identity the last."""
    identity = STATEMENTS[kind]
    return {row[:identity]: row for part in parts for row in part.get(kind, ())}


@cache
def _statement(kinds: tuple[LiteralString, ...], *, many: bool) -> bytes:
    """All kinds as one statement, whose fence comes last and is executed first.

    What `WITH` inserts is carried out after the query below it has come to its end.
    """
    inserted = [kind for kind in kinds if kind is not FENCE]
    query = "SELECT 1" if FENCE not in kinds else FENCE_OF_MANY if many else FENCE
    each = (f"rows_{number} AS ({kind})" for number, kind in enumerate(inserted))
    whole = f"WITH {', '.join(each)} {query}" if inserted else query
    # psycopg reads a statement of more than 4 kB each time that it is executed.
    return " ".join(whole.split()).encode()


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
