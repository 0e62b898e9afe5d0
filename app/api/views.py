"""Rows to the API's shapes, a whole page with a fixed number of queries."""

from typing import Any
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession

from app.api import schemas
from app.db.approvals import approvals_of_runs, decisions_on
from app.db.ledger import effects_of_runs
from app.db.places import Place, places
from app.db.steps import newer_messages
from app.db.tables import Approval, Decision, LedgerEntry, Message, Run, Step
from app.settings import Settings


async def show_runs(
    session: AsyncSession, runs: list[Run], settings: Settings
) -> list[schemas.RunOut]:
    """Runs with their approvals, effects and places in the queue."""
    ids = [run.id for run in runs]
    approvals = await show_approvals(session, await approvals_of_runs(session, ids))
    effects = await effects_of_runs(session, ids)
    queue = await places(session, runs, settings.customer_concurrency)
    return [
        _run(
            run,
            [approval for approval in approvals if approval.run_id == run.id],
            [entry for entry in effects if entry.run_id == run.id],
            queue.get(run.id),
            settings.trace_url,
        )
        for run in runs
    ]


def _run(
    run: Run,
    approvals: list[schemas.ApprovalOut],
    effects: list[LedgerEntry],
    place: Place | None,
    trace_url: str | None,
) -> schemas.RunOut:
    triage: dict[str, Any] = run.summary.get("triage") or {}
    plan = run.summary.get("plan") or {"steps": []}
    here, thread = f"/v1/runs/{run.id}", f"/v1/threads/{quote(run.ticket_id, safe='')}"
    fields = {
        name: getattr(run, name)
        for name in schemas.RunOut.model_fields
        if name not in ("cost_usd", "metadata") and hasattr(run, name)
    }
    return schemas.RunOut(
        **fields,
        intents=triage.get("intents", []),
        urgency=triage.get("urgency"),
        anger=triage.get("anger"),
        language=triage.get("language"),
        plan=plan["steps"],
        approvals=approvals,
        reply=run.summary.get("reply"),
        effects=[_effect(entry) for entry in effects],
        escalation=run.summary.get("escalation"),
        handoff=run.summary.get("handoff"),
        metadata=run.caller_metadata,
        cost_usd=None if run.cost_usd is None else float(run.cost_usd),
        trace_url=trace_url.format(trace_id=run.trace_id) if trace_url and run.trace_id else None,
        queued_reason=place.reason if place else None,
        queue_position=place.position if place else None,
        links={
            "self": here,
            "steps": f"{here}/steps",
            "thread": thread,
            **({"merged_into": f"/v1/runs/{run.merged_into}"} if run.merged_into else {}),
        },
    )


def _effect(entry: LedgerEntry) -> schemas.EffectOut:
    assert entry.result is not None, "effects are the entries that are done"
    return schemas.EffectOut(
        tool=entry.tool,
        args=entry.args,
        result=entry.result,
        step_id=entry.step_id,
        key=entry.key,
        at=entry.finished_at or entry.started_at,
    )


async def show_approvals(
    session: AsyncSession, approvals: list[Approval]
) -> list[schemas.ApprovalOut]:
    """Approvals with their decisions, and what the customer wrote since."""
    decisions = await decisions_on(session, [approval.id for approval in approvals])
    newer = await newer_messages(session, [a.id for a in approvals if a.status == "pending"])
    return [
        _approval(approval, decisions.get(approval.id, []), newer.get(approval.id, []))
        for approval in approvals
    ]


def _approval(
    approval: Approval, decisions: list[Decision], newer: list[Message]
) -> schemas.ApprovalOut:
    return schemas.ApprovalOut(
        id=approval.id,
        run_id=approval.run_id,
        ticket_id=approval.ticket_id,
        kind=approval.kind,
        status=approval.status,
        steps=approval.steps,
        reasons=approval.gate,
        digest=approval.digest,
        verdicts=approval.verdicts,
        answer_schema=answer_schema(approval),
        required_approvers=approval.required_approvers,
        decisions=[
            schemas.DecisionOut(
                decided_by=d.decided_by,
                verdict=d.verdict,
                comment=d.comment,
                created_at=d.created_at,
            )
            for d in decisions
        ],
        newer_messages=[show_message(message) for message in newer],
        created_at=approval.created_at,
        expires_at=approval.expires_at,
    )


def answer_schema(approval: Approval) -> dict[str, Any]:
    """The schema of `resume`, narrowed to this approval: its id, digest, verdicts and steps."""
    schema = schemas.ResumeRun.model_json_schema()
    properties = schema["properties"]
    properties["approval_id"] = {"const": str(approval.id)}
    properties["digest"] = {"const": approval.digest}
    properties["verdict"] = {"enum": approval.verdicts}
    edit = schema["$defs"]["StepEditIn"]["properties"]
    edit["id"] = {"enum": [step["id"] for step in approval.steps]}
    editable = sorted({name for step in approval.steps for name in step["editable"]})
    edit["args"] = {
        "type": "object",
        "properties": {name: {"type": "integer", "minimum": 1} for name in editable},
        "additionalProperties": False,
    }
    schema.pop("examples", None)
    return schema


def show_message(message: Message) -> schemas.MessageOut:
    """A message of a ticket."""
    return schemas.MessageOut(
        id=f"msg_{message.id}",
        author=message.author,
        text=message.text,
        citations=message.citations,
        public=message.public,
        run_id=message.run_id,
        created_at=message.created_at,
    )


def show_step(step: Step) -> schemas.RunStepOut:
    """A node execution."""
    fields = {name: getattr(step, name) for name in schemas.RunStepOut.model_fields}
    fields["cost_usd"] = None if step.cost_usd is None else float(step.cost_usd)
    return schemas.RunStepOut(**fields)
