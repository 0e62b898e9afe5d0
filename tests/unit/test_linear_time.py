"""No text of a customer, an article or a model costs more than time linear in its length.

Each reader is timed on hostile texts of 10 and 50 kB, each pattern on 2 and 10 kB of texts that
are derived from it. Only the growth counts, never the time.
"""

import importlib
import inspect
import pkgutil
import re
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from functools import cache, partial

import pytest

import app
import graphs
import tools
from graphs.text.bounds import MARKS, MARKS_IN_A_ROW, READ_CHARS, normalized
from tests.unit.growth import outgrows
from tests.unit.hostile_texts import mixed
from tests.unit.pattern_attacks import attacks, inline_patterns, patterns_in
from tests.unit.text_readers import (
    EXCUSED,
    ON_DRAFTS,
    PATTERNS_ALONE,
    READERS,
    LongMail,
    public_functions,
    text_readers,
)
from tools.helpdesk import ReplyArgs

# Traced, it takes more than twice the time, and what is timed is the tracer.
pytestmark = pytest.mark.no_cover

# So many shapes in one text; what is derived from a pattern is tried by itself.
TOGETHER = 8
# `make test` tries one group of shapes in so many, others for the next name; `make thorough` all.
EVERY = 18
PATTERN_CHARS, PATTERN_AT_ONCE = 2_000, 0.005


@cache
def patterns() -> dict[str, list[re.Pattern[str]]]:
    """The patterns of the product by the module that says them first."""
    found: dict[str, list[re.Pattern[str]]] = {}
    known: set[tuple[str, int]] = set()
    for name in modules():
        module = importlib.import_module(name)
        said = [p for value in vars(module).values() for p in patterns_in(value)]
        for pattern in (*said, *inline_patterns(inspect.getsource(module), vars(module))):
            if (key := (pattern.pattern, pattern.flags)) not in known:
                known.add(key)
                found.setdefault(name, []).append(pattern)
    return found


def modules() -> Iterator[str]:
    """Every module of the product."""
    for package in (graphs, tools, app):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield module.name


@pytest.mark.parametrize("name", READERS)
def test_reader_takes_linear_time(name: str, *, thorough: bool) -> None:
    """From 10 kB to 50 kB the time of every function that reads a text grows as the text does."""
    for read in READERS[name]:
        groups = mixed(TOGETHER) if thorough else some_for(name)
        for parts in groups[: 1 if isinstance(read, LongMail) else None]:
            assert outgrows(read, parts) is None, f"{name} on {parts} by {read}"


@pytest.mark.parametrize("name", ON_DRAFTS)
def test_rule_takes_time_linear_in_the_draft(name: str, *, thorough: bool) -> None:
    """Up to READ_CHARS, the most that a rule reads of a draft."""
    for parts in mixed(TOGETHER) if thorough else some_for(name):
        assert outgrows(ON_DRAFTS[name], parts, READ_CHARS // 5) is None, f"{name} on {parts}"


@pytest.mark.parametrize("name", sorted(patterns()))
def test_pattern_takes_linear_time(name: str, *, thorough: bool) -> None:
    """Also on texts that nearly match it everywhere: of each repeat, with what stands before it."""
    for pattern in patterns()[name]:
        groups = mixed(TOGETHER) if thorough else some_for(pattern.pattern)
        # Measured again, since a busy moment looks like growth: what is slow is slow each time.
        assert slow_on(pattern, groups) is None or slow_on(pattern, groups) is None


def some_for(name: str) -> list[tuple[str, ...]]:
    """A few of the groups of shapes: other ones for the next name, so that all are tried."""
    first = zlib.crc32(name.encode(errors="surrogatepass")) % EVERY
    return mixed(TOGETHER)[first::EVERY]


def slow_on(pattern: re.Pattern[str], groups: list[tuple[str, ...]]) -> tuple[str, str, str] | None:
    """The pattern and a text, as what it begins with and what is repeated, that outgrow a line."""
    find = partial(all_found, pattern)
    derived = ((before, (part,)) for before, part in attacks(pattern))
    for before, parts in (*derived, *(("", parts) for parts in groups)):
        if outgrows(find, parts, PATTERN_CHARS, before, PATTERN_AT_ONCE):
            return pattern.pattern, before, parts[0][:40]
    return None


def all_found(pattern: re.Pattern[str], text: str) -> int:
    """How often the pattern is found."""
    return sum(1 for _ in pattern.finditer(text))


def test_every_reader_is_tried() -> None:
    """A new function that reads a text stands in READERS, or is excused with a reason."""
    unknown = [
        found.name
        for found in text_readers()
        if found.name not in {*READERS, *EXCUSED}
        and not found.name.startswith(PATTERNS_ALONE)
        and (found.patterns or not found.name.startswith(tuple(EXCUSED)))
    ]
    assert unknown == []


def test_every_entry_is_a_function() -> None:
    """What was renamed or removed is renamed or removed here."""
    names = set(public_functions())
    assert [name for name in READERS if name not in names] == []
    assert [name for name in EXCUSED if not any(n.startswith(name) for n in names)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<b>\d[\d.,]*)\s?(?P<code>[A-Z]{3}\b)",
        r"we have(?:\s(?:now|gladly|\w+ly))*\s(?:done|sent)\b",
        r"(?:zahl|uberweis)\w* [^.]{0,60}\bzuruck\b",
        r"\w*cento\w*dollars",
    ],
)
def test_slow_pattern_is_found(pattern: str) -> None:
    """Quadratic or worse: patterns that stood here once, and would be found again."""
    assert slow_on(re.compile(pattern, re.MULTILINE), mixed(TOGETHER))


def test_slow_loop_is_found() -> None:
    """A reader that begins again at each word is found among eight shapes in one text."""

    def slow(text: str) -> int:
        words = text.split()
        return sum(words.count(word) for word in words)

    assert any(outgrows(slow, parts) for parts in mixed(TOGETHER))


def test_marks_stand_apart_from_letters_and_spaces() -> None:
    """`normalized` looks for marks where no letter and no space is: there are no others."""
    marks = [chr(n) for n in range(sys.maxunicode + 1) if unicodedata.combining(chr(n))]
    assert len(marks) > 800
    assert MARKS.fullmatch("".join(marks))


def test_normal_form_is_unicodes() -> None:
    """But for marks in a row beyond those that any writing needs."""
    marked = "e\u0323\u0301" + "a\u0315\u0300" * 20 + "가각.!?" * 9
    assert normalized("NFKC", marked) == unicodedata.normalize("NFKC", marked)
    most = "a" + "\u0300" * MARKS_IN_A_ROW
    assert normalized("NFD", f"{most}\u0301 b") == f"{most} b"


def test_normal_form_is_at_most_six_times_as_long() -> None:
    """Of every character, alone and among others; two that stand for phrases stay as they are."""
    for character in map(chr, range(sys.maxunicode + 1)):
        assert len(normalized("NFKC", character)) <= 6
    assert normalized("NFKC", "\ufdfaＡ\ufdfb\ufdfae\u0301") == "\ufdfaA\ufdfb\ufdfaé"


def test_what_is_read_of_a_draft_is_what_could_be_sent() -> None:
    """The rules refuse a longer draft unread, and no longer one is a reply."""
    [longest] = [m.max_length for m in ReplyArgs.model_fields["text"].metadata
                 if hasattr(m, "max_length")]  # fmt: skip
    assert longest >= READ_CHARS
