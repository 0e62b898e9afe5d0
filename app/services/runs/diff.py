"""How two runs differ: pure functions over their rows."""

import difflib
from dataclasses import dataclass
from typing import Any

from app.db.tables.runs import Run, Step

# difflib takes time quadratic in the lines; no reply that can be sent has so many.
MAX_LINES = 1000
# It takes time cubic in a sequence that repeats itself, as the steps of a long plan do.
MAX_NODES = 200
COMPARED = ("status", "outcome", "nodes", "intents", "plan", "draft")


@dataclass(frozen=True, slots=True)
class Side:
    """The part of a run that is compared."""

    run: Run
    nodes: list[str]

    @property
    def compared(self) -> dict[str, Any]:
        """As the API shows it."""
        summary = self.run.result
        draft = summary.get("draft") or summary.get("reply") or {}
        return {
            "id": self.run.id,
            "status": self.run.status,
            "outcome": self.run.outcome,
            "nodes": self.nodes,
            "intents": (summary.get("triage") or {}).get("intents", []),
            "plan": (summary.get("plan") or {}).get("steps", []),
            "draft": draft.get("text"),
            "tokens": self.run.tokens,
            "cost_usd": None if self.run.cost_usd is None else float(self.run.cost_usd),
        }


def way(steps: list[Step]) -> list[Step]:
    """The executions that count: of a node that paused only the one after the pause."""
    last = {step.task_id: step for step in steps}
    return [step for step in steps if last[step.task_id] is step]


def sides(base: Run, base_steps: list[Step], run: Run, steps: list[Step]) -> tuple[Side, Side]:
    """Both runs' nodes; a replay of `base` went through those before its checkpoint as well."""
    before = [step.node for step in way(base_steps)]
    after = [step.node for step in way(steps)]
    if run.replay_of == base.id and run.replay_from:
        begin = run.replay_from["checkpoint_id"]
        at = [step.checkpoint_id for step in way(base_steps)]
        after = before[: at.index(begin)] + after if begin in at else after
    return Side(base, before), Side(run, after)


def diff(base: Side, run: Side) -> dict[str, Any]:
    """What changed from `base` to `run`, in the API's shape."""
    old, new = base.compared, run.compared
    changed = [name for name in COMPARED if old[name] != new[name]]
    costs = (old["cost_usd"], new["cost_usd"])
    return {
        "base": old,
        "run": new,
        "same": not changed,
        "changed": changed,
        "nodes": node_changes(base.nodes, run.nodes),
        "draft": text_diff(old["draft"] or "", new["draft"] or ""),
        "tokens": new["tokens"] - old["tokens"],
        "cost_usd": None if None in costs else round(costs[1] - costs[0], 9),
    }


def node_changes(old: list[str], new: list[str]) -> list[dict[str, Any]]:
    """The shortest way from one sequence of nodes to the other.

    Behind their common beginning, sequences of more than MAX_NODES are compared as wholes.
    """
    if max(len(old), len(new)) > MAX_NODES:
        return long_changes(old, new)
    found: list[dict[str, Any]] = []
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            found.append({"change": "same", "nodes": old[i:j]})
            continue
        found += [{"change": "removed", "nodes": old[i:j]}] if j > i else []
        found += [{"change": "added", "nodes": new[k:m]}] if m > k else []
    return found


def long_changes(old: list[str], new: list[str]) -> list[dict[str, Any]]:
    """What both begin with, and what follows in each."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    same = min(len(old), len(new)) if same is None else same
    parts = {"same": old[:same], "removed": old[same:], "added": new[same:]}
    return [{"change": change, "nodes": nodes} for change, nodes in parts.items() if nodes]


def text_diff(old: str, new: str) -> list[str]:
    """Lines that begin with `-`, `+` or a space; none when the texts are equal.

    Texts of more than MAX_LINES are compared as wholes.
    """
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > MAX_LINES:
        whole = [f"-{line}" for line in before] + [f"+{line}" for line in after]
        return whole if old != new else []
    return list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
