"""The compiled graph as an execution uses it, which may die when it resumes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from langgraph.types import Command

from app.execution.wiring import Graph
from tests.acceptance.crash.hazard import Hazard


@dataclass(eq=False)
class DoomedGraph:
    """All that is not watched is the graph's own."""

    inner: Graph
    hazard: Hazard

    def __getattr__(self, name: str) -> Any:
        """See the graph."""
        return getattr(self.inner, name)

    async def astream(self, following: Any, config: Any, **options: Any) -> AsyncIterator[Any]:
        """Dies in the middle of the first step after an answer."""
        resumes = isinstance(following, Command)
        async for item in self.inner.astream(following, config, **options):
            yield item
            if resumes:
                self.hazard.reach("resume")
                resumes = False
