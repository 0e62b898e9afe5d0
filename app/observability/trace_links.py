"""Links from runs and steps to their traces, for people."""

import asyncio
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.log import get_logger
from app.observability.langsmith_api import LangSmithApi, LangSmithError, Project, web_url
from app.settings import Settings

log = get_logger(__name__)

# Before the first trace there is no project.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1, 300


class Traced(Protocol):
    """A run's row."""

    @property
    def traced(self) -> bool:
        """Whether its newest execution was sent."""

    @property
    def trace_id(self) -> UUID | None:
        """The root of that."""


@dataclass(slots=True)
class TraceLinks:
    """Makes links without a call; `project` is None until LangSmith has said which one it is."""

    settings: Settings
    project: Project | None = None

    def of_run(self, run: Traced) -> str | None:
        """The trace of the run's newest execution."""
        if not run.traced or run.trace_id is None:
            return None
        if own := self.settings.trace_url:
            return own.format(trace_id=run.trace_id)
        return self._in_langsmith(run.trace_id)

    def of_step(self, trace_run_id: UUID | None) -> str | None:
        """A step's own place in its trace, which only LangSmith's own links can name."""
        own = self.settings.trace_url
        return None if own or trace_run_id is None else self._in_langsmith(trace_run_id)

    def _in_langsmith(self, run_id: UUID) -> str | None:
        if self.project is None:
            return None
        base, (project, workspace) = web_url(self.settings), self.project
        return f"{base}/o/{workspace}/projects/p/{project}/r/{run_id}?poll=true"


async def keep_looking_for_project(links: TraceLinks) -> None:
    """Ask LangSmith for the project's id until it is known: no request ever waits for that."""
    settings, wait = links.settings, FIRST_WAIT_SECONDS
    if settings.langsmith_api_key is None or settings.trace_url:
        return
    async with LangSmithApi(settings) as langsmith:
        while links.project is None:
            try:
                links.project = await langsmith.project(settings.langsmith_project)
            except LangSmithError as error:
                log.warning("trace_project_unknown", error=error)
            if links.project is None:
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT_SECONDS)
