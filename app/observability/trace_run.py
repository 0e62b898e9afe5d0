"""What is recorded of a run of LangChain's for a trace, as references to what it was given.

Nothing is copied or written here: a sender's thread does that, and reads only.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from app.observability.trace_parent import TraceParent
from graphs.policy import TraceContent

# Of the metadata of LangChain and LangGraph: what no reader needs, or what stands there twice.
LEFT_OUT = frozenset({"checkpoint_ns", "langgraph_triggers", "langgraph_path", "lc_versions"})
# What is said of a node's own try.
OF_TRY = frozenset({"try", "run_outcome"})
Kind = Literal["chain", "llm", "tool"]
TIMESTAMP_SHIFT = 80
LOW_62_BITS = (1 << 62) - 1


@dataclass(slots=True, eq=False)
class Execution:
    """What the runs of one execution have in common.

    `open` are those that have not ended, by LangChain's ids.
    """

    content: TraceContent
    names: tuple[str, ...]
    project: str
    metadata: dict[str, Any]
    tags: list[str]
    parent: TraceParent | None = None
    open: dict[UUID, "TracedRun"] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    # The first, of an execution that answers its own gates and goes on.
    root: "TracedRun | None" = None


@dataclass(slots=True, eq=False)
class TracedRun:
    """One run; `usage` are a model call's tokens and prices, as LangSmith sums them up."""

    id: UUID
    execution: Execution
    parent: "TracedRun | None"
    name: str
    kind: Kind
    inputs: Any
    metadata: dict[str, Any]
    tags: list[str]
    # One of LangChain's own parts around a model call: it is left out, unless it fails.
    hidden: bool = False
    # A root that was sent before, as far as its execution had come.
    again: bool = False
    usage: dict[str, Any] | None = None
    outputs: Any = None
    error: str | None = None
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    end: datetime | None = None

    @property
    def own_metadata(self) -> dict[str, Any]:
        """What is said of this run alone."""
        shared = self.execution.metadata
        own = {k: v for k, v in self.metadata.items() if k not in shared and k not in LEFT_OUT}
        return own if self.usage is None else {**own, "usage_metadata": self.usage}

    @property
    def root(self) -> "TracedRun":
        """Our own root, which may stand under a caller's run."""
        return self if self.parent is None else self.parent.root

    @property
    def trace_id(self) -> UUID:
        """The trace's root: the caller's, or our own."""
        above = self.execution.parent
        return above.trace_id if above else self.root.id

    @property
    def parent_id(self) -> UUID | None:
        """The run right above, which may be the caller's."""
        above = self.execution.parent
        return self.parent.id if self.parent else above.run_id if above else None

    @property
    def place(self) -> str:
        """The run's place in its trace: from the root on, each level a time and an id."""
        own = f"{self.start:%Y%m%dT%H%M%S%fZ}{self.id}"
        above = self.execution.parent
        over = self.parent.place if self.parent else above.place if above else ""
        return f"{over}.{own}" if over else own


@dataclass(frozen=True, slots=True)
class TraceFeedback:
    """What an execution found out about its own answer: a score from 0 to 1, and it in words."""

    root: TracedRun
    key: str
    score: float
    value: str


def node_run_id(root: UUID, task_id: str, number: int) -> UUID:
    """The id of a node's try in the trace: known before it begins, and to who recovers the run.

    Of version 7 with the time of the root, as LangSmith wants ids.
    """
    said = hashlib.sha256(f"{root}/{task_id}/{number}".encode()).digest()
    low = int.from_bytes(said[:8]) & LOW_62_BITS
    middle = int.from_bytes(said[8:10]) & 0xFFF
    timestamp = root.int >> TIMESTAMP_SHIFT << TIMESTAMP_SHIFT
    return UUID(int=timestamp | 7 << 76 | middle << 64 | 2 << 62 | low)
