"""The texts of an execution's trace as JSON, masked as its policy says and bounded.

States repeat from node to node by reference, so each value is masked and written once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.observability.redaction import Redactor, is_id
from app.observability.trace_json import dumps, named
from graphs.policy import TraceContent

# Of one value, and of what one run was given or answered: LangSmith takes 20 MB at a time.
MAX_VALUE_BYTES, MAX_BYTES = 200_000, 1_000_000
MAX_ERROR_CHARS = 50_000
LEFT_OUT = b'"[left out: too long]"'
NOTHING = b"{}"


class TraceText:
    """The values of one execution as one sender writes them.

    It keeps references to what it has seen, so that an address names the same value.
    """

    def __init__(self, content: TraceContent, names: Iterable[str] = ()) -> None:
        self.content = content
        self._redactor = Redactor(content, names)
        self._seen: dict[int, Any] = {}
        # By address, and by whether it is called an id: of those the digits stay.
        self._written: dict[tuple[int, bool], bytes] = {}
        self._shared: bytes | None = None

    def learn(self, value: Any) -> None:
        """Take note of the people in it before anything that names them is written."""
        if self.content != "redacted":
            return
        if value is None:
            return
        parts = named(value)
        beside = {name: parts[name] for name in ("name", "email") if name in parts}
        found = self._redactor.learn(beside)
        for item in parts.values():
            if self._is_new(item) and self._redactor.learn(item):
                found = True
        if found:
            self._written.clear()

    def of(self, value: Any) -> bytes:
        """What a run was given or answered, as an object; nothing if no content may leave."""
        if self.content == "none" or value is None:
            return NOTHING
        parts, size = [], 0
        for name, item in named(value).items():
            text = self._item(str(name), item)
            size += len(text)
            key = dumps(self._redactor.key(str(name)))
            parts.append(key + b":" + (text if size <= MAX_BYTES else LEFT_OUT))
        return b"{" + b",".join(parts) + b"}"

    def about(self, shared: Mapping[str, Any], own: Mapping[str, Any]) -> bytes:
        """What is said of a run, whatever the content: ids and counts, with texts masked.

        `shared` is the same for all of an execution; its names come first.
        """
        if self._shared is None:
            self._shared = dumps(self._redactor.mask(shared))[:-1]
        rest = dumps(self._redactor.mask(own))[1:]
        return self._shared + (b"," if len(self._shared) > 1 and len(rest) > 1 else b"") + rest

    def error(self, text: str) -> bytes:
        """A failure with where it came from; of one that quotes a long text the beginning."""
        return dumps(self._redactor.mask(text)[:MAX_ERROR_CHARS])

    def _item(self, name: str, value: Any) -> bytes:
        if value is None or isinstance(value, bool | int | float):
            return dumps(self._redactor.mask(value, name))
        self._seen.setdefault(id(value), value)
        place = id(value), is_id(name)
        known = self._written.get(place)
        if known is None:
            known = dumps(self._redactor.mask(value, name))
            known = known if len(known) <= MAX_VALUE_BYTES else LEFT_OUT
            self._written[place] = known
        return known

    def _is_new(self, value: Any) -> bool:
        """Whether it was not seen before; it is kept, so no other one gets its address."""
        if id(value) in self._seen:
            return False
        self._seen[id(value)] = value
        return True
