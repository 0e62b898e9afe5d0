"""The graph's next input for a run: its start, a person's decision, or a plain resume."""

import asyncio
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointMetadata, CheckpointTuple
from langgraph.types import Command, StateSnapshot

from app.db.effects.approvals import decision_for
from app.db.effects.takeovers import view_thread
from app.db.runs.beginning import Beginning
from app.db.runs.queries import get_run
from app.db.tables.runs import Run
from app.errors import CheckpointGoneError
from app.execution.wiring import Service
from app.log import get_logger
from app.services.conversations.memory import load_memory
from app.services.runs.merge_messages import merged_bodies
from graphs.policy import Policy
from graphs.run.compatibility import incompatible_keys, missing_keys, removed_nodes
from graphs.run.replay import rehearsed_decision, replayed_state
from graphs.state import SPECIALISTS, Ticket, fresh_run
from graphs.support import TRIAGE_NODE
from graphs.text.new_text.ticket import ticket_of
from graphs.text.noise.headers import telling

log = get_logger(__name__)

# Returned by `next_input` when the graph has ended, or waits for an answer that is missing.
NOTHING = object()
# A text so short is read in less time than a thread takes to begin.
SHORT_CHARS = 4_000


async def next_input(
    service: Service, run: Run, policy: Policy, begins: Beginning, config: Any
) -> tuple[Any, StateSnapshot | None]:
    """The graph's next input, and the thread's snapshot; no snapshot for a run that only begins.

    LangGraph silently accepts an answer to an interrupt that no longer exists, so the interrupt is
    read first, and the answer comes from the approval of exactly that interrupt.

    Raises:
        CheckpointGoneError: the checkpoint that a replay begins with was pruned.
    """
    if run.attempt == 1 and run.replay_of is None:
        return await _fresh(service, run, policy, begins), None
    snapshot = await service.graph.aget_state(config)
    changed = False
    if snapshot.values.get("run_id") != str(run.id):
        if run.replay_of is None:
            return await _fresh(service, run, policy, begins), None
        await _fork(service, run, config)
        changed = True
    elif run.graph_version != service.graph_version:
        changed = await _fit(service, run, config)
    if changed:
        snapshot = await service.graph.aget_state(config)
    # Not `snapshot.next`: that is empty as well when a step was kept and its checkpoint was not.
    following: Any = None if snapshot.tasks else NOTHING
    if snapshot.interrupts:
        following = await _answer(service, run, snapshot)
    return following, snapshot


async def _fresh(service: Service, run: Run, policy: Policy, begins: Beginning) -> dict[str, Any]:
    thread = None
    if begins.known_thread:
        async with service.sessions() as session:
            thread = await view_thread(session, run, policy.handoff_hold_hours)
    if len(run.ticket["body"]) > SHORT_CHARS:
        # A long mail takes a second to read: other runs go on meanwhile.
        ticket = await asyncio.to_thread(run_ticket, run)
    else:
        ticket = run_ticket(run)
    if not begins.wrote_before:
        # As of most customers: then no erasure needs to be kept off.
        return fresh_run(str(run.id), ticket, thread=thread)
    async with service.sessions.begin() as session:
        memory = await load_memory(session, run)
    return fresh_run(str(run.id), ticket, memory, thread)


async def _answer(service: Service, run: Run, snapshot: StateSnapshot) -> Any:
    [gate] = snapshot.interrupts
    if run.dry_run:
        # No effect will happen, so no person is asked.
        return Command(resume={gate.id: rehearsed_decision(gate.value)})
    async with service.sessions.raw_connection() as connection:
        decision = await decision_for(connection, run.tenant_id, run.id, gate.id)
    return Command(resume={gate.id: decision}) if decision else NOTHING


