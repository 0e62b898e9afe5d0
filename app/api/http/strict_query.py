"""Refuses a query parameter that the route does not know, or that comes twice.

A misspelt filter would otherwise answer the whole list, as if nothing had been asked.
"""

from collections import Counter
from collections.abc import Set as AbstractSet

from starlette.datastructures import QueryParams

from app.errors import InvalidRequestError

# A name is shown back, so that a typing error is seen; a long one is cut.
MAX_NAME = 100
MAX_NAMED = 50


def check_query(
    sent: QueryParams, known: AbstractSet[str], repeatable: AbstractSet[str] = frozenset()
) -> None:
    """Let a query pass whose parameters the route knows, each given once unless it is a list.

    Raises:
        InvalidRequestError: with the pointer `query/<name>` for each that is wrong.
    """
    count = Counter(name for name, _ in sent.multi_items())
    wrong = {
        name: "is given more than once"
        for name, times in count.items()
        if times > 1 and name not in repeatable
    }
    wrong |= {name: unknown(known) for name in count if name not in known}
    if not wrong:
        return
    problems = [
        {"pointer": f"query/{name[:MAX_NAME]}", "detail": why}
        for name, why in list(wrong.items())[:MAX_NAMED]
    ]
    first = problems[0]
    raise InvalidRequestError(f"{first['pointer']} {first['detail']}", errors=problems)


def unknown(known: AbstractSet[str]) -> str:
    """What is wrong with a name that the route does not know."""
    names = ", ".join(sorted(known))
    return (
        f"is no parameter of this call; it takes {names}"
        if names
        else ("is no parameter of this call; it takes none")
    )
