"""Use case: find out step by step whether everything that is traced arrives in LangSmith."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

from app.observability.langsmith_api import LangSmithApi, LangSmithError, Project
from app.observability.prices import Prices
from app.observability.trace_links import TraceLinks
from app.observability.tracing import Traced, Tracing
from app.settings import Settings

# An address of the domain that is reserved for examples, as a customer's would stand in a ticket.
MARKER = "trace.check@example.com"
ARRIVAL_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.5
REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at, and what was found in a sentence."""

    name: str
    ok: bool
    says: str


@dataclass(frozen=True, slots=True)
class Look:
    """What the steps work with."""

    settings: Settings
    langsmith: LangSmithApi
    arrival_seconds: float


async def check(
    settings: Settings, arrival_seconds: float = ARRIVAL_SECONDS
) -> AsyncIterator[Step]:
    """The steps as they are made; the first that fails is the last, since the others need it."""
    if settings.langsmith_api_key is None:
        says = "Set DESKGRAPH_LANGSMITH_API_KEY to a key of LangSmith's; nothing is traced."
        yield Step("key", ok=False, says=says)
        return
    yield Step("key", ok=True, says="DESKGRAPH_LANGSMITH_API_KEY is set, so runs are traced.")
    async with LangSmithApi(settings) as langsmith:
        look = Look(settings, langsmith, arrival_seconds)
        async for step in _steps(look):
            yield step
            if not step.ok:
                return


async def _steps(look: Look) -> AsyncIterator[Step]:
    yield await _endpoint(look)
    project, step = await _project(look)
    yield step
    trace_id = uuid7()
    yield await _send(look, trace_id)
    run, step = await _arrived(look, trace_id)
    yield step
    yield _redacted(run)
    project, step = await _feedback(look, trace_id, project)
    yield step
    link = TraceLinks(look.settings, project).of_run(_Sent(trace_id))
    yield Step("link", ok=link is not None, says=f"Look at the test trace: {link}")


@dataclass(frozen=True, slots=True)
class _Sent:
    trace_id: UUID
    traced: bool = True


async def _endpoint(look: Look) -> Step:
    endpoint = look.settings.langsmith_endpoint
    try:
        await look.langsmith.info()
    except LangSmithError as error:
        says = f"{endpoint} {error}: check DESKGRAPH_LANGSMITH_ENDPOINT and the way there."
        return Step("endpoint", ok=False, says=says)
    return Step("endpoint", ok=True, says=f"{endpoint} answers.")


async def _project(look: Look) -> tuple[Project | None, Step]:
    name = look.settings.langsmith_project
    try:
        found = await look.langsmith.project(name)
    except LangSmithError as error:
        return None, Step("access", ok=False, says=_refusal(error))
    is_there = "is there" if found else "is not there yet; the first trace makes it"
    says = f"The key is accepted, and the project {name} {is_there}."
    return found, Step("access", ok=True, says=says)


def _refusal(error: LangSmithError) -> str:
    if error.status in REFUSED:
        return (
            f"LangSmith {error}: the key is wrong, was revoked or is of another workspace or "
            "region. Make one in LangSmith under Settings, API Keys."
        )
    return f"LangSmith {error} when it was asked for the project."


async def _send(look: Look, trace_id: UUID) -> Step:
    """Send a trace as a run does: by the same client, through the same redaction."""
    tracing = Tracing(look.settings)
    traced = Traced("redacted", (), {"trigger": "check", "thread_id": str(trace_id)})
    [tracer] = tracing.callbacks(traced, Prices())
    text = {"text": f"A test of deskgraph for {MARKER}."}
    tracer.on_chain_start({}, text, run_id=trace_id, name="deskgraph.check")
    tracer.on_chain_end(text, run_id=trace_id)
    await tracing.close()
    if tracing.lost:
        says = f"LangSmith did not take the test trace: {tracing.lost}."
        return Step("sent", ok=False, says=says)
    return Step("sent", ok=True, says="A test trace was sent.")


async def _arrived(look: Look, trace_id: UUID) -> tuple[Any, Step]:
    began = time.monotonic()
    while (waited := time.monotonic() - began) < look.arrival_seconds:
        try:
            run = await look.langsmith.run(trace_id)
        except LangSmithError as error:
            return None, Step("arrived", ok=False, says=f"LangSmith {error} when it was read back.")
        if isinstance(run, dict) and run.get("end_time"):
            return run, Step("arrived", ok=True, says=f"It could be read after {waited:.0f} s.")
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    says = (
        f"The test trace was taken, but is not there after {look.arrival_seconds:.0f} s: LangSmith "
        "is late, or it went to another workspace."
    )
    return None, Step("arrived", ok=False, says=says)


def _redacted(run: Any) -> Step:
    """What a customer would have written is masked in what arrived."""
    if MARKER in str(run):
        says = "An e-mail address arrived unmasked: turn tracing off, and report this."
        return Step("redaction", ok=False, says=says)
    says = "The e-mail address in the test trace arrived masked."
    return Step("redaction", ok=True, says=says)


async def _feedback(
    look: Look, trace_id: UUID, project: Project | None
) -> tuple[Project | None, Step]:
    try:
        project = project or await look.langsmith.project(look.settings.langsmith_project)
        await look.langsmith.write_feedback(
            {
                "id": str(uuid5(trace_id, "check")),
                "run_id": str(trace_id),
                "session_id": project and project.id,
                "key": "check",
                "score": 1.0,
            }
        )
    except LangSmithError as error:
        says = f"LangSmith {error} when feedback was written: may the key write feedback?"
        return project, Step("feedback", ok=False, says=says)
    return project, Step("feedback", ok=True, says="Feedback on the test trace was written.")
