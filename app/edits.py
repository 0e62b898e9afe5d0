"""What a reviewer may change on a plan, and how much their key may approve. Pure functions."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.db.tables import ApiKey
from app.errors import EditNotAllowedError, OverLimitError
from tools.billing import RefundArgs
from tools.money import format_money


@dataclass(frozen=True, slots=True)
class StepEdit:
    """What a reviewer changes on one step: some arguments, or its place in the plan."""

    id: str
    args: dict[str, Any]
    drop: bool


def apply_edits(steps: list[dict[str, Any]], edits: tuple[StepEdit, ...]) -> list[dict[str, Any]]:
    """Lower amounts and drop steps; anything else is refused with a pointer to it."""
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
        if not edit.drop:
            left.append({**step, "args": edited_args(step, edit, at)})
    if not left:
        raise EditNotAllowedError("Every step is dropped; answer `reject` instead.")
    return left


def edited_args(step: dict[str, Any], edit: StepEdit, at: int) -> dict[str, Any]:
    """The step's arguments after an edit: only editable ones, amounts only downwards."""
    for name in edit.args:
        if name not in step["editable"]:
            escaped = name.replace("~", "~0").replace("/", "~1")
            raise _refuse(at, f"args/{escaped}", f"may not be changed; {step['editable']} may")
    args = {**step["args"], **edit.args}
    try:
        RefundArgs.model_validate(args)
    except ValidationError as error:
        raise _refuse(at, "args", error.errors()[0]["msg"]) from error
    if args["amount_minor"] > step["args"]["amount_minor"]:
        raise _refuse(at, "args/amount_minor", "may only be lowered")
    return args


def _refuse(at: int, where: str, why: str) -> EditNotAllowedError:
    pointer = f"/steps/{at}/{where}"[:300]
    return EditNotAllowedError(f"{pointer} {why}.", errors=[{"pointer": pointer, "detail": why}])


def refuse_over_limit(approver: ApiKey, steps: list[dict[str, Any]]) -> None:
    """Hold the plan's sum against the limits of the approver's key, currency by currency."""
    if approver.approve_limits is None:
        return
    sums: dict[str, int] = {}
    for step in steps:
        if (currency := step["args"].get("currency")) is not None:
            sums[currency] = sums.get(currency, 0) + step["args"]["amount_minor"]
    for currency, total in sums.items():
        limit = approver.approve_limits.get(currency, 0)
        if total > limit:
            raise OverLimitError(
                f"The plan moves {format_money(total, currency)}; this key may approve "
                f"{format_money(limit, currency)}."
            )
