"""A run's report as a screen for people: one section a subject, empty ones named at the end."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from app.api.schemas import ApprovalOut
from app.commands.run_report import LedgerOut, RunReport
from app.commands.terminal import (
    add_row,
    clock,
    duration,
    facts,
    inert,
    moment,
    one_line,
    plain_table,
    typed,
    usd,
)
from app.services.approvals.deciders import spoken
from tools.money import format_money

BODY_CHARACTERS = 600
DATA_CHARACTERS = 90
COLOURS = {
    "success": "green", "interrupted": "yellow", "error": "red", "timeout": "red",
    "running": "cyan", "cancelled": "dim",
}  # fmt: skip


def screen(report: RunReport) -> Iterator[RenderableType]:
    """The parts of the screen, top to bottom."""
    yield from _head(report)
    sections: list[tuple[str, RenderableType | None]] = [
        ("ticket", _ticket(report)),
        ("triage", _triage(report)),
        ("plan", _plan(report)),
        ("steps", _steps(report)),
        ("approvals", _approvals(report.run.approvals)),
        ("ledger", _ledger(report.ledger)),
        ("reply", _reply(report)),
        ("events", _events(report)),
        ("callbacks", _callbacks(report)),
        ("last checkpoint", _checkpoint(report)),
    ]
    for name, body in sections:
        if body is not None:
            yield Rule(Text(name, "bold"), align="left", style="dim")
            yield Padding(body, (0, 0, 1, 2))
    if empty := [name for name, body in sections if body is None]:
        yield Text(f"Nothing in: {', '.join(empty)}.", "dim")


def _head(report: RunReport) -> Iterator[RenderableType]:
    run = report.run
    yield Text.assemble(
        ("run ", "dim"), (str(run.id), "bold"), "  ",
        (str(run.status), COLOURS.get(run.status, "")), f"  {run.outcome or ''}",
    )  # fmt: skip
    yield Padding(facts(_head_facts(report)), (0, 0, 1, 2))


def _head_facts(report: RunReport) -> dict[str, object]:
    run = report.run
    took = run.finished_at and run.started_at and run.finished_at - run.started_at
    graph = f", graph {report.graph_version}" if report.graph_version else ""
    return {
        "tenant": f"{report.tenant_id}, policy version {run.policy_version}{graph}",
        "ticket": f"{run.ticket_id} of customer {run.customer_id}",
        "started by": report.started_by,
        "created": moment(run.created_at),
        "begun": moment(run.started_at),
        "finished": moment(run.finished_at),
        "took": took and f"{took.total_seconds():.1f} s, pauses included",
        "attempt": f"{run.attempt}, workers lost: {report.losses}" if run.attempt else "not begun",
        "worker": report.worker_id,
        "waits for": run.queued_reason
        and f"{run.queued_reason}, place {run.queue_position}, not before {moment(run.not_before)}",
        "cancel asked": moment(run.cancel_requested_at),
        "tokens": f"{run.tokens}, {usd(run.cost_usd)}",
        "replay of": run.replay_of and f"{run.replay_of}{', dry run' if run.dry_run else ''}",
        "merged into": run.merged_into,
        "escalated": run.escalation and _pairs(run.escalation),
        "not answered": run.ignored,
        "handed to": run.handoff and _pairs(run.handoff),
        "callbacks to": report.callback_url,
        "trace": run.trace_url or run.trace_id,
        "metadata": run.metadata and _pairs(run.metadata),
        "error": run.error and _pairs(run.error),
    }


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {one_line(value, 300)}" for name, value in values.items() if value)


def _ticket(report: RunReport) -> RenderableType | None:
    subject, body = (str(report.ticket.get(name) or "") for name in ("subject", "body"))
    if not subject and not body:
        return None
    shown = body[:BODY_CHARACTERS]
    left = len(body) - len(shown)
    more = Text(f"\n... {left} more characters", "dim") if left else Text()
    return Group(inert(subject, "bold"), Text.assemble(inert(shown), more))


def _triage(report: RunReport) -> RenderableType | None:
    run = report.run
    if not run.intents:
        return None
    triage = {
        "intents": ", ".join(run.intents), "urgency": run.urgency, "anger": run.anger,
        "language": run.language, "draft by": run.tier,
        "answer": "from the answer cache" if run.cache_hit else None,
        "own model": _own_model(report),
    }  # fmt: skip
    return facts(triage)


def _own_model(report: RunReport) -> str | None:
    """What the tenant's own trained model said, if it was asked and sure enough."""
    if (known := report.trained) is None:
        return None
    did = "chose" if known["routed"] else "would choose"
    return f"version {known['version']} {did} {known['intent']}, right in {known['accuracy']:.3f}"


