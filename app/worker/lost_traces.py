"""Ends the trace of a worker that died: its root, and the nodes that it was at."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.runs.steps import STOPPED, steps_of_run
from app.db.tables.runs import Run, Step
from app.db.tables.traces import TraceNote
from app.db.tenants.queries import policy_at
from app.execution.trace import NAME, about, traced_run
from app.execution.wiring import Service
from app.observability.langsmith_api import LangSmithApi, LangSmithError
from app.observability.trace_parent import read_parent
from app.observability.trace_run import Execution, TracedRun, node_run_id
from graphs.policy import Policy

WORKER_LOST = "WorkerLost: the worker ended before this did; the run went on elsewhere."
# LangSmith takes a trace before it can show it: so often one that it does not know is asked for.
LOOKS = 3


async def end_lost(service: Service, langsmith: LangSmithApi | None, note: TraceNote) -> None:
    """End what the worker's execution left open, wherever traces go. Raises LangSmithError.

    A node below which a call was open is ended; the call itself was never sent.
    """
    async with service.sessions() as session:
        nodes = await left_open(session, note)
    if langsmith is not None:
        ids = [node.trace_run_id for node in nodes if node.trace_run_id]
        await _end_in_langsmith(langsmith, note, ids)
    if service.tracing.has_spans:
        async with service.sessions() as session:
            root = await _root_of(session, note, nodes)
        service.tracing.send_spans([*(_node_of(node, root) for node in nodes), root])


async def left_open(session: AsyncSession, note: TraceNote) -> list[Step]:
    """The steps of that execution which it began and did not end."""
    steps = await steps_of_run(session, note.tenant_id, note.run_id)
    return [
        step
        for step in steps
        if (step.status == "running" or step.error == STOPPED)
        and step.trace_run_id == node_run_id(note.trace_id, step.task_id, step.tries)
    ]


async def _end_in_langsmith(langsmith: LangSmithApi, note: TraceNote, nodes: list[UUID]) -> None:
    """What was too short to be sent as begun is not there, and nothing makes it."""
    if await langsmith.run(note.trace_id) is None and note.tries < LOOKS:
        raise LangSmithError("does not show the trace yet")
    for run_id in (*nodes, note.trace_id):
        run = await langsmith.run(run_id)
        if isinstance(run, dict) and not run.get("end_time"):
            await langsmith.end_run(run_id, WORKER_LOST)


async def _root_of(session: AsyncSession, note: TraceNote, nodes: list[Step]) -> TracedRun:
    run = await session.get_one(Run, note.run_id)
    policy = Policy.model_validate(await policy_at(session, run.tenant_id, run.policy_version))
    is_first = bool(nodes) and nodes[0].attempt == 1
    said = about(run, policy, "message" if is_first else "recovery")
    thread = {"thread_id": str(run.thread_id), "root_run_id": str(note.trace_id)}
    traced = traced_run(run, policy, {**said, **thread, "run_outcome": "lost"})
    parent = read_parent(run.trace_parent) if is_first else None
    execution = Execution(
        traced.content, traced.names, "", traced.metadata, traced.tags, parent
    )  # fmt: skip
    root = TracedRun(note.trace_id, execution, None, NAME, "chain", None, {}, [])
    root.start = min([note.created_at, *(node.started_at for node in nodes)])
    return _ended(root)


def _node_of(step: Step, root: TracedRun) -> TracedRun:
    assert step.trace_run_id is not None, "only those of the trace are left open"
    said = {"langgraph_node": step.node, "try": step.tries}
    node = TracedRun(
        step.trace_run_id, root.execution, root, step.node, "chain", step.input, said, []
    )
    node.start = step.started_at
    return _ended(node)


def _ended(run: TracedRun) -> TracedRun:
    run.error, run.end = WORKER_LOST, datetime.now(UTC)
    return run
