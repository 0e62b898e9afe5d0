"""What ends one attempt of a run, as opposed to a failure of its node."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.db.core.availability import DATABASE_ERRORS, is_unavailable
from graphs.suspend import AttemptLostError, RunPausedError, RunWaitsError
from tools.errors import EffectsPausedError, RunLostError


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
        if not is_unavailable(error):
            raise
        raise RunWaitsError(f"the database is away: {error}"[:300]) from error
