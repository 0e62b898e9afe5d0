"""A reply promises no date or time span that no fact contains, in any words or order."""

import re
from collections.abc import Iterator

from graphs.reply.checks.draft_case import Case
from graphs.text.calendar_words import COUNT, MONTH, NEAR, UNIT, WEEKDAY, any_of
from graphs.text.normalize import folded, sentences
from graphs.text.number_words import COUNTS

SPAN = re.compile(
    rf"({COUNT})(?:\s?(?:-|to|bis|a|y|or|oder|ou|o|e|tot|〜|~)\s?({COUNT}))?[ -]?"
    rf"(?:(?:business|working|calendar|full|more|or more|volle)\s)?({any_of(UNIT)})"
)
DAY_OF_WEEK = re.compile(any_of(WEEKDAY))
ISO = re.compile(r"(?<!\d)(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
JAPANESE = re.compile(r"(?<!\d)(\d{1,2})月(\d{1,2})日")
SLASHED = re.compile(
    r"(?<![\d/.])(\d{1,2})([/.])(\d{1,2})\2(?:\d{4}|\d{2})(?![\d/])"
    r"|(?<![\d/.])(\d{1,2})/(\d{1,2})(?![\d/])"
    r"|(?:am|zum|bis|vom|op) (\d{1,2})\.\s?(\d{1,2})\."
)
DAY = r"(\d{1,2})(?:st|nd|rd|th|\.|er|º|o)?"
NAMED = re.compile(
    rf"(?<!\d){DAY} ?(?:of |de |di )?({any_of(MONTH)})|({any_of(MONTH)}) {DAY}(?![\d:])"
)
# A month is a date only beside one of these: "may" and "march" are other words, too.
BARE_MONTH = re.compile(
    rf"\b(?:by|in|until|before|of|since|im|bis|ab|en|avant|fin|para|hasta|entro|ate|in|voor|eind) "
    rf"({any_of(MONTH)})(?! \w+ing)"
)
PROMISING = re.compile(
    r"\bwill\b|'ll\b|\bshall\b|\bby\b|\buntil\b|\bwithin\b|\bbis\b|\binnerhalb\b|\bwerde|\bwird\b"
    r"|\bavant\b|\bsous\b|\bd'ici\b|\bantes\b|\bpara el\b|\bentro\b|\bate\b|\bvoor\b|\bbinnen\b"
    r"|までに|以内|中に|いたします"
)
COURTESY = re.compile(r"^\s*(?:thank|danke|vielen dank|merci|gracias|grazie|obrigad|bedankt|dank)")


def dates(case: Case) -> Iterator[str]:
    """The customer's own dates may be repeated where nothing is promised."""
    said = [s for s in sentences(case.folded) if not (asks(s) or COURTESY.match(s))]
    dated = [(sentence, dates) for sentence in said if (dates := stated_dates(sentence))]
    if not dated:
        # Most replies: to look through all passages takes longer than all other rules.
        return
    known, asked = stated_dates(folded(case.sources)), stated_dates(folded(case.asked))
    for sentence, dates in dated:
        allowed = known if PROMISING.search(sentence) else known | asked
        for kind, what in sorted(dates - allowed):
            yield (
                f"The {kind} {what!r} in {sentence.strip()[:200]!r} stands in no fact: "
                "promise no date and no time."
            )


def asks(sentence: str) -> bool:
    """Whether it is a question."""
    return sentence.rstrip().endswith(("?", "？"))


def stated_dates(text: str) -> set[tuple[str, str]]:
    """Every date, day and span of folded text in a form that no language changes."""
    found = {("time", name) for name, pattern in NEAR.items() if pattern.search(text)}
    found |= {("day", WEEKDAY[match[0]]) for match in DAY_OF_WEEK.finditer(text)}
    found |= {("month", str(MONTH[match[1]])) for match in BARE_MONTH.finditer(text)}
    # Whether 5/11 begins with the month is unknown: the order counts for no date.
    found |= {("date", "/".join(map(str, sorted(pair)))) for pair in _month_days(text)}
    for low, high, unit in SPAN.findall(JAPANESE.sub(" ", ISO.sub(" ", text))):
        found |= {("span", f"{int(COUNTS.get(n, n))} {UNIT[unit]}") for n in (low, high) if n}
    return found


def _month_days(text: str) -> Iterator[tuple[int, int]]:
    """Month and day of each date; the year is a number, which another rule holds."""
    for found in (*ISO.finditer(text), *JAPANESE.finditer(text), *SLASHED.finditer(text)):
        *_, month, day = (int(part) for part in found.groups() if part and part.isdecimal())
        yield month, day
    for day_first, name, other_name, day_last in NAMED.findall(text):
        yield MONTH[name or other_name], int(day_first or day_last)
