"""The door as one attempt of a run uses it: what ends the attempt is no failure of a node."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.db.away import DATABASE_ERRORS, is_away
from graphs.waits import AttemptLostError, RunPausedError, RunWaitsError
from tools.errors import EffectsPausedError, RunLostError
from tools.models import JsonObject
from tools.toolbox import Toolbox


@contextmanager
def ends_attempt() -> Iterator[None]:
    """Let a lost or paused run, and a database that is away, end the attempt, not the node."""
    try:
        yield
    except RunLostError as lost:
        raise AttemptLostError(str(lost)) from lost
    except EffectsPausedError as paused:
        raise RunPausedError(str(paused)) from paused
    except DATABASE_ERRORS as error:
        if not is_away(error):
            raise
        raise RunWaitsError(f"the database is away: {error}"[:300]) from error


class AttemptToolbox(Toolbox):
    """Toolbox, with the two ends of an attempt told apart from failures."""

    async def call(self, name: str, args: JsonObject, *, step_id: str | None = None) -> Any:
        """See Toolbox.call. Raises AttemptLostError and RunWaitsError besides."""
        with ends_attempt():
            return await super().call(name, args, step_id=step_id)

    async def problem(self, name: str, args: JsonObject) -> str | None:
        """See Toolbox.problem. Raises RunWaitsError besides."""
        with ends_attempt():
            return await super().problem(name, args)
