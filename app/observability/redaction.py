"""What a trace may hold of a ticket: secrets never, personal data only if the tenant says so."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from app.observability.masks import PIECE_CHARS, without_personal_data, without_secrets
from app.observability.trace_json import as_json
from graphs.policy import TraceContent

# Ids of ours and of outside systems: a long number there is no phone number.
ID_KEY = re.compile(r"(?:^|_)(?:id|ns|key)$|^(?:langgraph|ls)_")
# What a program calls a value; another name is data, as where tools list customers by number.
FIELD = re.compile(r"[a-z_][A-Za-z_]*")
# Shorter whole numbers are no phone or card.
LONG_NUMBERS = range(10**8, 10**20)
NAME_PARTS = re.compile(r"\w{2,}")
# Texts that come with every run, such as instructions and articles, are masked once in a while.
REMEMBERED, REMEMBERED_CHARS = 2048, 10_000
# Shorter parts of a name, such as "de", are words of many texts.
MIN_LATIN_CHARS = 3
MAX_NAMES = 200


class Redactor:
    """Masks the values of one execution's trace; it keeps what it masked, since states repeat.

    `content` is the policy's `trace_content`; `names` are those of the people known from the
    ticket. A name that comes with an e-mail address, as a contact's does, is one from then on.
    """

    def __init__(self, content: TraceContent, names: Iterable[str] = ()) -> None:
        self.content = content
        self._parts: set[str] = set()
        self._names: re.Pattern[str] | None = None
        self._masked: dict[tuple[str, bool], str] = {}
        self._learn(names)

    def redact(self, value: Any) -> Any:
        """A JSON value without secrets, and unless the content is `full` without personal data."""
        self.learn(value)
        return self.mask(value)

    def mask(self, value: Any, name: str = "") -> Any:
        """The same, where `learn` has had the value.

        `name` is what it is called; a long number that is an id is none of a person's.
        """
        if isinstance(value, str):
            return self._text(value, of_id=is_id(name))
        if isinstance(value, dict):
            return {self.key(str(key)): self.mask(item, str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask(item, name) for item in value]
        if isinstance(value, int) and abs(value) in LONG_NUMBERS:
            text = str(value)
            masked = self._text(text, of_id=is_id(name))
            return value if masked == text else masked
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.mask(as_json(value), name)

    def learn(self, value: Any) -> bool:
        """Note the people in a value; True when there are some that were not known before."""
        return self.content != "full" and self._learn(_names_in(value))

    def key(self, name: str) -> str:
        """The name of a value, masked."""
        return self._text(name, of_id=bool(FIELD.fullmatch(name)))

    def _text(self, text: str, *, of_id: bool) -> str:
        known = self._masked.get((text, of_id))
        if known is None:
            known = self._masked[text, of_id] = self._mask(text, of_id=of_id)
        return known

    def _mask(self, text: str, *, of_id: bool) -> str:
        mask = _mask_always if len(text) > REMEMBERED_CHARS else _mask_once
        text = mask(text, self.content == "full", of_id)
        if self._names is None or self.content == "full" or of_id:
            return text
        return self._names.sub("[name]", text)

    def _learn(self, names: Iterable[str]) -> bool:
        found = {part for name in names for part in NAME_PARTS.findall(name) if _tells(part)}
        new = found - self._parts
        if not new or len(self._parts) >= MAX_NAMES:
            return False
        self._parts |= new
        # The longest first: of two names that begin alike it is the one to take.
        parts = sorted(self._parts, key=len, reverse=True)
        self._names = re.compile("|".join(map(_as_pattern, parts)), re.IGNORECASE)
        self._masked.clear()
        return True


def is_id(name: str) -> bool:
    """Whether a value of this name is an id, whose digits stay."""
    return bool(ID_KEY.search(name))


def _mask_always(text: str, secrets_only: bool, of_id: bool) -> str:
    text = without_secrets(text)
    return text if secrets_only else without_personal_data(text, of_id=of_id)


_mask_once = lru_cache(REMEMBERED)(_mask_always)


def forget_texts() -> None:
    """Let go of remembered texts: customers' are among them."""
    _mask_once.cache_clear()


def _names_in(value: Any) -> Iterator[str]:
    """Names that stand beside an e-mail address, at any depth."""
    if isinstance(value, dict):
        name = value.get("name")
        if isinstance(name, str) and "email" in value:
            yield name[:PIECE_CHARS]
        for item in value.values():
            yield from _names_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names_in(item)
    elif value is not None and not isinstance(value, str | bool | int | float):
        yield from _names_in(as_json(value))


def _tells(part: str) -> bool:
    return not part.isdecimal() and (not part.isascii() or len(part) >= MIN_LATIN_CHARS)


def _as_pattern(part: str) -> str:
    """Whole words of Latin letters; other scripts may join a name to its neighbours."""
    return (
        rf"(?:(?<!\w)|(?<=\\[nrt])){re.escape(part)}(?!\w)" if part.isascii() else re.escape(part)
    )
