"""Labelled tickets of a foreign source, split by hash so that every run sees the same halves."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from graphs.state import Ticket

FOLDER = Path(__file__).parents[3] / "shared" / "data"
DATA = Path(os.environ.get("SHARED_DATA", FOLDER)) / "intents"
Half = Literal["tune", "held_out"]
SETS = ("banking77_train", "clinc_train", "bitext_train", "bitext_dev", "clinc_oos_val")
# Small files that were only ever measured.
WHOLE = ("bitext_dev", "clinc_oos_val")


class Labelled(NamedTuple):
    """A customer's message and the intent that others gave it."""

    text: str
    label: str
    source: str


def half(text: str) -> Half:
    """Patterns were chosen by looking at one half; the other says how good they are."""
    return "tune" if hashlib.sha256(text.encode()).digest()[0] % 2 == 0 else "held_out"


def labelled(name: str, part: Half) -> Iterator[Labelled]:
    """The rows of one file that belong to that half; what is out of scope is a person's."""
    for line in (DATA / f"{name}.jsonl").read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        if name in WHOLE or half(row["text"]) == part:
            label = "escalate" if row["label"] == "oos" else row["label"]
            yield Labelled(row["text"], label, name)


def as_ticket(text: str) -> Ticket:
    """The message as a ticket without a subject."""
    return {"subject": "", "body": text, "language": None, "customer_name": None}
