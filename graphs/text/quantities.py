"""Reads the numbers of a text, in any notation, with what they count: money, a share, a unit.

A number is the same in each language: "1.234,50 EUR" and "EUR 1,234.50" are one. What joins
letters and digits, such as "E42", is a name and no number.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from graphs.text.value_words import (
    BEFORE_UNITS,
    COUNTERS,
    CURRENCIES,
    LETTER,
    PERCENT,
    RANGES,
    THOUSANDS,
    UNITS,
    any_of,
    number_words,
    scales,
)

# ISO 4217 codes that customers are likely to pay in; in small letters only the best known.
CODES = ("AED ARS AUD BGN BHD BRL BTC CAD CHF CLP CNY COP CZK DKK EGP ETH EUR GBP HKD HUF IDR ILS "
         "INR ISK JPY KRW KWD MXN MYR NOK NZD PEN PHP PLN RON RUB SAR SEK SGD THB TRY TWD UAH USD "
         "USDT VND ZAR usd eur gbp jpy chf").split()  # fmt: skip
SIGNS = {"€": "EUR", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₫": "VND",
         "฿": "THB", "₱": "PHP", "₪": "ILS", "US$": "USD", "R$": "BRL", "$": "$", "£": "£",
         "¥": "¥", "kr": "kr"}  # fmt: skip
SIZES = {f"{size[0].upper()}{end}": size for size in
         ("kilobyte", "megabyte", "gigabyte", "terabyte") for end in ("B", "iB", "o")}  # fmt: skip
# Spans of time that are the same are one kind.
SPANS = {"minute": ("minute", 1), "hour": ("minute", 60), "day": ("minute", 1440),
         "week": ("minute", 10_080), "year": ("month", 12)}  # fmt: skip
_NO_LETTER = rf"(?!{LETTER})"
# "USD500" and "EUR-500" are amounts, "E42" and "plan-2" are names.
_BEHIND_CODE = "|".join(rf"(?<=\b{code}{mark})" for code in CODES for mark in ("", "-"))
NUMBER = re.compile(
    rf"(?=[\d-])(?:(?<!{LETTER})(?<!{LETTER}-)|{_BEHIND_CODE})(?<![\d_])(?<!\d[.,'])"
    r"(?:(?<![^\s(])-)?(?:\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,']\d+)*)"
)
BEFORE = re.compile(rf"(?:(?<![^\W_])(?P<code>{any_of(CODES)})|(?P<sign>{any_of(SIGNS)}))[\s-]?\Z")
BEFORE_CHARS = 6
# What may stand behind a number: a thousand, then a currency, a percentage or a unit.
AFTER = re.compile(
    rf"(?:(?P<scale>k|[-\s]?(?i:{any_of(THOUSANDS)})){_NO_LETTER})?"
    rf"(?:[-\s]?(?P<money>{any_of(CODES)}|{any_of(SIGNS)}|(?i:{any_of(CURRENCIES)})){_NO_LETTER}"
    rf"|\s?(?P<percent>%|(?i:{any_of(PERCENT)}){_NO_LETTER})"
    rf"|[-\s]?(?:(?i:{any_of(BEFORE_UNITS)})\s)?"
    rf"(?P<unit>{any_of(SIZES)}|(?i:{any_of(UNITS)})){_NO_LETTER})?"
)
# "5,00,000": five lakh.
INDIAN = re.compile(r"\A-?\d{1,2}(?:,\d\d){1,9},\d{3}\Z")
# A number without spaces and apostrophes.
DIGITS = re.compile(r"-?\d+(?:[.,]\d+)*")
ORDINAL = re.compile(r"(?:st|nd|rd|th|er|e|º|ª|x)(?!\w)")
BETWEEN = re.compile(rf"\s?(?:[-~〜]|(?i:{any_of(RANGES)}))\s?")
RANGE_CHARS = 8
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
# No number is more words, such as "treinta y uno", or longer.
WORDS, WORDS_CHARS = 3, 40
KANJI = {character: n for n, character in enumerate("一二三四五六七八九", 1)}
KANJI_NUMBER = re.compile(
    rf"(?<![\u4e00-\u9fff])[一二三四五六七八九十]{{1,3}}(?=(?:{any_of(COUNTERS)}))"
)


class Figure(NamedTuple):
    """A number, what it counts ("number", "percent", a currency or a unit), and where it stands.

    `spelled`: it is written in words.
    """

    start: int
    end: int
    unit: str
    value: Decimal
    spelled: bool

    @property
    def kind(self) -> str:
        """What it counts; spans of time that convert into one another are of one kind."""
        return SPANS.get(self.unit, (self.unit, 1))[0]

    @property
    def amount(self) -> Decimal:
        """The number in the unit that `kind` names: an hour is 60 minutes."""
        return self.value * SPANS.get(self.unit, (self.unit, 1))[1]


def figures_in(text: str, languages: Iterable[str]) -> list[Figure]:
    """The numbers of a text; words for numbers are read in these languages.

    The first number of a range counts what the last one does.
    """
    kept: list[Figure] = []
    for figure in sorted([*_in_digits(text), *_in_kanji(text), *_in_words(text, languages)]):
        if not kept or figure.start >= kept[-1].end:
            kept.append(figure)
    for at in reversed(range(len(kept) - 1)):
        figure, after = kept[at], kept[at + 1]
        near = 0 < after.start - figure.end <= RANGE_CHARS
        if figure.unit == "number" and near and BETWEEN.fullmatch(text, figure.end, after.start):
            kept[at] = figure._replace(unit=after.unit)
    return kept


def kinds_in(text: str) -> set[str]:
    """What the text names that numbers could count: a table may name it above its columns."""
    signs = {code for sign, code in SIGNS.items() if sign in text}
    words = {word for found in WORD.finditer(text) for word in re.split("[-']", found[0])}
    codes = {code.upper() for code in CODES if code in words}
    money = {code for word in words if (code := CURRENCIES.get(word.casefold()))}
    money |= {code for word, code in CURRENCIES.items() if not word.isascii() and word in text}
    units = {unit for word in words if (unit := SIZES.get(word) or UNITS.get(word.casefold()))}
    percent = {"percent"} if "%" in text or words & set(PERCENT) else set()
    return signs | codes | money | percent | {SPANS.get(unit, (unit, 1))[0] for unit in units}


def number_of(digits: str) -> Decimal | None:
    """The value of digits with separators; None for what is no number, such as "2.3.1".

    Of two kinds of separators the last one is the decimal point; a single one before three digits
    groups thousands, unless nothing but 0 stands before it.
    """
    plain = digits.replace("'", "").replace(" ", "")
    if not DIGITS.fullmatch(plain):
        return None
    marks = [mark for mark in plain if mark in ".,"]
    if len(set(marks)) == 2:
        whole, _, rest = plain.rpartition(marks[-1])
        return Decimal(f"{whole.replace(',', '').replace('.', '')}.{rest}")
    parts = re.split("[.,]", plain)
    if INDIAN.match(plain):
        return Decimal("".join(parts))
    grouped = len(parts[0].lstrip("-")) <= 3 and parts[0].lstrip("-") != "0"
    if len(parts) > 1 and grouped and all(len(part) == 3 for part in parts[1:]):
        return Decimal("".join(parts))
    return Decimal(".".join(parts)) if len(parts) <= 2 else None


def _in_digits(text: str) -> Iterator[Figure]:
    for found in NUMBER.finditer(text):
        start, end = found.span()
        money = BEFORE.search(text[max(0, start - BEFORE_CHARS) : start])
        if (amount := number_of(found[0])) is None:
            continue
        figure = _counting(text, Figure(start, end, "number", amount, spelled=False))
        glued = figure.end == end and re.match(LETTER, text[end : end + 1])
        if money:
            unit = SIGNS[money["sign"]] if money["sign"] else money["code"].upper()
            yield figure._replace(start=start - len(money[0]), unit=unit)
        elif not glued or ORDINAL.match(text, end):
            yield figure


def _in_words(text: str, languages: Iterable[str]) -> Iterator[Figure]:
    """Numbers in words, up to WORDS of them for one, and that of "six-digit"."""
    codes = list(languages)
    known = {word: n for code in codes for word, n in number_words(code).items()}
    factors = {word: n for code in codes for word, n in scales(code).items()}
    found = list(WORD.finditer(text)) if known else []
    for at, first in enumerate(found):
        for last in reversed(found[at : at + WORDS]):
            phrase = text[first.start() : last.end()].casefold()
            if len(phrase) <= WORDS_CHARS and phrase in known:
                following = found[at + 1] if last is first and at + 1 < len(found) else None
                yield _spelled(text, first.start(), last.end(), known[phrase], following, factors)
                break
        else:
            number = first[0].casefold().partition("-")[0]
            if number in known:
                end = first.start() + len(number)
                yield _spelled(text, first.start(), end, known[number], None, factors)


def _spelled(
    text: str,
    start: int,
    end: int,
    amount: int,
    following: re.Match[str] | None,
    factors: dict[str, int],
) -> Figure:
    """A number in words with what follows it, a hundred or thousand first."""
    factor = factors.get(following[0].casefold(), 1) if following else 1
    if following and factor > 1:
        end = following.end()
    return _counting(text, Figure(start, end, "number", Decimal(amount * factor), spelled=True))


def _in_kanji(text: str) -> Iterator[Figure]:
    for found in KANJI_NUMBER.finditer(text):
        tens, ten, ones = found[0].rpartition("十")
        amount = (KANJI.get(tens, 1) * 10 if ten else 0) + KANJI.get(ones, 0)
        yield _counting(text, Figure(*found.span(), "number", Decimal(amount), spelled=True))


def _counting(text: str, figure: Figure) -> Figure:
    """The figure with the thousands, the currency, the share or the unit that follow it."""
    after = AFTER.match(text, figure.end)
    if after is None or not after[0]:
        return figure
    scale = (after["scale"] or "").lstrip("- \t\n").casefold()
    value = figure.value * (1000 if scale == "k" else THOUSANDS.get(scale, 1))
    return figure._replace(end=after.end(), unit=_unit(after), value=value)


def _unit(after: re.Match[str]) -> str:
    if money := after["money"]:
        return CURRENCIES.get(money.casefold()) or SIGNS.get(money) or money.upper()
    if unit := after["unit"]:
        return SIZES.get(unit) or UNITS[unit.casefold()]
    return "percent" if after["percent"] else "number"
