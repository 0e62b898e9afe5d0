"""What the offline rules do with messages that others wrote: whom they route, alarm or answer.

`SHARED_DATA=... BENCH_JSON=out.jsonl python -m tests.bench.intents` prints one table; each row goes
to the file that BENCH_JSON names as well. None of these messages asks about the demo's product, so
an exact match with one of its articles is a question that any company is asked, or it is wrong: the
matches are printed below the table.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.commands.articles import read_source
from app.models.offline.exact import exact_passage
from app.models.offline.triage import questions
from graphs.alarm import alarm
from tests.bench.intent_data import SETS, Labelled, as_ticket, labelled
from tests.bench.options import command_line
from tests.unit.desk import ARTICLES, article
from tools.models import Passage

HEADINGS = ("set", "messages", "alarms", "of 1,000", "billing", "rightly", "exact")


def measure(rows: list[Labelled], articles: list[Passage]) -> dict[str, Any]:
    """Counts over one set, and what was answered exactly."""
    alarms = [row for row in rows if alarm(row.text)]
    money = [row for row in rows if questions(as_ticket(row.text))[0].intent == "billing"]
    found = [(row.text, exact_passage(as_ticket(row.text), articles)) for row in rows]
    exact = {text: passage["article_id"] for text, passage in found if passage}
    return {
        "messages": len(rows),
        "alarms": len(alarms),
        "of 1,000": round(1000 * len(alarms) / len(rows), 2),
        "billing": len(money),
        "rightly": sum(row.label == "billing" for row in money),
        "exact": len(exact),
        "matches": exact,
    }


def tables() -> Iterable[tuple[str, list[Labelled]]]:
    """Every set whole."""
    for name in SETS:
        rows = [row for part in ("tune", "held_out") for row in labelled(name, part)]
        yield name, list(dict.fromkeys(rows))


def main() -> None:
    """Print the table and the exact matches; write JSON lines when asked to."""
    command_line("tests.bench.intents", __doc__).parse_args()
    articles = [article(source.id) for source in read_source(ARTICLES)]
    out = os.environ.get("BENCH_JSON")
    print("| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|", sep="\n")  # noqa: T201
    matches: dict[str, str] = {}
    for name, rows in tables():
        result = {"set": name, **measure(rows, articles)}
        matches |= result["matches"]
        print("| " + " | ".join(str(result[key]) for key in HEADINGS) + " |")  # noqa: T201
        if out:
            with Path(out).open("a") as file:
                file.write(json.dumps({"bench": "intents", **result}) + "\n")
    for text, article_id in matches.items():
        print(f"{article_id}: {text}")  # noqa: T201


if __name__ == "__main__":
    main()
