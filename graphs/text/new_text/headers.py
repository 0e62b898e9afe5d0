"""Headers that programs write above a message: those of the mail itself, and a form's fields."""

import re
from collections.abc import Sequence

from graphs.text.new_text.quotes import HEADER, Marks, header_key
from graphs.text.new_text.wordings import exactly, words_of

MIME = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,40}):(?:\s|$)")
# Names that no person writes; two of them show that the block is the mail's own.
TECHNICAL = frozenset(
    "message-id mime-version received content-type return-path dkim-signature in-reply-to "
    "content-transfer-encoding references delivered-to thread-index authentication-results".split()
)
# Lines of headers that are looked through at the top of a mail, and fields of a form.
MIME_LINES, FORM_LINES = 200, 20


def split_form(lines: Sequence[str]) -> list[str]:
    """The lines; where a form's field of the message begins, its name on a line of its own."""
    end = _form_end(lines)
    if not end:
        return list(lines)
    name, mark, text = re.split("([:：])", lines[end - 1], maxsplit=1)
    return [*lines[: end - 1], f"{name}{mark}", *([text] if text.strip() else []), *lines[end:]]


def mark_headers(lines: Sequence[str]) -> Marks:
    """What of the lines is a header of this message; the message itself is not marked."""
    length = _mime_end(lines) or _form_end(lines)
    marks: Marks = [None] * len(lines)
    marks[:length] = ["headers"] * length
    return marks


def _mime_end(lines: Sequence[str]) -> int:
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    names: set[str] = set()
    for at, line in enumerate(lines[start : start + MIME_LINES], start):
        if not line.strip():
            return at if len(names & TECHNICAL) >= 2 else 0
        if found := MIME.match(line):
            names.add(found[1].lower())
        elif not (names and line[:1].isspace()):
            return 0
    return 0


def _form_end(lines: Sequence[str]) -> int:
    """The number of lines up to the name of the message's field, after other fields; else 0."""
    fields = 0
    for at, line in enumerate(lines[:FORM_LINES]):
        if not line.strip():
            continue
        found = HEADER.match(line)
        words = words_of(found[1]) if found else ""
        if words in exactly("form_message"):
            return at + 1 if fields else 0
        if not (words in exactly("form_fields") or header_key(line)):
            return 0
        fields += 1
    return 0
