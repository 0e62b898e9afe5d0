"""Signatures, lines of a phone or a mail program, and disclaimers, at the end of what was written.

When in doubt a line stays with the text: a question that is lost is worse than a name too many.
"""

import re
from collections.abc import Sequence

from graphs.text.new_text.quotes import Marks
from graphs.text.new_text.wordings import begins, count, exactly, wordings, words_of

ASKS = re.compile(r"[?？](?![\w=&/%])")
CONTACT = re.compile(
    r"(?<!\w)(?:\+|00|\(0|0\d)[\d\s()/.-]{5,30}\d|\bwww\.|\bhttps?:|[^\s@]@[^\s@]|\s\|\s|^\s?\|"
)
SENTENCE_END = re.compile(r"[.!。！…:]\s*$")
WORD = re.compile(r"[^\W_]+")
NAME = re.compile(r"(?:[^\W\d_]{1,20}\.?[\s-]){0,4}[^\W\d_]{2,30},?")
DASHES = re.compile(r"--|—|–|_{2,}|-{3,}|\*{3,}")
# Words that stand small in a title or a company's name.
SMALL_CHARS = 3
SIGNATURE_LINES, BLOCK_LINES, LINE_CHARS = 25, 8, 160
DEVICE_LINES, DEVICE_WORDS = 3, 14
FULL_LINES, TITLE_WORDS = 2, 6
POSTSCRIPT_CHARS = 8
LONG_SIGN_OFFS = tuple(said for said in wordings()["sign_offs"] if len(said) > 6)


def mark_disclaimers(lines: Sequence[str]) -> Marks:
    """What of the lines is a disclaimer, a notice or a banner of a mail server."""
    marks: Marks = [None] * len(lines)
    opened = False
    for start, end in _paragraphs(lines):
        at = next(
            (at for at in range(start, end) if _opens_disclaimer(lines, at, end, opened)), end
        )
        if at < end and not any(ASKS.search(line) for line in lines[at:end]):
            marks[at:end] = ["disclaimer"] * (end - at)
            opened = at == end - 1 and len(lines[at]) < LINE_CHARS
        else:
            opened = False
    for at, line in enumerate(lines):
        if at and marks[at] is None and count(words_of(line), "notices") and not ASKS.search(line):
            marks[at] = "disclaimer"
    return marks


def mark_signature(lines: Sequence[str]) -> Marks:
    """What of a stretch of own lines is a signature: its end, but for a postscript."""
    marks: Marks = [None] * len(lines)
    written = [at for at, line in enumerate(lines) if line.strip()]
    for at in written[-DEVICE_LINES:]:
        if _is_device(lines[at]):
            marks[at] = "signature"
    written = [at for at in written if marks[at] is None]
    for begin in (_dashes, _sign_off, _block):
        if span := begin(lines, written):
            for at in range(*span):
                marks[at] = "signature"
            return marks
    return marks


Span = tuple[int, int]


def _dashes(lines: Sequence[str], written: list[int]) -> Span | None:
    """From the line of dashes of RFC 3676, 4.3; other dashes only above what looks like one."""
    first = max(0, len(written) - SIGNATURE_LINES)
    for place, at in enumerate(written[first:], first):
        after = written[place + 1 :]
        if not DASHES.fullmatch(lines[at].strip()):
            continue
        if (lines[at] == "-- " and after) or _are_signature([lines[n] for n in after]):
            return at, len(lines)
    return None


def _sign_off(lines: Sequence[str], written: list[int]) -> Span | None:
    """From the first sign-off behind which nothing but a signature and a postscript stands."""
    first = max(0, len(written) - SIGNATURE_LINES)
    for place, at in enumerate(written[first:], first):
        after = written[place + 1 :]
        if not _is_sign_off(lines[at], first=place == 0, last=not after):
            continue
        end = next((n for n in after if _is_postscript(lines[n])), len(lines))
        if _are_signature([lines[n] for n in after if n < end]):
            return at, end
    return None


def _block(lines: Sequence[str], written: list[int]) -> Span | None:
    """The last paragraph, if it is a name above a title, a company, a phone number and the like."""
    if not written:
        return None
    start = written[-1]
    while start - 1 >= 0 and lines[start - 1].strip() and written[-1] - start < BLOCK_LINES:
        start -= 1
    block = [lines[at] for at in written if at >= start]
    if start <= written[0] or not 2 <= len(block) <= BLOCK_LINES:
        return None
    named = NAME.fullmatch(block[0].strip()) and " " in block[0].strip() and _is_title(block[0])
    telling = any(_tells_contact(line) for line in block[1:])
    told = telling or len(block) > 2
    return (start, len(lines)) if named and told and _are_signature(block) else None


