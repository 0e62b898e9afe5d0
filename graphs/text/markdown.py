"""Reads an article's Markdown as words alone, and where whole statements of it begin and end.

Not a renderer: emphasis, code ticks, quotes of every kind and white space are left out, so that a
text and a copy of it compare, however the copy was typeset.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from graphs.text.bounds import normalized
from graphs.text.sentence_ends import sentence_ends
from graphs.text.tokens import DASHES, UNSPACED_CHARS, visible

HEADING = re.compile(r"\A#{1,6}[ \t]+(?=\S)")
FENCE = re.compile(r"\A(?:```|~~~)")
COMMENT = re.compile(r"<!--[^<>]{0,500}-->")
ITEM = re.compile(r"\A(?:[-*+•・]|(\d{1,3})[.)])[ \t]+(?=\S)")
LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\(([^()\s]{0,2000})\)")
BARE_LINK = re.compile(r"<(https?://[^<>\s]{1,2000})>")
ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
# Emphasis stands at a word's edge: "snake_case" and "2*4" keep their signs.
EMPHASIS = re.compile(r"(?<!\d)\*+|\*+(?!\d)|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|~~|`+")
QUOTES = re.compile(
    '["\u00ab\u00bb\u201c-\u201f\u2039\u203a]'
    "|(?<!\\w)['\u2018\u2019\u201a]|['\u2018\u2019\u201a](?!\\w)"
)
DOUBLE = re.compile('["\u00ab\u00bb\u201c-\u201f\u2039\u203a]')
APOSTROPHE = re.compile("[\u2018\u2019]")
NO_GAP = f"{UNSPACED_CHARS}。、"
GAP = re.compile(rf"(?<=[{NO_GAP}]) | (?=[{NO_GAP}])")
GAP_AT_END = re.compile(rf"[{NO_GAP}]\n|\n[{NO_GAP}]")
# A line that ends so says something by itself; another needs what introduces it.
CLOSED = re.compile(r"[.!?。…][)\]」』]?\Z")
# Paragraphs below an item that are indented so much belong to it.
WITHIN = 2


@dataclass(frozen=True)
class Lead:
    """A line that introduces others: where it ends, and where those begin that may follow it."""

    text: str
    end: int
    followed_by: list[int]


@dataclass(frozen=True)
class Reading:
    """A text's words; every number below counts characters of `text`.

    `begins` and `ends` are where whole statements do. `numbers` are those of ordered lists, by
    where their item begins: they stand outside the text.
    """

    text: str
    begins: frozenset[int]
    ends: frozenset[int]
    leads: tuple[Lead, ...]
    numbers: dict[int, str]


@dataclass
class _Block:
    """A heading, a paragraph, an item of a list, or a row or the head of a table."""

    kind: str
    lines: list[str]
    indent: int = 0
    number: str | None = None


@lru_cache(maxsize=128)
def read(text: str) -> Reading:
    """The words of a Markdown text, and where its sentences, list items and rows stand in them.

    Linear in the text. Articles are read again and again.
    """
    page = _Page()
    for block in _blocks(COMMENT.sub("", visible(normalized("NFKC", visible(text))))):
        if said := words(" ".join(block.lines)):
            page.add(block, said)
    leads = tuple(lead for lead in page.leads if lead.followed_by)
    return Reading(page.text, frozenset(page.begins), frozenset(page.ends), leads, page.numbers)


def words(line: str) -> str:
    """A line without emphasis, code ticks, quotes, the targets of links, and width of spaces."""
    plain = BARE_LINK.sub(r"\1", LINK.sub(r"\1", line))
    plain = QUOTES.sub("", EMPHASIS.sub("", ESCAPE.sub("", plain)))
    plain = DASHES.sub("-", APOSTROPHE.sub("'", plain))
    return GAP.sub("", " ".join(plain.split()))


def unread(text: str) -> list[str]:
    """What `read` leaves out of a text although a reader sees it: it must be held to by itself.

    The line that opens or closes a block of code, comments, and the targets of links.
    """
    plain = visible(normalized("NFKC", visible(text)))
    rest = COMMENT.sub("", plain)
    lines = (_bare(line) for line in rest.split("\n"))
    fences = [line for line in lines if FENCE.match(line) and line.strip("`~ ")]
    said = (" ".join(block.lines) for block in _blocks(rest))
    targets = [found[2] for block in said for found in LINK.finditer(block)]
    return [*COMMENT.findall(plain), *fences, *targets]


def closes(line: str) -> bool:
    """Whether the line ends as a sentence does; a search of all of it for its end takes too long,
    since a line may introduce a thousand items."""
    return CLOSED.search(line[-2:]) is not None


def quotation_marks(line: str) -> list[int]:
    """Where the double quotation marks of a line stand, in characters of its words without spaces.

    None where one of a pair is missing: it may stand for inches.
    """
    found: list[int] = []
    length = 0
    for part in DOUBLE.split(line):
        length += len("".join(words(part).split()))
        found.append(length)
    return found[:-1] if len(found) % 2 == 1 else []


def without_quoted(said: str, ends: Sequence[int], marks: Sequence[int]) -> list[int]:
    """The ends of sentences but those within quotation marks.

    What 'We never write "You won. Call us."' quotes says neither of the two.
    """
    kept, begin, before = [], 0, 0
    for end in ends:
        before += len("".join(said[begin:end].split()))
        begin = end
        at = bisect_left(marks, before)
        outside = at % 2 == 0 or (at < len(marks) and marks[at] == before)
        if outside or end == len(said):
            kept.append(end)
    return kept


def _bare(line: str) -> str:
    return line.strip().removeprefix(">").strip()


def _blocks(text: str) -> Iterator[_Block]:
    """The blocks of a text in normal form; a paragraph and an item go on until another begins."""
    current: _Block | None = None
    for line in text.split("\n"):
        bare = _bare(line)
        found = _block(bare, len(line) - len(line.lstrip()))
        if found and found.kind == "text" and current and current.kind in ("text", "item"):
            current.lines.append(bare)
            continue
        if current and current.kind != "item" and _underlines(bare):
            current.kind = "head" if current.kind == "row" else "heading"
            continue
        if current:
            yield current
        current = found
    if current:
        yield current


def _block(bare: str, indent: int) -> _Block | None:
    """The block that a line begins, or goes on with; None for a line that says nothing."""
    if not bare or FENCE.match(bare) or _underlines(bare):
        return None
    if heading := HEADING.match(bare):
        return _Block("heading", [bare[heading.end() :].rstrip("# ")])
    if item := ITEM.match(bare):
        return _Block("item", [bare[item.end() :]], indent, item[1])
    if bare.startswith("|"):
        cells = [cell.strip() for cell in bare.strip("|").split("|")]
        return _Block("row", [" | ".join(cells)])
    return _Block("text", [bare], indent)


def _underlines(bare: str) -> bool:
    """Whether the line makes the one above it a heading or the head of a table."""
    return len(bare) > 2 and set(bare) <= set("|:-= ") and bool({"-", "="} & set(bare))


class _Page:
    """The reading as it grows, block by block."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.begins: set[int] = set()
        self.ends: set[int] = set()
        self.leads: list[Lead] = []
        self.numbers: dict[int, str] = {}
        self.marks: list[int] = []
        # What the next block may depend on: the statement above it, and the list that it is in.
        self.above: Lead | None = None
        self.list_lead: Lead | None = None
        self.list_indent: int | None = None
        # The item of the list above which others stand, and how far those are indented.
        self.item_lead: Lead | None = None
        self.inner_indent: int | None = None

    @property
    def text(self) -> str:
        """The words so far."""
        return "".join(self.parts)

    def add(self, block: _Block, said: str) -> None:
        """Append the block, and note where statements begin and end in it."""
        at = self._append(said)
        self.marks = quotation_marks(" ".join(block.lines))
        if block.kind == "item":
            self._item(block, said, at)
            return
        within = self.list_indent is not None and block.indent >= WITHIN and block.kind == "text"
        if not within:
            self.list_indent = self.list_lead = None
        if block.kind == "text":
            self._paragraph(said, at)
        elif block.kind == "row":
            self._row(said, at)
        else:
            self.begins.add(at)
            self.above = self._lead(said, at) if block.kind == "head" else None

    def _append(self, said: str) -> int:
        joint = bool(self.parts) and not GAP_AT_END.search(self.parts[-1][-1:] + "\n" + said[0])
        self.parts += [" ", said] if joint else [said]
        self.length += len(said) + joint
        return self.length - len(said)

    def _paragraph(self, said: str, at: int) -> None:
        """Each sentence is a statement; one that ends in a colon introduces what follows."""
        introduced = self.above is not None and self.above.text.endswith(":")
        starts = self._sentences(said, at)
        self.begins.update(starts[introduced:])
        self.above = self._lead(said[starts[-1] - at :], starts[-1])

    def _item(self, block: _Block, said: str, at: int) -> None:
        """An item is a statement, and so is each sentence of it, unless its list's lead is needed.

        A lead that is no sentence completes each item; one that is completes those that are none.
        """
        if self.list_indent is None:
            self.list_indent, self.list_lead = block.indent, self.above
            if self.above and not closes(self.above.text):
                self.ends.discard(self.above.end)
        lead, top = self.list_lead, block.indent <= self.list_indent
        starts = self._sentences(said, at)
        closed = block.number is not None or closes(said)
        if top and (lead is None or (closed and closes(lead.text))):
            self.begins.update(starts)
        if top and lead and block.number is None:
            lead.followed_by.append(at)
        if block.number is not None:
            self.numbers[at] = block.number
        self._nest(block, said, at, top=top)
        self.above = Lead(said, at + len(said), [])

    def _nest(self, block: _Block, said: str, at: int, *, top: bool) -> None:
        """An item introduces the items one step within it, as a line above a list does its items.

        What stands two steps within needs the item between as well, and follows only that.
        """
        if top:
            self.item_lead, self.inner_indent = self._lead(said, at), None
            return
        if self.inner_indent is None:
            self.inner_indent = block.indent
        if self.item_lead and block.number is None and block.indent == self.inner_indent:
            self.item_lead.followed_by.append(at)

    def _sentences(self, said: str, at: int) -> list[int]:
        """Note where the sentences end, and return where they begin."""
        ends = without_quoted(said, sentence_ends(said), self.marks)
        self.ends.update(at + end for end in ends[:-1])
        if not said.endswith(":"):
            self.ends.add(at + len(said))
        return [at, *(at + end + (said[end] == " ") for end in ends[:-1])]

    def _row(self, said: str, at: int) -> None:
        """A row is one statement, with or without the head of its table."""
        self.begins.add(at)
        self.ends.add(at + len(said))
        if self.above:
            self.above.followed_by.append(at)

    def _lead(self, said: str, at: int) -> Lead:
        lead = Lead(said, at + len(said), [])
        self.leads.append(lead)
        return lead
