"""Whether the values of a claim stand in its evidence: by value, whatever notation or language."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from graphs.text.bounds import normalized
from graphs.text.calendar_values import Day, Found, dates_in, times_in
from graphs.text.language import LIKELY, language_of
from graphs.text.links import literals_in, stands_in
from graphs.text.quantities import Figure, figures_in, kinds_in
from graphs.text.tokens import DASHES, visible
from graphs.text.value_words import LANGUAGES

# A sign that several currencies share stands for each of them.
SHARED = {
    "$": frozenset("USD CAD AUD NZD SGD HKD MXN ARS CLP COP TWD".split()),
    "£": frozenset(("GBP", "EGP")),
    "¥": frozenset(("JPY", "CNY")),
    "kr": frozenset("SEK NOK DKK ISK".split()),
}
# The number of a step, at the beginning of its line, or in one line with those that follow it.
# A larger number there may be an amount that a line break parts from its currency.
STEP = re.compile(r"^[^\S\n]*(?:1?\d|20)[.)](?=\s)", re.MULTILINE)
STEP_IN_LINE = re.compile(r"(?<!\S)(\d{1,2})[.)](?=\s+\S)")
# Such as "2.3.1": it names a version, and is compared as it is written.
VERSION = re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9}){2,9}(?![\w.]*\w)")
MAX_NAMED = 10
# Markdown's emphasis would part a number from what it counts.
EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")


@dataclass(frozen=True)
class Values:
    """The values of a text."""

    dates: list[Found]
    times: list[Found]
    figures: list[Figure]
    versions: list[str]
    text: str

    @classmethod
    def of(cls, text: str, languages: Iterable[str]) -> "Values":
        """The values of a text in plain form; words for numbers are read in these languages."""
        dates, rest = dates_in(text)
        times, rest = times_in(rest)
        versions = VERSION.findall(rest)
        rest = without_steps(VERSION.sub(" ", rest))
        figures = figures_in(rest, languages)
        return cls(dates, times, figures, versions, rest)

    def lacking(self, known: "Values") -> Iterator[str]:
        """Those of its values that the other text lacks."""
        yield from (date.said for date in self.dates if not known.has_date(date.value))
        yield from (time.said for time in self.times if not known.has_time(time.value))
        yield from (self.said(figure) for figure in self.stated if not known.has(figure))
        yield from (version for version in self.versions if version not in known.versions)

    def has_date(self, day: Day | int) -> bool:
        """Whether a date here names all that this one does."""
        return any(isinstance(d.value, Day) and isinstance(day, Day) and day.is_in(d.value)
                   for d in self.dates)  # fmt: skip

    def has_time(self, minutes: Day | int) -> bool:
        """Whether the time stands here; "8" is a full hour in a text that names times."""
        if any(time.value == minutes for time in self.times):
            return True
        full = isinstance(minutes, int) and bool(self.times) and minutes % 60 == 0
        return full and any(f.unit == "number" and f.value * 60 == minutes for f in self.figures)

    def has(self, figure: Figure) -> bool:
        """Whether the number stands here, and counts the same where both texts say what."""
        if figure.unit == "number":
            return self.has_number(figure.value)
        same = self.kinds_by_amount.get(figure.amount, ())
        bare = "number" in self.units_by_value.get(figure.value, ())
        named = any(same_kind(figure.kind, kind) for kind in self.kinds)
        return any(same_kind(figure.kind, kind) for kind in same) or (bare and named)

    def has_number(self, amount: Decimal) -> bool:
        """Whether the number stands here, of whatever it is; a year or a full hour is one."""
        return amount in self.units_by_value or amount in self.calendar_numbers

    @cached_property
    def stated(self) -> list[Figure]:
        """The numbers that it states."""
        return [figure for figure in self.figures if not self.is_word(figure)]

    @cached_property
    def kinds(self) -> set[str]:
        """What of a number it names, also without one."""
        return kinds_in(self.text)

    @cached_property
    def kinds_by_amount(self) -> dict[Decimal, set[str]]:
        """What the text counts of each amount; so a look-up costs no walk over all figures."""
        found: dict[Decimal, set[str]] = {}
        for figure in self.figures:
            found.setdefault(figure.amount, set()).add(figure.kind)
        return found

    @cached_property
    def units_by_value(self) -> dict[Decimal, set[str]]:
        """The units in which each number stands as it is written."""
        found: dict[Decimal, set[str]] = {}
        for figure in self.figures:
            found.setdefault(figure.value, set()).add(figure.unit)
        return found

    @cached_property
    def calendar_numbers(self) -> set[Decimal]:
        """The years of the dates, and the hours of the times."""
        years = {Decimal(day.year) for date in self.dates
                 if isinstance(day := date.value, Day) and day.year is not None}  # fmt: skip
        hours = {Decimal(t.value) / 60 for t in self.times if isinstance(t.value, int)}
        return years | hours

    def is_word(self, figure: Figure) -> bool:
        """Whether it states no number: "one" may be anything, and "two-factor" is a name."""
        part_of_name = figure.unit == "number" and self.text[figure.end : figure.end + 1] == "-"
        return figure.spelled and (figure.value == 1 or part_of_name)

    def said(self, figure: Figure) -> str:
        """A figure as the text writes it."""
        return self.text[figure.start : figure.end].strip()


def unsupported_values(text: str, evidence: Sequence[str]) -> list[str]:
    """The values of a claim that its evidence lacks, as the claim writes them.

    Numbers, amounts, percentages, spans, dates and times compare by value, links and addresses of
    mail literally. What a number counts must agree where both say it. Names, such as "E42", the
    numbers of steps, and "one" in words are no values.
    """
    shown = plain("\n".join(evidence))
    literals, rest = literals_in(plain(text))
    missing = [literal for literal in literals if not stands_in(literal, shown)]
    # What the evidence names in the same way stands there, also where more is written around it.
    missing = missing and [literal for literal in missing if literal not in literals_in(shown)[0]]
    said = Values.of(rest, languages_of(rest, ("en",)))
    if said.dates or said.times or said.stated or said.versions:
        missing += said.lacking(Values.of(shown, languages_of(shown, LANGUAGES)))
    return list(dict.fromkeys(missing))[:MAX_NAMED]


def plain(text: str) -> str:
    """A text in compatibility form, as a reader sees it, its dashes and apostrophes of one kind."""
    seen = EMPHASIS.sub("", visible(normalized("NFKC", visible(text))))
    return DASHES.sub("-", seen).replace("\u2019", "'")


def languages_of(text: str, doubtful: Collection[str]) -> Collection[str]:
    """The text's own language, or these when it is in doubt."""
    code, sure = language_of(text)
    return [code] if sure >= LIKELY and code in LANGUAGES else doubtful


def without_steps(text: str) -> str:
    """The text without the numbers that order its steps."""
    numbers = [int(found[1]) for found in STEP_IN_LINE.finditer(text)]
    in_order = numbers == list(range(1, len(numbers) + 1))
    order = STEP_IN_LINE if len(numbers) > 1 and in_order else STEP
    return order.sub(" ", text)


def same_kind(one: str, other: str) -> bool:
    """Whether two kinds are one; "$" is each of the dollars."""
    if one == other:
        return True
    return other in SHARED.get(one, ()) or one in SHARED.get(other, ())