def _is_device(line: str) -> bool:
    words = words_of(line)
    short = words.count(" ") - 1 <= DEVICE_WORDS and len(line) <= LINE_CHARS
    return short and begins(words, "devices") and not ASKS.search(line)


def _is_sign_off(line: str, *, first: bool, last: bool) -> bool:
    """Whether the line is a sign-off, with a name or without; thanks need more text and a name."""
    if len(line) > LINE_CHARS or ASKS.search(line):
        return False
    words = words_of(line)
    if words in exactly("sign_offs"):
        return True
    if words in exactly("thanks"):
        return not (first or last)
    head, comma, name = line.partition(",")
    if comma and words_of(head) in exactly("sign_offs") and NAME.fullmatch(name.strip()):
        return True
    if not words.startswith(LONG_SIGN_OFFS):
        return False
    said = next(said for said in LONG_SIGN_OFFS if words.startswith(said))
    rest = WORD.findall(line)[len(said.split()) :]
    return len(rest) <= SMALL_CHARS and all(word[0].isupper() for word in rest)


def _are_signature(lines: Sequence[str]) -> bool:
    """Whether all lines look like a signature's; after two that surely do, slogans as well."""
    sure = 0
    for line in lines:
        if len(line) > 4 * LINE_CHARS or _is_postscript(line):
            return False
        if _tells_contact(line):
            sure += 1
        elif (ASKS.search(line) or not (_is_title(line) or _is_word(line))) and sure < FULL_LINES:
            return False
    return True


def _tells_contact(line: str) -> bool:
    """A phone number, an address, a site, or the words of a company; no question, no sentence."""
    if ASKS.search(line):
        return False
    if CONTACT.search(line):
        return not SENTENCE_END.search(line) or _is_title(line)
    words = words_of(line)
    short = words.count(" ") <= TITLE_WORDS + 1 and not SENTENCE_END.search(line)
    titled = _is_title(line) or (short and line.lstrip()[:1].isupper())
    return titled and count(words, "company") > 0


def _is_title(line: str) -> bool:
    """Whether all but the small words begin with a capital or a digit, as in names and titles."""
    words = WORD.findall(line)
    if not words or len(line) > LINE_CHARS or line.lstrip()[:1] in "*•":
        return False
    capital = sum(not word[0].islower() for word in words)
    small = sum(word[0].islower() and len(word) <= SMALL_CHARS for word in words)
    return capital > 0 and capital + small == len(words) and _is_spaced(words)


def _is_spaced(words: Sequence[str]) -> bool:
    """Not a sentence of a script without capitals, which would pass as a title."""
    return all(
        len(word) <= 10
        or word.isascii()
        or word.islower() != word.isupper()
        or word != word.swapcase()
        for word in words
    )


def _is_word(line: str) -> bool:
    words = WORD.findall(line)
    return len(words) <= 1 and len(line) <= 2 * SIGNATURE_LINES and not SENTENCE_END.search(line)


def _is_postscript(line: str) -> bool:
    head = re.split(r"[:：\s]", line.strip()[:LINE_CHARS], maxsplit=1)[0]
    return len(head) <= POSTSCRIPT_CHARS and words_of(head) in exactly("postscripts")


def _opens_disclaimer(lines: Sequence[str], at: int, end: int, opened: bool) -> bool:
    """Whether a disclaimer begins with the line; the paragraph goes on to `end`."""
    words = words_of(lines[at])
    if opened or count(words, "banners"):
        return True
    if begins(words, "disclaimer_titles"):
        title = re.split("[:：]", lines[at], maxsplit=1)[0]
        return words_of(title) in exactly("disclaimer_titles")
    if not (count(words, "disclaimers") or count(words, "disclaimer_hints")):
        return False
    if at + 1 < end:
        words = words_of(" ".join(line[:LINE_CHARS] for line in lines[at : min(at + 10, end)]))
    sure = count(words, "disclaimers")
    return sure > 0 and sure + count(words, "disclaimer_hints") > 1


def _paragraphs(lines: Sequence[str]) -> list[Span]:
    found: list[Span] = []
    start: int | None = None
    for at, line in enumerate([*lines, ""]):
        if line.strip():
            start = at if start is None else start
        elif start is not None:
            found.append((start, at))
            start = None
    return found
