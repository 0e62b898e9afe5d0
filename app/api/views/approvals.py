"""Approvals in the API's shape, each with the schema of the decision that it takes."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from app.api import schemas
from app.db.core.compiled import Executor
from app.db.effects.approvals import decisions_on
from app.db.runs.merging import newer_messages
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.runs import Message
from app.services.approvals.deciders import decider
from app.services.approvals.edit import editable_of, may_drop
from tools.catalog import EFFECTS

# What `escalate` does with a run whose approval expired, by what was asked.
ON_EXPIRY = {
    "plan": "Nothing is done; the ticket is handed to a person.",
    "reply": "The draft is not sent; the ticket is handed to a person.",
}


EVERYTHING = frozenset(get_args(schemas.ExpandApproval))


async def show_approvals(
    executor: Executor, approvals: list[Approval]
) -> list[schemas.ApprovalOut]:
    """Approvals with their decisions, and what the customer wrote since."""
    shown = await _show(executor, approvals, EVERYTHING)
    return [schemas.ApprovalOut(**fields) for fields in shown]


async def list_approvals(
    executor: Executor, approvals: list[Approval], expand: Iterable[str]
) -> list[schemas.ListedApproval]:
    """Approvals for a list: of what may be long, only what `expand` names."""
    shown = await _show(executor, approvals, frozenset(expand))
    return [schemas.ListedApproval(**fields) for fields in shown]


async def _show(
    executor: Executor, approvals: list[Approval], expand: AbstractSet[str]
) -> list[dict[str, Any]]:
    decisions = await decisions_on(executor, [a.id for a in approvals if a.answers])
    pending = [approval for approval in approvals if expand and approval.status == "pending"]
    newer = await newer_messages(executor, pending) if pending else {}
    return [
        _summary(approval, decisions.get(approval.id, []))
        | _parts(approval, newer.get(approval.id, []), expand)
        for approval in approvals
    ]


def _summary(approval: Approval, decisions: list[Decision]) -> dict[str, Any]:
    derived = {"reasons", "decisions", "on_expiry"}
    fields = {
        name: getattr(approval, name)
        for name in schemas.ApprovalSummary.model_fields
        if name not in derived
    }
    return fields | {
        "reasons": approval.gate,
        "decisions": [show_decision(decision) for decision in decisions],
        "on_expiry": ON_EXPIRY[approval.kind],
    }


def _parts(approval: Approval, newer: list[Message], expand: AbstractSet[str]) -> dict[str, Any]:
    """What may be long, by the names of `expand`; a schema that is not shown is not made."""
    parts: dict[str, Any] = {}
    if "answer_schema" in expand:
        needed = not newer or approval.kind == "reply"
        parts["answer_schema"] = answer_schema(approval, comment_needed=needed)
    if "newer_messages" in expand:
        parts["newer_messages"] = [show_message(message) for message in newer]
    return parts


def show_decision(decision: Decision) -> schemas.DecisionOut:
    """One person's answer."""
    return schemas.DecisionOut(
        decided_by=schemas.DeciderOut.model_validate(decider(decision)),
        verdict=decision.verdict,
        comment=decision.comment,
        digest=decision.digest,
        created_at=decision.created_at,
    )


def answer_schema(approval: Approval, *, comment_needed: bool) -> dict[str, Any]:
    """The schema of `resume`, narrowed to this approval: its id, digest, verdicts and steps."""
    schema = {**_schema_of(schemas.ResumeRun)}
    schema["properties"] = properties = {**schema["properties"]}
    properties["approval_id"] = {"const": str(approval.id)}
    properties["digest"] = {"const": approval.digest}
    properties["verdict"] = {"enum": approval.verdicts}
    droppable = len(approval.steps) > 1
    edits = [_edit_schema(s, droppable=droppable and may_drop(s)) for s in approval.steps]
    properties["steps"] = {"type": "array", "maxItems": len(edits), "items": {"oneOf": edits}}
    if approval.kind != "reply":
        properties["release"] = {"const": False}
    if "edit" not in approval.verdicts:
        properties["steps"] = {"type": "array", "maxItems": 0}
    if "respond" in approval.verdicts and comment_needed:
        schema["if"] = {"properties": {"verdict": {"const": "respond"}}}
        said = {"type": "string", "pattern": r"\S"}
        schema["then"] = {"required": ["comment"], "properties": {"comment": said}}
    for unused in ("examples", "$defs"):
        schema.pop(unused, None)
    return schema


@cache
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Made once: it took 3 ms an approval, nine tenths of what a page of them cost."""
    return model.model_json_schema()


def _edit_schema(step: dict[str, Any], *, droppable: bool) -> dict[str, Any]:
    """What may be sent for one step, by its tool's own schema; an amount at most what is shown."""
    arguments: dict[str, Any] = {}
    if editable := editable_of(step):
        args: type[BaseModel] = EFFECTS[step["tool"]].args
        declared = _schema_of(args)["properties"]
        arguments = {name: dict(declared[name]) for name in editable}
        for name, way in editable.items():
            if way == "down":
                arguments[name]["maximum"] = step["args"][name]
    return {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"const": step["id"]},
            "args": {"type": "object", "properties": arguments, "additionalProperties": False},
            "drop": {"type": "boolean"} if droppable else {"const": False},
        },
        "additionalProperties": False,
    }


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
