"""The compiled graph as an execution uses it, which may die when it begins, resumes and ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from langgraph.types import Command

from app.wiring import Graph
from tests.acceptance.crash.hazard import Hazard


@dataclass(eq=False)
class DoomedGraph:
    """Looked at, streamed, looked at again."""

    inner: Graph
    hazard: Hazard
    begun: "WeakSet[asyncio.Task[Any]]" = field(default_factory=WeakSet)
    streamed: "WeakSet[asyncio.Task[Any]]" = field(default_factory=WeakSet)

    def __getattr__(self, name: str) -> Any:
        """All that is not watched is the graph's own."""
        return getattr(self.inner, name)

    async def aget_state(self, config: Any) -> Any:
        """An execution's first look comes right after the claim, its last before the settle."""
        task = asyncio.current_task()
        assert task is not None, "an execution is a task"
        event = "settle" if task in self.streamed else "claim"
        # A replay looks several times before it begins.
        if event == "settle" or task not in self.begun:
            self.hazard.note(event, thread=config["configurable"]["thread_id"])
            self.hazard.reach("before_settle" if event == "settle" else "after_claim")
        self.begun.add(task)
        return await self.inner.aget_state(config)

    async def astream(self, following: Any, config: Any, **options: Any) -> AsyncIterator[Any]:
        """Dies in the middle of the first step after an answer."""
        resumes, task = isinstance(following, Command), asyncio.current_task()
        assert task is not None, "an execution is a task"
        self.streamed.add(task)
        async for item in self.inner.astream(following, config, **options):
            yield item
            if resumes:
                self.hazard.reach("resume")
                resumes = False
