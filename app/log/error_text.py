"""Texts about exceptions for logs, steps and answers: without the values they are about.

The message of an exception that we did not write may quote what a customer wrote: Postgres repeats
the value it could not read, pydantic the input it refused. Such an exception
is described by its class, its SQLSTATE and lines of code; our own keep their message.
"""

import traceback
from collections.abc import Iterator
from types import TracebackType

OURS = frozenset({"app", "graphs", "tools", "migrations"})
MAX_MESSAGE = 1000


def describe(error: BaseException) -> str:
    """The class of an exception, and its message if it is one of ours."""
    name = type(_cause(error)).__name__
    return f"{name}: {error}"[:MAX_MESSAGE] if _is_ours(type(error).__module__) else name


def public_message(error: BaseException) -> str:
    """The message of an exception for callers that may read the run that it ended."""
    if _is_ours(type(error).__module__):
        return str(error)[:MAX_MESSAGE]
    if state := sqlstate_of(error):
        return f"The database refused a statement (SQLSTATE {state})."
    return "An unexpected error; the worker's log holds its place in the code."


def place_of(error: BaseException) -> str | None:
    """The innermost line of ours that an exception passed, as `file:line`; None without one."""
    ours = [
        f"{module.replace('.', '/')}.py:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_ours(module := str(frame.f_globals.get("__name__", "?")))
    ]
    return ours[-1] if ours else None


def wrong_value(message: str) -> str:
    """What pydantic says is wrong with a value, without its prefix of sentences of ours."""
    return message.removeprefix("Value error, ")


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE that Postgres gave the error, also when another library wrapped it."""
    state = getattr(_cause(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def render(error: BaseException) -> str:
    """The exception and its causes, innermost first: class, SQLSTATE, lines of code."""
    return "\n".join(line for link in _chain(error) for line in _lines(link))


def without_messages(text: str, error: BaseException) -> str:
    """The text without the exceptions' messages that a library wrote into it."""
    # The outermost first: its message often holds that of what it wraps.
    for link in reversed(list(_chain(error))):
        for said in (repr(link), str(link)):
            if said.strip() and not _is_ours(type(link).__module__):
                text = text.replace(said, describe(link))
    return text


def _cause(error: BaseException) -> BaseException:
    """The driver's error inside of SQLAlchemy's or Procrastinate's, else the error itself."""
    inner = getattr(error, "orig", None) or error.__cause__
    wraps = type(error).__module__.split(".")[0] in ("sqlalchemy", "procrastinate")
    return _cause(inner) if wraps and isinstance(inner, BaseException) else error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The causes of an exception, the members of a group, and itself, each once."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    found: list[BaseException] = []
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        found.append(link)
        before = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        members = link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        waiting += [*([before] if before else []), *members]
    return reversed(found)


def _lines(error: BaseException) -> Iterator[str]:
    state = sqlstate_of(error)
    yield f"{describe(error)} (SQLSTATE {state})" if state else describe(error)
    yield from _places(error.__traceback__)


def _places(trace: TracebackType | None) -> Iterator[str]:
    """Our lines of code, and the innermost line of any code."""
    frames = list(traceback.walk_tb(trace))
    for place, (frame, line) in enumerate(frames):
        module = str(frame.f_globals.get("__name__", "?"))
        if place == len(frames) - 1 or _is_ours(module):
            yield f"  at {module}:{line} in {frame.f_code.co_name}"


def _is_ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in OURS
