"""Column types that keep what Postgres cannot store out of every row, in one place."""

from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Dialect, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


def storable(value: Any) -> Any:
    """The same JSON value without U+0000 and lone surrogates, which Postgres refuses."""
    return value if _is_storable(value) else _cleaned(value)


def _is_storable(value: Any) -> bool:
    """Nearly everything is: looked at in C, where a walk in Python costs as much as the query."""
    try:
        return b"\\u0000" not in orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return False


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
        """Refuse what is no member before the database does."""
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The member."""
        return None if value is None else self.members(value)


class SafeJson(TypeDecorator[Any]):
    """JSONB; Python None is SQL NULL."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Clean on the way in."""
        return storable(value)