def _plan(report: RunReport) -> RenderableType | None:
    if not report.run.plan:
        return None
    table = plain_table("step", "risk", "reason")
    for step in report.run.plan:
        add_row(table, step.id, step.risk, step.reason)
    return table


def _steps(report: RunReport) -> RenderableType | None:
    if not report.steps:
        return None
    heads = ("#", "node", "attempt", "status", "started", "took", "models", "")
    table = plain_table(*heads, widths=(1, 8, 7, 11, 12, 6))
    for number, step in enumerate(report.steps, 1):
        again = f"{step.attempt}, try {step.tries}" if step.tries > 1 else step.attempt
        models = ", ".join(str(call.model) for call in step.model_calls)
        models += f", {step.tokens} tokens" if step.tokens else ""
        started = clock(step.started_at, report.run.created_at)
        cells = (number, step.node, again, step.status, started)
        error = step.error and _pairs(step.error)
        spent = (duration(step.duration_ms), models, error)
        add_row(table, *cells, *spent, style="red" if step.status == "error" else "")
    return table


def _approvals(approvals: list[ApprovalOut]) -> RenderableType | None:
    return Group(*(_approval(approval) for approval in approvals)) if approvals else None


def _approval(approval: ApprovalOut) -> RenderableType:
    decided = [
        f"{spoken(decision.decided_by.name, decision.decided_by.on_behalf_of)}: "
        f"{decision.verdict}, {moment(decision.created_at)}"
        + (f', "{decision.comment}"' if decision.comment else "")
        for decision in approval.decisions
    ]
    open_ = approval.status == "pending"
    return Group(
        Text.assemble((str(approval.id), "bold"), f"  {approval.kind}  {approval.status}"),
        Padding(
            facts(
                {
                    "asked": moment(approval.created_at),
                    "because": "\n".join(approval.reasons),
                    "steps": "\n".join(f"{step.id}: {step.risk}" for step in approval.steps),
                    "changed": "\n".join(approval.changed),
                    "approvers": approval.required_approvers,
                    "decided": "\n".join(decided),
                    "expires": moment(approval.expires_at) if open_ else None,
                    "decide with": typed(f"approvals decide {approval.id}") if open_ else None,
                }
            ),
            (0, 0, 0, 2),
        ),
    )


def _ledger(rows: list[LedgerOut]) -> RenderableType | None:
    if not rows:
        return None
    table = plain_table("effect", "status", "amount", "started", "ended", "key", "")
    for row in rows:
        amount = row.currency and format_money(row.amount_minor or 0, row.currency)
        note = row.error or (row.progress and _pairs(row.progress))
        times = (moment(row.started_at), moment(row.finished_at))
        style = {"failed": "red", "started": "yellow"}.get(row.status, "")
        add_row(table, row.tool, row.status, amount, *times, row.key, note, style=style)
    return table


def _reply(report: RunReport) -> RenderableType | None:
    reply = report.run.reply
    if reply is None:
        return None
    notes = {
        "cites": ", ".join(reply.citations),
        "not sent": "simulated" if reply.simulated else None,
        "internal": None if reply.public else "a note that the customer does not see",
    }
    return Group(inert(reply.text), facts(notes))


def _events(report: RunReport) -> RenderableType | None:
    if not report.events:
        return None
    table = plain_table("at", "event", "data")
    for event in report.events:
        data = _pairs({k: v for k, v in event.data.items() if k != "ticket_id"})
        add_row(
            table,
            clock(event.created_at, report.run.created_at),
            event.type,
            one_line(data, DATA_CHARACTERS),
        )
    return table


def _callbacks(report: RunReport) -> RenderableType | None:
    if not report.callbacks:
        return None
    table = plain_table("#", "event", "status", "attempts", "delivered", "next try", "last error")
    for row in report.callbacks:
        times = (moment(row.delivered_at), moment(row.next_at))
        style = "red" if row.status in ("dead", "disabled") else ""
        cells = (row.sequence, row.event, row.status, row.attempts)
        add_row(table, *cells, *times, row.last_error, style=style)
    return table


def _checkpoint(report: RunReport) -> RenderableType | None:
    found = report.checkpoint
    if found is None:
        return None
    following = ", ".join(found.next) or "nothing: the graph has ended"
    return facts({"next": following, "id": found.id, "written": moment(found.created_at)})
