"""How good a trained triage is on tickets that others wrote and labelled.

`SHARED_DATA=... BENCH_JSON=out.jsonl python -m tests.bench.trained` trains a model on each set, and
one on all of them, and measures it as the service uses it: on the tickets that were held out, on
CLINC150's out-of-scope messages, of which none is trained on, and on the other sets, as if another
company's tickets came. Each row goes to the file that BENCH_JSON names as well.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.models.offline.trained import TrainedModel, before_a_model
from app.quality.training.examples import Example
from app.quality.training.measure import counted, train
from graphs.trained.figures import Counted
from graphs.trained.model import unpack
from tests.bench.intent_data import as_ticket, labelled
from tests.bench.options import command_line

SETS = ("banking77_train", "clinc_train", "bitext_train")
BEYOND = "clinc_oos_val"
BAR = 0.98
HEADINGS = ("set", "trained on", "held out", "right", "no key: routed", "of these right",
            "before a model", "of these right ", "out of scope routed", "out of scope decided",
            "elsewhere decided", "of these right  ")  # fmt: skip


def rows(*names: str) -> list[Example]:
    """The labelled messages of these sets."""
    found = [row for name in names for part in ("tune", "held_out") for row in labelled(name, part)]
    return [Example(row.text, row.label) for row in dict.fromkeys(found)]  # type: ignore[arg-type]


def decided(model: TrainedModel, examples: Iterable[Example]) -> list[bool]:
    """Of the tickets that the model decides before a paid one is asked, whether each is right."""
    found = [(before_a_model(as_ticket(one.text), model, BAR), one.intent) for one in examples]
    return [known[1]["intent"] == intent for known, intent in found if known]


def measure(names: Sequence[str]) -> dict[str, Any]:
    """A model of these sets, on what it has not seen."""
    made = train(rows(*names))
    figures, linear = made.figures, unpack(made.weights)
    routes = figures["from_threshold"]
    model = TrainedModel(1, linear, made.threshold, figures["buckets"], routes["lower"])
    own = decided(model, made.held_out)
    other = decided(model, rows(*(name for name in SETS if name not in names)))
    limit = 2.0 if made.threshold is None else made.threshold
    strange: list[Counted] = counted(linear, rows(BEYOND))
    return {
        "set": " + ".join(names),
        "trained on": figures["rows"]["train"],
        "held out": figures["all"]["tickets"],
        "right": percent(figures["all"]["right"], figures["all"]["tickets"]),
        "no key: routed": percent(routes["tickets"], figures["all"]["tickets"]),
        "of these right": percent(routes["right"], routes["tickets"]),
        "before a model": percent(len(own), figures["all"]["tickets"]),
        "of these right ": percent(sum(own), len(own)),
        "out of scope routed": sum(one.confidence >= limit and not one.right for one in strange),
        "out of scope decided": decided(model, rows(BEYOND)).count(False),
        "elsewhere decided": len(other),
        "of these right  ": percent(sum(other), len(other)),
        "threshold": made.threshold,
        "figures": figures,
    }


def percent(part: int, whole: int) -> str:
    """A share of 100, to one place."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def main() -> None:
    """Print the table; write JSON lines when asked to."""
    command_line("tests.bench.trained", __doc__).parse_args()
    out = os.environ.get("BENCH_JSON")
    print("| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|", sep="\n")  # noqa: T201
    for names in (*((name,) for name in SETS), SETS):
        result = measure(names)
        print("| " + " | ".join(str(result[key]) for key in HEADINGS) + " |", flush=True)  # noqa: T201
        if out:
            with Path(out).open("a") as file:
                file.write(json.dumps({"bench": "trained", **result}) + "\n")


if __name__ == "__main__":
    main()