async def _fork(service: Service, run: Run, config: Any) -> None:
    """Copy a checkpoint of the replayed run to this run's thread; its nodes run again.

    The pending writes of that step stay behind: they are the answers of the first time.
    """
    assert run.replay_of is not None, "only a replay begins with a copy"
    begin = run.replay_from or {}
    async with service.sessions() as session:
        first = await get_run(session, run.tenant_id, run.replay_of)
    source = first and await _stored(service, first.thread_id, begin["checkpoint_id"])
    if not source:
        raise CheckpointGoneError("The checkpoint was pruned before the replay began.")
    values = source.checkpoint["channel_values"]
    state = replayed_state(values, str(run.id), begin["state"])
    await _store(service, config, source, state)
    following = (await service.graph.aget_state(config)).next
    if "triage" in begin["state"] and set(following) <= {*SPECIALISTS, "escalate"}:
        # Right after classify another triage chooses the way again.
        await service.graph.aupdate_state(
            config, {"triage": state["triage"], "escalation": None}, as_node=TRIAGE_NODE
        )


async def _fit(service: Service, run: Run, config: Any) -> bool:
    """Bring a checkpoint of another graph into this one's shape; True when it was changed.

    One that cannot go on here goes to a person instead, since it never will.
    """
    source = await _stored(service, run.thread_id)
    assert source is not None, "a run that began has a checkpoint"
    stored = source.checkpoint["channel_values"]
    if lost := removed_nodes(stored, service.graph.nodes):
        return await _give_up(service, run, config, f"its next step was {', '.join(lost)}")
    try:
        missing = missing_keys(stored)
    except KeyError as key:
        return await _give_up(service, run, config, f"its state has no {key}")
    if wrong := incompatible_keys({**stored, **missing}):
        return await _give_up(service, run, config, f"its state is {'; '.join(wrong.values())}")
    if missing:
        await _store(service, config, source, {**stored, **missing})
    return bool(missing)


async def _give_up(service: Service, run: Run, config: Any, why: str) -> bool:
    log.warning("run_outlived_its_graph", run_id=str(run.id), version=run.graph_version, why=why)
    detail = f"The workflow was changed while this run waited, and {why}."
    fresh = fresh_run(str(run.id), run_ticket(run))
    stored = (await service.graph.aget_state(config)).values
    # Values that no node here can read would fail the hand-off, too.
    unread = incompatible_keys(stored)
    readable = {key: value for key, value in stored.items() if key not in unread}
    state = {**fresh, **readable, "escalation": {"reason": "graph_changed", "detail": detail}}
    await service.graph.aupdate_state(config, state, as_node=TRIAGE_NODE)
    return True


async def _stored(
    service: Service, thread_id: Any, id_: str | None = None
) -> CheckpointTuple | None:
    """A checkpoint as it was written, also by another graph; the newest without an id."""
    where = {"thread_id": str(thread_id), "checkpoint_ns": ""}
    if id_:
        where["checkpoint_id"] = id_
    return await service.saver.aget_tuple({"configurable": where})


async def _store(service: Service, config: Any, source: CheckpointTuple, values: Any) -> None:
    """Write a checkpoint under its own id, in place or to another thread, with other values."""
    thread = config["configurable"]["thread_id"]
    parent = source.parent_config if thread == source.config["configurable"]["thread_id"] else None
    where = {**(parent or {"configurable": {"checkpoint_ns": ""}})["configurable"]}
    checkpoint = source.checkpoint
    versions = dict(checkpoint["channel_versions"])
    newest = max(versions.values(), default=None)
    versions |= {name: newest for name in values if name not in versions}
    # Run and thread are named by `config`: retention looks for a run's own checkpoints.
    ours = {**config["configurable"], **config["metadata"]}
    metadata = {key: value for key, value in source.metadata.items() if key not in ours}
    await service.saver.aput(
        cast("RunnableConfig", {**config, "configurable": {**where, "thread_id": thread}}),
        {**checkpoint, "channel_values": values, "channel_versions": versions},
        cast("CheckpointMetadata", metadata),
        versions,
    )


def run_ticket(run: Run) -> Ticket:
    """The ticket as the graph reads it: its new text, and beside it what was set apart."""
    ticket = ticket_of(
        run.ticket["subject"],
        merged_bodies(run.ticket),
        run.ticket.get("language"),
        run.ticket["customer"].get("name"),
    )
    if headers := telling(run.ticket.get("headers") or {}):
        ticket["headers"] = headers
    return ticket
