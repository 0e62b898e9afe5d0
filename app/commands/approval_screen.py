"""An approval as the API shows it to a reviewer, on a screen: nothing is cut, all text is inert."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from app.commands.answer import Answer
from app.commands.reviewer_api import who_decided
from app.commands.terminal import age, facts, inert, moment
from tools.money import format_money

AGREEING = ("approve", "edit")


def asks(approval: Mapping[str, Any]) -> str:
    """What the approval asks for, in one line."""
    return "; ".join(step["risk"] for step in approval["steps"])


def agreed(approval: Mapping[str, Any]) -> list[str]:
    """Who agreed to exactly what is asked now, oldest first; an edit ends what was before it."""
    newest_first = takewhile(
        lambda decision: (
            decision["digest"] == approval["digest"] and decision["verdict"] in AGREEING
        ),
        reversed(approval["decisions"]),
    )
    return [who_decided(decision) for decision in newest_first][::-1]


def money(steps: list[dict[str, Any]]) -> str:
    """The sum of what the steps move, by currency; empty if they move nothing."""
    sums: Counter[str] = Counter()
    for step in steps:
        args = step["args"]
        if isinstance(args.get("currency"), str) and isinstance(args.get("amount_minor"), int):
            sums[args["currency"]] += args["amount_minor"]
    return ", ".join(format_money(total, currency) for currency, total in sorted(sums.items()))


def summary(approval: Mapping[str, Any], answer: Answer) -> str:
    """What is about to be sent, in words: the verdict, and what the steps come to by it."""
    if answer.verdict not in AGREEING:
        left_out = {"plan": "nothing of this plan is done", "reply": "this draft is not sent"}
        lines = [f"You {answer.verdict}: {left_out[approval['kind']]}."]
    else:
        left = [
            step for step in approval["steps"] if not answer.steps.get(step["id"], {}).get("drop")
        ]
        steps = [{**step, "args": {**step["args"], **_changed(answer, step)}} for step in left]
        total = money(steps)
        lines = [f"You {answer.verdict} {len(steps)} of {len(approval['steps'])} steps"
                 f"{f', {total} in all' if total else ''}."]  # fmt: skip
        for step in steps:
            lines += [
                f"  {step['id']}.{name}: {_argument(step['args'], name)}"
                for name in _changed(answer, step)
            ]
    return "\n".join([*lines, *([f"Comment: {answer.comment}"] if answer.comment else [])])


def _changed(answer: Answer, step: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = answer.steps.get(step["id"], {}).get("args", {})
    return changes


def screen(
    approval: Mapping[str, Any], run: Mapping[str, Any] | None, wrote: list[str] | None
) -> Iterator[RenderableType]:
    """The parts of the screen; `run` and `wrote`, the customer's texts, if the key may read them.

    What the decision is about stands at the end, right above the question.
    """
    yield Text.assemble(
        ("approval ", "dim"), (approval["id"], "bold"), f"  {approval['kind']}  ",
        (approval["status"], "yellow"),
    )  # fmt: skip
    yield Padding(facts(_head(approval, run)), (0, 0, 1, 2))
    if wrote:
        yield from _section("the customer wrote", Group(*(inert(text) for text in wrote)))
    if newer := approval["newer_messages"]:
        note = "`respond` takes them into another plan; other answers leave them for a later run."
        texts = [inert(message["text"]) for message in newer]
        yield from _section("newer messages", Group(*texts, Text(note, "dim")))
    if approval["changed"]:
        yield from _section("changed since an earlier plan", _lines(approval["changed"]))
    yield from _section("why a person must agree", _lines(approval["reasons"]))
    steps = [_step(number, step) for number, step in enumerate(approval["steps"], 1)]
    yield from _section("what is asked", Group(*steps, *_sum(approval["steps"])))


def _section(name: str, body: RenderableType) -> Iterator[RenderableType]:
    yield Rule(Text(name, "bold"), align="left", style="dim")
    yield Padding(body, (0, 0, 1, 2))


def _head(approval: Mapping[str, Any], run: Mapping[str, Any] | None) -> dict[str, object]:
    expires = datetime.fromisoformat(approval["expires_at"])
    due = age(expires, datetime.now(UTC))
    names = ", ".join(agreed(approval))
    said = [
        f'{who_decided(decision)}: {decision["verdict"]}, "{decision["comment"]}"'
        for decision in approval["decisions"]
        if decision["comment"]
    ]
    return {
        "ticket": approval["ticket_id"] + (f" of customer {run['customer_id']}" if run else ""),
        "run": approval["run_id"],
        "approvers": f"{approval['required_approvers']} needed, agreed: {names or 'none yet'}",
        "said": "\n".join(said),
        "round": approval["round"] or None,
        "expires": f"in {due}, at {moment(expires)} UTC. "
        f"Without a decision by then: {approval['on_expiry']}",
        "digest": approval["digest"],
    }


def _lines(texts: list[str]) -> RenderableType:
    return Group(*(inert(text) for text in texts))


def _step(number: int, step: Mapping[str, Any]) -> RenderableType:
    # The reason of a refund is an argument as well; it is shown once.
    shown = {
        name: _argument(step["args"], name)
        for name, value in step["args"].items()
        if (name, value) != ("reason", step["reason"])
    }
    for name in step["editable"]:
        shown[name] = f"{shown.get(name, '')}  (may be changed)"
    evidence = [f"{one['kind']} {one['id']}: {one['summary']}" for one in step["evidence"]]
    body = facts({"why": step["reason"], **shown, "evidence": "\n".join(evidence)})
    title = Text.assemble((f"{number}. ", "dim"), inert(step["risk"], "bold"), "  ")
    return Group(title.append(inert(step["id"], "dim")), Padding(body, (0, 0, 0, 3)))


def _argument(args: Mapping[str, Any], name: str) -> str:
    value = args[name]
    if name == "amount_minor" and isinstance(args.get("currency"), str) and isinstance(value, int):
        return f"{value} = {format_money(value, args['currency'])}"
    return str(value)


def _sum(steps: list[dict[str, Any]]) -> Iterator[RenderableType]:
    if len(steps) > 1 and (total := money(steps)):
        yield Text.assemble(("\nin all ", "dim"), (total, "bold"))
