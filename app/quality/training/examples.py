"""Labelled tickets: from a file, each once, and split by a hash of what the model reads."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.formats.jsonl import read_rows
from graphs.state import Intent
from graphs.trained.features import canonical

Part = Literal["train", "calibrate", "held_out"]
# Of ten parts by hash: seven train, one calibrates, two are held out.
CALIBRATE, HELD_OUT = 7, 8
OUT_OF_SCOPE: Intent = "escalate"


class Example(NamedTuple):
    """A ticket's text and its intent; None for one of several intents, which no model may answer.

    Such a ticket trains nothing, and counts as wrong wherever the model is measured.
    """

    text: str
    intent: Intent | None


class Row(BaseModel):
    """One line of the file: a ticket, and its intent or intents, or that it is out of scope."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[str, Field(max_length=500)] = ""
    body: Annotated[str, Field(max_length=50_000)] = ""
    intent: Intent | None = None
    intents: Annotated[list[Intent], Field(max_length=4)] = []
    out_of_scope: bool = False

    @model_validator(mode="after")
    def _has_text_and_label(self) -> "Row":
        if not (text_of(self.subject, self.body) and self.labels):
            raise ValueError("needs subject or body, and intent, intents or out_of_scope")
        return self

    @property
    def labels(self) -> set[Intent]:
        """Every intent that the line names."""
        if self.out_of_scope:
            return {OUT_OF_SCOPE}
        return {*self.intents, *([self.intent] if self.intent else [])}

    def example(self) -> Example:
        """The ticket as one text."""
        wanted = self.labels
        return Example(text_of(self.subject, self.body), wanted.pop() if len(wanted) == 1 else None)


def text_of(subject: str, body: str) -> str:
    """What a trained model reads of a ticket."""
    return f"{subject}\n{body}".strip()


def read_file(path: Path) -> list[Example]:
    """Every line of a JSONL file. Raises RowError, OSError, UnicodeDecodeError."""
    return [row.example() for row in read_rows(path, Row)]


def each_once(examples: Iterable[Example]) -> list[Example]:
    """Texts that read alike count once; those whose labels contradict each other are left out."""
    found: dict[str, Example] = {}
    contradicted: set[str] = set()
    for example in examples:
        key = canonical(example.text)
        if found.setdefault(key, example).intent != example.intent:
            contradicted.add(key)
    return [example for key, example in found.items() if key and key not in contradicted]


def part_of(text: str) -> Part:
    """Always the same for texts that read alike: what one model held out, no later one trains on.

    Numbers do not count, so that a template filled twice stands on one side.
    """
    tenth = int.from_bytes(blake2b(canonical(text).encode(), digest_size=4).digest()) % 10
    return "held_out" if tenth >= HELD_OUT else "calibrate" if tenth == CALIBRATE else "train"


def split(examples: Sequence[Example]) -> dict[Part, list[Example]]:
    """The examples by their part."""
    parts: dict[Part, list[Example]] = {"train": [], "calibrate": [], "held_out": []}
    for example in examples:
        parts[part_of(example.text)].append(example)
    return parts
