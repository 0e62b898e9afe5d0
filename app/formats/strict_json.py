"""Reads JSON strictly: no duplicate keys, NaN, lone surrogates, NUL, or more than 32 levels.

Python's JSON reader takes all of them; Postgres and the next reader do not.
"""

import json
import re
from typing import Any

MAX_DEPTH = 32
SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DIGITS = 30
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class StrictJsonError(ValueError):
    """The text is not JSON as we take it; the message says what and where, and quotes no value."""


def parse_json(body: bytes, *, repair: bool = False) -> Any:
    """The document of a body in UTF-8.

    With `repair` what no text may hold, NUL and halves of pairs, becomes U+FFFD: in another
    system's answer one such letter of a customer would make a whole ticket unreadable.

    Raises:
        StrictJsonError.
    """
    try:
        document = json.loads(
            body.decode("utf-8", "replace" if repair else "strict"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_int,
            parse_float=_float,
        )
        document = repaired(document) if repair else document
        check_value(document)
    except RecursionError:
        raise StrictJsonError(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise StrictJsonError(f"The body is not UTF-8: {where}.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise StrictJsonError(f"{error.msg} at {where}.") from None
    return document


def repaired(value: Any) -> Any:
    """The value with U+FFFD for what no text may hold; names of an object as well."""
    if isinstance(value, str):
        return SURROGATE.sub(REPLACEMENT, value).replace("\x00", REPLACEMENT)
    if isinstance(value, list):
        return [repaired(item) for item in value]
    if isinstance(value, dict):
        return {repaired(name): repaired(item) for name, item in value.items()}
    return value


def check_value(value: Any, levels: int = 0) -> None:
    """Raises StrictJsonError for NUL, lone surrogates, or a value that nests too deep in `levels`.

    A list or object is a level, also an empty one; MAX_DEPTH of them may lie in each other.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise StrictJsonError("A text holds a NUL character (U+0000).")
        if SURROGATE.search(value):
            raise StrictJsonError("A text holds half of a surrogate pair.")
    elif isinstance(value, dict | list):
        if levels == MAX_DEPTH:
            raise StrictJsonError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        for item in value if isinstance(value, list) else [*value, *value.values()]:
            check_value(item, levels + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise StrictJsonError(f"The key {json.dumps(name)[:100]} stands twice in one object.")
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise StrictJsonError(f"{name} is not JSON.")


def _int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise StrictJsonError(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise StrictJsonError("A number is too large.")
    return number
