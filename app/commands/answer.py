"""A reviewer's answer to an approval, from options or by questions; the API checks all of it.

What may be changed, and how far, is read from the `answer_schema` of the approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import typer
from rich.console import Console
from rich.prompt import Confirm, Prompt

from app.commands.terminal import inert

Approval = Mapping[str, Any]
Schemas = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent besides the digest; `steps` holds the changes by step id."""

    verdict: str
    comment: str = ""
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)


def answer_from_options(
    approval: Approval, verdict: str, comment: str, changes: list[str], drops: list[str]
) -> Answer:
    """The answer of `--verdict`, `--comment`, `--set` and `--drop`. Raises BadParameter."""
    if bool(changes or drops) != (verdict == "edit"):
        raise typer.BadParameter("--set and --drop change steps, so they go with --verdict edit")
    steps: dict[str, dict[str, Any]] = {}
    for change in changes:
        step, name, value = _change(approval, change)
        steps.setdefault(step, {"args": {}})["args"][name] = value
    for step in drops:
        if step not in step_schemas(approval):
            raise typer.BadParameter(f"--drop {step}: {_steps_there(approval)}")
        steps.setdefault(step, {})["drop"] = True
    return Answer(verdict, comment, steps)


def _change(approval: Approval, change: str) -> tuple[str, str, Any]:
    """`STEP.FIELD=VALUE` in its parts; the id of a step may hold dots and equals signs itself."""
    there = step_schemas(approval)
    fitting = [step for step in there if change.startswith(f"{step}.")]
    if not fitting:
        raise typer.BadParameter(
            f"--set {change}: write STEP.FIELD=VALUE; {_steps_there(approval)}"
        )
    step = max(fitting, key=len)
    name, equals, value = change.removeprefix(f"{step}.").partition("=")
    if not equals:
        raise typer.BadParameter(f"--set {change}: write STEP.FIELD=VALUE")
    fields = editable_fields(approval, step)
    if name not in fields:
        may = ", ".join(fields) or "nothing"
        raise typer.BadParameter(f"--set {change}: {name} may not be changed; {may} may")
    try:
        return step, name, read_value(value, fields[name])
    except ValueError as error:
        raise typer.BadParameter(f"--set {change}: {error}") from None


def _steps_there(approval: Approval) -> str:
    return f"the steps are {', '.join(step_schemas(approval)) or 'none that may be changed'}"


def step_schemas(approval: Approval) -> Schemas:
    """What may be answered about each step, by its id; empty if nothing may be edited."""
    edits = approval["answer_schema"]["properties"]["steps"].get("items", {}).get("oneOf", [])
    return {edit["properties"]["id"]["const"]: edit["properties"] for edit in edits}


def editable_fields(approval: Approval, step: str) -> Schemas:
    """The schema of each argument of the step that may be changed."""
    fields: Schemas = step_schemas(approval)[step]["args"]["properties"]
    return fields


def may_drop(approval: Approval, step: str) -> bool:
    """Whether the plan may do without the step."""
    return bool(step_schemas(approval)[step]["drop"].get("type") == "boolean")


def read_value(text: str, schema: Mapping[str, Any]) -> Any:
    """The value of an argument as it is typed. Raises ValueError with what would fit."""
    if schema.get("type") != "integer":
        return text
    if not (text.isascii() and text.isdigit()):
        raise ValueError("give a whole number of minor units, such as 4900 for 49.00")
    if (most := schema.get("maximum")) is not None and int(text) > most:
        raise ValueError(f"give at most {most}")
    return int(text)


def answer_by_hand(approval: Approval, out: Console) -> Answer:
    """Ask for verdict, changes and comment until they make an answer."""
    while True:
        verdict = Prompt.ask(inert("Verdict"), choices=list(approval["verdicts"]), console=out)
        steps = _edits_by_hand(approval, out) if verdict == "edit" else {}
        if verdict != "edit" or steps:
            return Answer(verdict, _comment(approval, verdict, out), steps)
        out.print(inert("Nothing is changed; `approve` agrees to the plan as it is.", "yellow"))


def _edits_by_hand(approval: Approval, out: Console) -> dict[str, dict[str, Any]]:
    steps: dict[str, dict[str, Any]] = {}
    for step in approval["steps"]:
        name = step["id"]
        if may_drop(approval, name) and not Confirm.ask(
            inert(f"Keep {name} ({step['risk']})?"), default=True, console=out
        ):
            steps[name] = {"drop": True}
            continue
        for argument, schema in editable_fields(approval, name).items():
            before = step["args"][argument]
            if (value := _value_by_hand(f"{name}.{argument}", before, schema, out)) != before:
                steps.setdefault(name, {"args": {}})["args"][argument] = value
    return steps


def _value_by_hand(name: str, before: Any, schema: Mapping[str, Any], out: Console) -> Any:
    """One argument; Enter alone leaves it as it is, also a text of several lines."""
    most = f", at most {schema['maximum']}" if "maximum" in schema else ""
    while True:
        typed = Prompt.ask(
            inert(f"{name}{most} (Enter leaves it)"), default="", show_default=False, console=out
        )
        if not typed:
            return before
        try:
            return read_value(typed, schema)
        except ValueError as error:
            out.print(inert(error, "red"))


def _comment(approval: Approval, verdict: str, out: Console) -> str:
    """A comment, which `respond` needs unless a newer message says what to do."""
    needed = verdict == "respond" and "if" in approval["answer_schema"]
    asked = inert("What should be done instead" if needed else "Comment (may be empty)")
    while True:
        said = Prompt.ask(asked, default="", show_default=False, console=out).strip()
        if said or not needed:
            return said
