"""Reads a message once: what the customer wrote now, and what is set apart from it."""

import re
from collections.abc import Callable, Sequence

from graphs.state import Apart, ApartKind
from graphs.text.new_text import NewText
from graphs.text.new_text.characters import tag_text, without_hidden
from graphs.text.new_text.headers import mark_headers, split_form
from graphs.text.new_text.markup import is_html, read_html
from graphs.text.new_text.quotes import Marks, mark_quotes
from graphs.text.new_text.signatures import mark_disclaimers, mark_signature

BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
# What is left of a mail when something was set apart can end in a signature of its own.
PASSES = 6


def set_apart(body: str, html: bool | None = None) -> NewText:
    """The new text of a message, and its other parts in their order.

    `html`: whether it is HTML; None looks at it. Every character is in one of the two but for
    blanks, markup, and characters that nobody sees.
    """
    hidden: list[Apart] = []
    if tags := tag_text(body):
        hidden.append({"kind": "hidden_characters", "text": tags})
    text = without_hidden(body)
    if html is False or (html is None and not is_html(text)):
        new, parts = _read_lines(text)
        return NewText(new, [*parts, *hidden])
    read = read_html(text)
    new, parts = _read_lines(read.text)
    for part in parts:
        part["text"] = read.with_quotes(part["text"])
    return NewText(read.with_quotes(new), [*parts, *read.parts, *hidden])


def new_text(body: str) -> str:
    """Only what the customer wrote now."""
    return set_apart(body).text


def _read_lines(text: str) -> tuple[str, list[Apart]]:
    lines = split_form(text.split("\n"))
    marks: Marks = [None] * len(lines)
    for _ in range(PASSES):
        own = [at for at, mark in enumerate(marks) if mark is None]
        found = _mark([lines[at] for at in own])
        if not any(found):
            break
        for at, mark in zip(own, found, strict=True):
            marks[at] = mark
    kept = "\n".join(line for line, mark in zip(lines, marks, strict=True) if mark is None)
    return BLANK_LINES.sub("\n\n", kept).strip(), _parts(lines, marks)


def _mark(lines: Sequence[str]) -> Marks:
    """What is set apart of the lines: headers, then quotes, then the ends of what is between."""
    marks = mark_headers(lines)
    for find in (mark_quotes, mark_disclaimers):
        _mark_stretches(lines, marks, find)
    _mark_stretches(lines, marks, mark_signature)
    return marks


def _mark_stretches(
    lines: Sequence[str], marks: Marks, find: Callable[[Sequence[str]], Marks]
) -> None:
    """Let each stretch of lines that have no mark be marked by itself."""
    start = 0
    for end in range(len(lines) + 1):
        if end == len(lines) or marks[end] is not None:
            if start < end:
                marks[start:end] = find(lines[start:end])
            start = end + 1


def _parts(lines: Sequence[str], marks: Marks) -> list[Apart]:
    """The lines that have a mark, those of one kind in a row together."""
    parts: list[Apart] = []
    last: ApartKind | None = None
    for line, mark in zip(lines, marks, strict=True):
        if not line.strip():
            continue
        if mark is not None:
            if mark == last:
                parts[-1]["text"] += f"\n{line}"
            else:
                parts.append({"kind": mark, "text": line})
        last = mark
    return parts
