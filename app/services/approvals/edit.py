"""What a reviewer may change on a plan, and how much their key may approve. Pure functions."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.db.tables.tenants import ApiKey
from app.errors import EditNotAllowedError, OverLimitError
from tools.catalog import EFFECTS, money_of
from tools.money import format_money
from tools.tool import Editable


@dataclass(frozen=True, slots=True)
class StepEdit:
    """What a reviewer changes on one step: some arguments, or its place in the plan."""

    id: str
    args: dict[str, Any]
    drop: bool


def apply_edits(steps: list[dict[str, Any]], edits: tuple[StepEdit, ...]) -> list[dict[str, Any]]:
    """Lower amounts, rewrite texts, drop steps; anything else is refused with a pointer to it.

    Raises:
        EditNotAllowedError.
    """
    changes = {edit.id: (at, edit) for at, edit in enumerate(edits)}
    known = {step["id"] for step in steps}
    for at, edit in enumerate(edits):
        if edit.id not in known or changes[edit.id][0] != at:
            raise _refuse(at, "id", "is no step of this plan, or stands here twice")
    left = []
    for step in steps:
        at, edit = changes.get(step["id"], (0, StepEdit(step["id"], {}, drop=False)))
        if edit.drop and edit.args:
            raise _refuse(at, "args", "may not be changed on a step that is dropped")
        if edit.drop and not may_drop(step):
            raise _refuse(at, "drop", "may not be: every part of a ticket needs an answer")
        if not edit.drop:
            left.append({**step, "args": edited_args(step, edit, at)})
    if not left:
        raise EditNotAllowedError("Every step is dropped; answer `reject` instead.")
    return left


def edited_args(step: dict[str, Any], edit: StepEdit, at: int) -> dict[str, Any]:
    """The step's arguments after an edit that keeps to what the tool's own model allows."""
    allowed = editable_of(step)
    for name in edit.args:
        if name not in allowed:
            escaped = name.replace("~", "~0").replace("/", "~1")
            raise _refuse(at, f"args/{escaped}", f"may not be changed; {sorted(allowed)} may")
    args = {**step["args"], **edit.args}
    if not edit.args:
        return args
    try:
        EFFECTS[step["tool"]].args.model_validate(args)
    except ValidationError as error:
        [where, *_] = error.errors()[0]["loc"] or ("",)
        raise _refuse(at, f"args/{where}", error.errors()[0]["msg"]) from error
    for name, value in edit.args.items():
        if allowed[name] == "down" and value > step["args"][name]:
            raise _refuse(at, f"args/{name}", "may only be lowered")
        if allowed[name] == "text" and not value.strip():
            raise _refuse(at, f"args/{name}", "may not be blank")
    return args


def may_drop(step: dict[str, Any]) -> bool:
    """Whether a plan may do without the step."""
    effect = EFFECTS.get(step["tool"])
    return effect is None or effect.droppable


def editable_of(step: dict[str, Any]) -> dict[str, Editable]:
    """What may be changed on a step and how: what it names itself, if its effect agrees."""
    effect = EFFECTS.get(step["tool"])
    marked = effect.editable if effect else {}
    return {name: marked[name] for name in step["editable"] if name in marked}


def changes_made(name: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """One line for each change, for the person who must agree to the plan as well."""
    left = {step["id"]: step["args"] for step in after}
    lines = []
    for step in before:
        if step["id"] not in left:
            lines.append(f"{name} dropped {step['id']}")
            continue
        for key, old in step["args"].items():
            if (new := left[step["id"]][key]) != old:
                values = f" from {old} to {new}" if isinstance(new, int) else ""
                lines.append(f"{name} changed {key} of {step['id']}{values}")
    return lines


def _refuse(at: int, where: str, why: str) -> EditNotAllowedError:
    pointer = f"/steps/{at}/{where}"[:300]
    return EditNotAllowedError(f"{pointer} {why}.", errors=[{"pointer": pointer, "detail": why}])


def refuse_over_limit(approver: ApiKey, steps: list[dict[str, Any]]) -> None:
    """Hold the plan's sum against the limits of the approver's key, currency by currency."""
    if approver.approve_limits is None:
        return
    sums: dict[str, int] = {}
    for money in filter(None, map(money_of, steps)):
        sums[money.currency] = sums.get(money.currency, 0) + money.amount_minor
    for currency, total in sums.items():
        limit = approver.approve_limits.get(currency, 0)
        if total > limit:
            raise OverLimitError(
                f"The plan moves {format_money(total, currency)}; this key may approve "
                f"{format_money(limit, currency)}."
            )
