"""Column types that remove from values what Postgres cannot store."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Dialect, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


def storable(value: Any) -> Any:
    """The same JSON value without U+0000 and lone surrogates, which Postgres refuses."""
    return value if _is_storable(value) else _cleaned(value)


def json_text(value: Any, default: Callable[[Any], Any] | None = str) -> str:
    """A JSON value as text that Postgres stores; values that JSON has no form for become `str`.

    With a `default` of None they raise TypeError.
    """
    text = _quick_json(value, default)
    return text.decode() if text else json.dumps(_cleaned(value), default=default)


def _is_storable(value: Any) -> bool:
    return _quick_json(value, str) is not None


def _quick_json(value: Any, default: Callable[[Any], Any] | None) -> bytes | None:
    """The JSON of a value, by a library in C; None if it holds U+0000, a lone surrogate or a number
    of more than 64 bits. Nearly every value is storable, and a walk in Python costs as much as the
    query."""
    try:
        text = orjson.dumps(value, default=default, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return None
    return None if b"\\u0000" in text else text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


class SafeText(TypeDecorator[str]):
    """TEXT."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean on the way in."""
        return None if value is None else str(storable(value))


class EnumText(TypeDecorator[StrEnum]):
    """TEXT that is read back as a member of one StrEnum."""

    impl = Text
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """Refuse a value that is no member before the database does."""
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The member."""
        return None if value is None else self.members(value)


class SafeJson(TypeDecorator[Any]):
    """JSONB; Python None is SQL NULL. What JSON has no form for is refused, not stored as text."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Clean on the way in; what is to be looked through becomes the text by the same look."""
        return lambda value: None if value is None else json_text(value, None)
