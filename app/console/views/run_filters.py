"""The filters of the console's list of runs: from its address, in words, and back."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError

from app.db.runs.filters import RunFilters
from app.errors import InvalidRequestError
from graphs.support import build_support_graph

# What the page calls otherwise than the API does.
NAMES = {"ticket": "ticket_id", "customer": "customer_id"}
LONGEST = 200
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
READ: TypeAdapter[RunFilters] = TypeAdapter(RunFilters)
KNOWN = frozenset(RunFilters.__dataclass_fields__)
# The filters that have a field of their own; the page names the others and offers to drop each.
FIELDS = ("status", "outcome", "ticket", "customer", "failed_node", "mark", "cost_from")
SAID = {
    "cache_hit": "answered from the cache",
    "refused": "a draft was refused",
    "lost": "lost a worker",
    "reopened": "came after an answer",
    "fast_decision": "decided in under 3 s",
}


@cache
def nodes() -> list[str]:
    """The names of the graph's nodes."""
    return sorted(name for name in build_support_graph().nodes if not name.startswith("__"))


def given(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address that are not empty; what is no filter is left out.

    Raises InvalidRequestError for a value that no filter has.
    """
    found = {name: value.strip() for name, value in query.items() if value.strip()}
    found = {name: value for name, value in found.items() if NAMES.get(name, name) in KNOWN}
    for name, value in found.items():
        if len(value) > LONGEST or CONTROL.search(value):
            raise InvalidRequestError(f"{name} is too long, or holds a control character.")
    return found


def filters_of(found: Mapping[str, str]) -> RunFilters:
    """The filters as the query takes them. Raises InvalidRequestError."""
    try:
        read = READ.validate_python({NAMES.get(name, name): v for name, v in found.items()})
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise InvalidRequestError(f"This is no value of {wrong}.") from None
    return with_zones(read)


def with_zones(read: RunFilters) -> RunFilters:
    """The filters. Raises InvalidRequestError for a time without its zone, or no real cost."""
    times = [value for name, value in vars_of(read) if name.endswith(("_from", "_before"))]
    if any(getattr(time, "tzinfo", True) is None for time in times):
        raise InvalidRequestError("A time needs its zone, such as 2026-11-22T09:00:00Z.")
    if read.cost_from is not None and not 0 <= read.cost_from <= 1_000_000:
        raise InvalidRequestError("cost_from is US dollars, from 0 to 1000000.")
    return read


def vars_of(read: RunFilters) -> list[tuple[str, Any]]:
    """Names and values."""
    return [(name, getattr(read, name)) for name in RunFilters.__dataclass_fields__]


def address(found: Mapping[str, str], **more: str) -> str:
    """The list with these filters; an empty value drops one."""
    kept = {name: value for name, value in {**found, **more}.items() if value}
    return f"/console/runs?{urlencode(kept)}" if kept else "/console/runs"


def others(found: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The filters without a field: each with its value, and the address without it."""
    return [
        (name.replace("_", " "), value, address(found, **{name: ""}))
        for name, value in found.items()
        if name not in FIELDS
    ]
