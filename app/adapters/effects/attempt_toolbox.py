"""The door as one attempt of a run uses it: what ends the attempt is no failure of a node."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.db.core.availability import DATABASE_ERRORS, is_unavailable, statement_failed
from graphs.suspend import AttemptLostError, RunPausedError, RunWaitsError
from tools.errors import EffectsPausedError, RunLostError
from tools.ledger import Call
from tools.models import JsonObject
from tools.tool import Tool
from tools.toolbox import Toolbox


@contextmanager
def ends_attempt() -> Iterator[None]:
    """Let a lost or paused run, and an unavailable database, end the attempt, not the node.

    A statement that the database refuses fails the node, as StatementFailedError.
    """
    try:
        yield
    except RunLostError as lost:
        raise AttemptLostError(str(lost)) from lost
    except EffectsPausedError as paused:
        raise RunPausedError(str(paused)) from paused
    except DATABASE_ERRORS as error:
        if not is_unavailable(error):
            raise statement_failed(error) from error
        raise RunWaitsError("the database is unavailable") from error


@dataclass(frozen=True)
class AttemptToolbox(Toolbox):
    """Toolbox, with the two ends of an attempt told apart from failures.

    `durable` waits for the checkpoints that led here: no effect may begin before they are kept,
    or a crash would plan anew what is already done.
    """

    durable: Callable[[], Awaitable[None]]

    async def call(self, name: str, args: JsonObject, *, step_id: str | None = None) -> Any:
        """See Toolbox.call. Raises AttemptLostError and RunWaitsError besides."""
        with ends_attempt():
            return await super().call(name, args, step_id=step_id)

    async def _once(self, tool: Tool[Any], parsed: BaseModel, call: Call) -> Any:
        await self.durable()
        return await super()._once(tool, parsed, call)

    async def problem(self, name: str, args: JsonObject) -> str | None:
        """See Toolbox.problem. Raises RunWaitsError besides."""
        with ends_attempt():
            return await super().problem(name, args)
