"""Quotes and forwarded mails: lines with ">", who wrote when, separators and header blocks."""

import re
from collections.abc import Sequence

from graphs.state import ApartKind
from graphs.text.new_text.wordings import begins, count, exactly, wordings, words_of

Marks = list[ApartKind | None]
QUOTED = re.compile(r"\s{0,3}[>＞]")
ADDRESS = re.compile(r"[^\s<>@]@[^\s<>@]")
TIME = re.compile(r"\d[:.hH]\s?\d\d")
DATE = re.compile(r"\d\d\d\d|\d[./-]\d{1,2}[./-]|\d年")
SEPARATOR = re.compile(r"\s{0,9}[-_=*#~]{2,}")
RULE = re.compile(r"[-_=*]{3,}")
HEADER = re.compile(r"\s{0,3}[*_]{0,2}([^\W\d_][^:：\n]{0,24}?)[*_]{0,2}\s{0,2}[:：]")
FORWARDED = re.compile(
    rf"(?:{'|'.join(one.strip() for one in wordings()['forward_prefixes'])})\s?[:：]",
    re.IGNORECASE,
)
# A mail program breaks who wrote when into so many lines at most; a header block has so many.
WROTE_LINES, WROTE_CHARS, BLOCK_LINES = 3, 400, 14
MARK_CHARS = 120


def mark_quotes(lines: Sequence[str]) -> Marks:
    """What of the lines is quoted or forwarded.

    Lines with ">" stand for themselves, so that answers between them stay. Behind a header
    without such lines all is quoted, down to the end.
    """
    marks: Marks = [None] * len(lines)
    at = 0
    while at < len(lines):
        if QUOTED.match(lines[at]):
            marks[at] = "quote"
            at += 1
            continue
        kind, length, certain = _opens_quote(lines, at)
        if kind and (_is_quoted_after(lines, at + length) or certain):
            if not _is_quoted_after(lines, at + length):
                length = len(lines) - at
            marks[at : at + length] = [kind] * length
            _mark_rule_above(lines, marks, at)
            at += length
            continue
        at += 1
    return marks


def header_key(line: str) -> str | None:
    """What the line of a header block says: "from", "date", "to", "subject", "other" or None."""
    found = HEADER.match(line)
    if found is None:
        return None
    words = words_of(found[1])
    uses = ("from", "date", "to", "subject", "other")
    return next((use for use in uses if words in exactly(use)), None)


def _opens_quote(lines: Sequence[str], at: int) -> tuple[ApartKind | None, int, bool]:
    """The kind of what begins at the line, the length of its header, and whether it is certain."""
    line = lines[at]
    if not line.strip():
        return None, 0, False
    if kind := _separator(line):
        return kind, 1, True
    if length := _header_block(lines, at):
        above = any(one.strip() and not RULE.fullmatch(one.strip()) for one in lines[:at][-50:])
        subjects = [one for one in lines[at : at + length] if header_key(one) == "subject"]
        said = [re.split("[:：]", one, maxsplit=1)[1].lstrip() for one in subjects]
        passed_on = any(map(FORWARDED.match, said))
        return ("quote" if above and not passed_on else "forward"), length, True
    length, certain = _who_wrote(lines, at)
    return ("quote" if length else None), length, certain


def _separator(line: str) -> ApartKind | None:
    """The kind of a line such as "-----Original Message-----"."""
    if len(line) > MARK_CHARS:
        return None
    words = words_of(line)
    ruled = SEPARATOR.match(line) is not None
    if count(words, "reply_above") and (ruled or begins(words, "reply_above")):
        return "quote"
    if not (ruled or line.rstrip(" *").endswith((":", "："))):
        return None
    for use, kind in (("quote_marks", "quote"), ("forward_marks", "forward")):
        if words in exactly(use) or (ruled and begins(words, use)):
            return "quote" if kind == "quote" else "forward"
    return None


def _header_block(lines: Sequence[str], at: int) -> int:
    """The number of lines of a block that names a sender and two more; 0 where there is none."""
    if header_key(lines[at]) is None:
        return 0
    keys, length = set(), 0
    for line in lines[at : at + BLOCK_LINES]:
        key = header_key(line)
        # A long list of recipients goes on in the next line.
        if key is None and (length == 0 or not line.startswith((" ", "\t")) or not line.strip()):
            break
        keys.add(key)
        length += 1
    return length if "from" in keys and len(keys & {"date", "to", "subject"}) >= 2 else 0


def _who_wrote(lines: Sequence[str], at: int) -> tuple[int, bool]:
    """The lines of "On 23 November 2026 at 16:02 Ann wrote:", and whether it can be nothing else.

    "On Monday you wrote:" is one only where a quoted line follows.
    """
    opens = begins(words_of(lines[at][:50]), "wrote_openers") or lines[at].lstrip()[:1].isdigit()
    joined = ""
    for length in range(1, WROTE_LINES + 1):
        if at + length > len(lines) or (length > 1 and not opens):
            break
        joined = f"{joined} {lines[at + length - 1].strip()}"
        if len(joined) > WROTE_CHARS:
            break
        if joined.rstrip(" *_").endswith((":", "：")):
            certain = _is_certain(joined, opens)
            return (0, False) if certain is None else (length, certain)
    return 0, False


def _is_certain(said: str, opens: bool) -> bool | None:
    """Whether the line can only head a quote; None if it heads none."""
    wrote = count(words_of(said), "wrote") > 0
    address, time = ADDRESS.search(said) is not None, TIME.search(said) is not None
    if address and (wrote or (time and "<" in said)):
        return True
    dated = time or DATE.search(said) is not None
    return (opens and dated) if wrote else None


def _is_quoted_after(lines: Sequence[str], at: int) -> bool:
    following = next((line for line in lines[at : at + 4] if line.strip()), "")
    return QUOTED.match(following) is not None


def _mark_rule_above(lines: Sequence[str], marks: Marks, at: int) -> None:
    """A line of dashes right above belongs to the quote."""
    if at and marks[at - 1] is None and RULE.fullmatch(lines[at - 1].strip()):
        marks[at - 1] = marks[at]
