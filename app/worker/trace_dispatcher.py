"""Sends notes on traces to LangSmith: feedback, and the ends of traces whose worker was lost."""

import asyncio
from datetime import timedelta

from app.db.core.availability import DATABASE_ERRORS, log_database_error
from app.db.runs import trace_notes
from app.db.tables.traces import TraceNote
from app.execution.wiring import Service
from app.log import get_logger
from app.observability.langsmith_api import LangSmithApi, LangSmithError
from app.services.traces import notes
from app.worker.dispatcher import Dispatcher
from app.worker.lost_traces import end_lost

log = get_logger(__name__)

# An attempt is a few calls, each with a limit of ten seconds for each of its parts.
LEASE = timedelta(seconds=300)
AT_ONCE, SHARE = 8, 2


class TraceDispatcher(Dispatcher):
    """The notes that this process sends; the owners are tenants.

    Without LangSmith there is no place for feedback, so its notes are settled unsent.
    """

    def __init__(self, service: Service, langsmith: LangSmithApi | None) -> None:
        super().__init__(
            "trace_notes",
            "trace_note_failed",
            limit=AT_ONCE,
            share=SHARE,
            drain_seconds=service.settings.drain_seconds,
            wake=asyncio.Event(),
        )
        self._service = service
        self._langsmith = langsmith
        self._project_id: str | None = None

    async def take(self, room: int, busy: list[str]) -> bool:
        """See Dispatcher."""
        async with self._service.sessions.begin() as session:
            claimed = await trace_notes.claim(session, LEASE, room, busy)
        for note in claimed:
            self.begin(self.send(note), note.tenant_id)
        return bool(claimed)

    async def send(self, note: TraceNote) -> None:
        """Make one claimed attempt; no database connection is held while LangSmith is called."""
        try:
            error = await self._attempt(note)
            async with self._service.sessions.begin() as session:
                status = await notes.conclude(session, note, error)
        except DATABASE_ERRORS as failure:
            log_database_error(failure, "trace_notes")
            return
        if status == "dead":
            log.warning("trace_note_given_up", run_id=str(note.run_id), key=note.key, error=error)

    async def _attempt(self, note: TraceNote) -> str | None:
        """Send it; what went wrong, if something did."""
        try:
            if note.key == "lost":
                await end_lost(self._service, self._langsmith, note)
                return None
            if self._langsmith is None:
                return None
            async with self._service.sessions() as session:
                content = await notes.content_of(session, note)
            if content is not None:
                project = await self._project(self._langsmith)
                await self._langsmith.write_feedback({**content, "session_id": project})
        except LangSmithError as error:
            return str(error)
        return None

    async def _project(self, langsmith: LangSmithApi) -> str:
        """The project's id, looked up once. Raises LangSmithError while there is none."""
        if self._project_id is None:
            found = await langsmith.project(self._service.settings.langsmith_project)
            if found is None:
                raise LangSmithError("has no such project yet")
            self._project_id = found.id
        return self._project_id


async def send_trace_notes(service: Service, stop: asyncio.Event) -> None:
    """Send notes until `stop` is set; where nothing is traced there are none."""
    if not service.tracing.is_on:
        return
    if service.settings.langsmith_api_key is None:
        await TraceDispatcher(service, None).work(stop)
        return
    async with LangSmithApi(service.settings) as langsmith:
        await TraceDispatcher(service, langsmith).work(stop)
