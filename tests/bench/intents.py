"""How often the offline triage is right, and whether it knows: accuracy against confidence.

`SHARED_DATA=... BENCH_JSON=out.jsonl python -m tests.bench.intents` prints one table; each row goes
to the file that BENCH_JSON names as well. "Handled" are the tickets that reach a specialist under
the default policy; all others reach a person.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from app.models.offline.triage import triage
from graphs.nodes.classify import judged
from graphs.policy import Policy, must_escalate
from tests.bench.intent_data import SETS, WHOLE, Half, Labelled, as_ticket, labelled
from tests.bench.options import command_line

THRESHOLDS = (0.5, 0.7, 0.9)
HEADINGS = ("set", "half", "tickets", "accuracy", "several", "handled",
            *(f"{what} at {at}" for at in THRESHOLDS for what in ("share", "right")))  # fmt: skip


class Opinion(NamedTuple):
    """One ticket judged; `right` when exactly the label was named."""

    label: str
    right: bool
    several: bool
    confidence: float
    person: bool


def opinion(row: Labelled) -> Opinion:
    """Triage one ticket as the workflow does; whoever reaches a person counts as `escalate`."""
    ticket = as_ticket(row.text)
    made = judged(triage(ticket, {}), ticket)
    escalation = must_escalate(made, Policy())
    named = ["escalate"] if made["wants_human"] else made["intents"]
    return Opinion(
        row.label, named == [row.label], len(named) > 1, made["confidence"], escalation is not None
    )


def measure(rows: Iterable[Labelled]) -> dict[str, Any]:
    """Accuracy over all tickets; share and accuracy of those that a specialist gets."""
    opinions = [opinion(row) for row in rows]
    total = len(opinions)
    result: dict[str, Any] = {
        "tickets": total,
        "accuracy": sum(o.right for o in opinions) / total,
        "several": sum(o.several for o in opinions) / total,
        "handled": sum(not o.person for o in opinions) / total,
    }
    for at in THRESHOLDS:
        sure = [o for o in opinions if not o.person and o.confidence >= at]
        result[f"share at {at}"] = len(sure) / total
        result[f"right at {at}"] = sum(o.right for o in sure) / len(sure) if sure else None
    result["bins"] = bins(opinions)
    return result


def bins(opinions: list[Opinion]) -> dict[str, dict[str, float]]:
    """Share of the tickets and accuracy by tenths of confidence, whoever got the ticket."""
    tenth = [min(int(o.confidence * 10), 9) for o in opinions]
    counted = Counter(tenth)
    right = Counter(at for at, o in zip(tenth, opinions, strict=True) if o.right)
    return {
        f"{at / 10:.1f}": {"share": count / len(opinions), "accuracy": right[at] / count}
        for at, count in sorted(counted.items())
    }


def tables() -> Iterable[tuple[str, Half, list[Labelled]]]:
    """Every set by halves, and all held-out tickets together."""
    held_out: list[Labelled] = []
    for name in SETS:
        parts: tuple[Half, ...] = ("held_out",) if name in WHOLE else ("tune", "held_out")
        for part in parts:
            rows = list(labelled(name, part))
            held_out += rows if part == "held_out" else []
            yield name, part, rows
    yield "all", "held_out", held_out


def shown(value: Any) -> str:
    """A share with three digits, a count as it is."""
    return f"{value:.3f}" if isinstance(value, float) else "-" if value is None else str(value)


def main() -> None:
    """Print the table and the bins of all held-out tickets; write JSON lines when asked to."""
    command_line("tests.bench.intents", __doc__).parse_args()
    out = os.environ.get("BENCH_JSON")
    print("| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|", sep="\n")  # noqa: T201
    for name, part, rows in tables():
        result = {"set": name, "half": part, **measure(rows)}
        print("| " + " | ".join(shown(result[key]) for key in HEADINGS) + " |")  # noqa: T201
        if out:
            with Path(out).open("a") as file:
                file.write(json.dumps({"bench": "intents", **result}) + "\n")
    print("\n| confidence from | share | accuracy |\n|---|---|---|")  # noqa: T201
    for start, found in result["bins"].items():
        print(f"| {start} | {found['share']:.3f} | {found['accuracy']:.3f} |")  # noqa: T201


if __name__ == "__main__":
    main()
