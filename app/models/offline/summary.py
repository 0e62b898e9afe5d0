"""Offline summaries: the first sentence of each of the customer's messages, newest kept."""

from typing import Any

from graphs.conversation_summary import Summary
from graphs.run.memory import SUMMARY_CHARS, cut
from graphs.state import Ticket

SENTENCE_CHARS = 160
ENDS = (". ", "! ", "? ", "。", "！", "？")
GAP = " | … | "
JOINT = " | "


def extract(_ticket: Ticket, facts: dict[str, Any]) -> Summary:
    """The summary so far and what the customer said since; when full, its middle is left out."""
    said = [
        cut(first_sentence(message["text"]), SENTENCE_CHARS)
        for message in facts["messages"]
        if message["author"] == "customer"
    ]
    parts = [*filter(None, facts["summary"].split(JOINT)), *dict.fromkeys(said)]
    return Summary(text=fit([part for part in parts if part != "…"]) or "Nothing was said.")


def first_sentence(text: str) -> str:
    """Up to the first end of a sentence; a text without one is its own first sentence."""
    line = " ".join(text.split())
    ends = [line.index(end) + 1 for end in ENDS if end in line]
    return line[: min(ends)] if ends else line


def fit(parts: list[str]) -> str:
    """The first part, what the ticket began with, and as many of the newest as there is room."""
    whole = JOINT.join(parts)
    if len(whole) <= SUMMARY_CHARS:
        return whole
    # A model's summary is one long part: half of it leaves room for what was said since.
    opening, *others = cut(parts[0], SUMMARY_CHARS // 2), *parts[1:]
    left = SUMMARY_CHARS - len(opening) - len(GAP)
    newest: list[str] = []
    for part in reversed(others):
        left -= len(part) + len(JOINT)
        if left < 0:
            break
        newest.append(part)
    return opening + GAP + JOINT.join(newest[::-1])
