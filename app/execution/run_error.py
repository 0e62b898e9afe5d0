"""The `error` of a run that failed: a stable type, and what to do next in words of ours.

The text of an exception is never in it: that of a driver holds statements and values, that of a
model or a tool may repeat what the customer wrote.
"""

from typing import Any

from app.db.core.availability import DATABASE_ERRORS, StatementFailedError
from app.errors import CheckpointGoneError
from app.log.error_text import sqlstate_of
from graphs.llm.errors import ModelError
from tools.errors import ToolError

NEXT = (
    "Search the worker's log for the run's id. Replay the run once the cause is gone, "
    "or answer the ticket yourself."
)


def run_error(failure: BaseException) -> dict[str, Any]:
    """What a caller reads about the exception that ended a run; its class is all that is kept."""
    name = type(failure).__name__
    match failure:
        case StatementFailedError():
            return _database_refused(failure.__cause__ or failure)
        case CheckpointGoneError():
            gone = "Retention removed the checkpoint that this replay begins with. Replay a"
            return made("checkpoint_gone", f"{gone} younger run, or answer the ticket yourself.")
        case ToolError():
            return made("tool_failed", f"A tool failed at the last step ({name}). {NEXT}")
        case ModelError():
            return made("model_failed", f"No model answered at the last step ({name}). {NEXT}")
        case _ if isinstance(failure, DATABASE_ERRORS):
            return _database_refused(failure)
    return made("internal", f"The service failed unexpectedly ({name}). {NEXT}")


def _database_refused(failure: BaseException) -> dict[str, Any]:
    what = f"The database refused a statement (SQLSTATE {sqlstate_of(failure) or 'unknown'})"
    return made("database_refused", f"{what}, a defect of the service or of its schema. {NEXT}")


def timed_out(seconds: float) -> dict[str, Any]:
    """The error of a run that took longer than a run may."""
    return made("timeout", f"The run took longer than {seconds:g} seconds. {NEXT}")


def workers_lost(losses: int) -> dict[str, Any]:
    """The error of a run that no further worker is risked for."""
    return made("workers_lost", f"{losses} workers died while advancing this run. {NEXT}")


def unknown_outcome(keys: list[str]) -> dict[str, Any]:
    """The error of a cancelled run that had begun calls, named by their business keys."""
    begun = ", ".join(keys)[:500]
    return made(
        "unknown_outcome",
        f"Cancelled after it had begun {begun}. Look up at the provider what became of it.",
    )


def made(kind: str, message: str) -> dict[str, Any]:
    """An error as the run's row holds it."""
    return {"type": kind, "message": message}
