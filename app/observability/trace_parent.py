"""A caller's own run in LangSmith, under which a run of ours may stand.

Only the place is taken. The `baggage` header, which could choose another project, further servers
and metadata for our traces, is never read.
"""

import re
from typing import NamedTuple
from uuid import UUID

# The header of LangSmith's client: its run's place in its trace, the root first, each level a time
# and an id.
HEADER = "langsmith-trace"
MAX_LEVELS = 50
_ID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_LEVEL = rf"\d{{8}}T\d{{12}}Z{_ID}"
PLACE = re.compile(rf"{_LEVEL}(?:\.{_LEVEL}){{0,{MAX_LEVELS - 1}}}", re.ASCII)
ID_CHARS = 36


class TraceParent(NamedTuple):
    """The caller's run, its trace, and its place there."""

    run_id: UUID
    trace_id: UUID
    place: str


def read_parent(header: str | None) -> TraceParent | None:
    """What the header names; None for one that is not well formed, as if there were none."""
    if header is None or not PLACE.fullmatch(header):
        return None
    levels = header.split(".")
    return TraceParent(UUID(levels[-1][-ID_CHARS:]), UUID(levels[0][-ID_CHARS:]), header)
