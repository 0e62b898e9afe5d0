"""Errors that end one attempt of a run, as opposed to failing its node."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.db.core.availability import DATABASE_ERRORS, is_unavailable, statement_failed
from graphs.suspend import AttemptLostError, RunPausedError, RunWaitsError
from tools.errors import EffectsPausedError, RunLostError


@contextmanager
def ends_attempt() -> Iterator[None]:
    """Let a lost or paused run, and an unavailable database, end the attempt, not the node."""
    try:
        yield
    except RunLostError as lost:
        raise AttemptLostError(str(lost)) from lost
    except EffectsPausedError as paused:
        raise RunPausedError(str(paused)) from paused
    except DATABASE_ERRORS as error:
        if not is_unavailable(error):
            # The driver's own text may hold the customer's words.
            raise statement_failed(error) from error
        raise RunWaitsError("the database is unavailable") from error
