"""Hooks that are not as their desk writes them: one value of the document is another one."""

import copy
from collections.abc import Sequence
from typing import Any


def with_value(document: Any, path: Sequence[str], value: Any) -> Any:
    """A copy of the document with the value at the path; the value itself for an empty path."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    *way, last = path
    inner = changed
    for step in way:
        inner = inner[step]
    inner[last] = value
    return changed
