"""A reply states only amounts and numbers that a fact contains."""

import re
from collections.abc import Iterator

from graphs.reply.checks.draft_case import Case
from graphs.text.normalize import folded, squeezed
from graphs.text.number_words import COUNTED_MONEY
from graphs.text.tokens import numbers

LIST_MARKER = re.compile(r"^[^\S\n]*\d{1,2}[.)]\s", re.MULTILINE)
# ISO 4217 codes that customers are likely to pay in.
CODES = ("AED|ARS|AUD|BGN|BHD|BRL|BTC|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|ETH|EUR|GBP|HKD|HUF|IDR|ILS|"
         "INR|"
         "ISK|JPY|KRW|KWD|MXN|MYR|NOK|NZD|PEN|PHP|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USDT?|VND|"
         "ZAR|usd|eur|gbp|jpy|chf")  # fmt: skip
SIGNS = "[$€£¥₹₩₽₺₴₫₱฿₪]"
NAMES = (
    r"dollars?|euros?|yen|pounds?|bucks?|quid|cents?|pence|francs?|kron(?:er|or|a|e)|rupees?|pesos?"
    r"|reais|yuan|lira|zloty|złoty|franken|pfund|livres?|libras?|dólares|dollari|円|ドル|ユーロ|元"
    r"|欧元|美元|원|달러|유로|евро|долларов|рублей"
)
MONEY = re.compile(
    rf"{SIGNS}\s?\d[\d.,]*"
    rf"|\b(?:{CODES})\s?\d[\d.,]*"
    rf"|(?<![\d:.,])\d[\d.,]*+\s?(?:{SIGNS}|(?i:k|thousand|million)?\s?(?:{CODES}|(?i:{NAMES}))(?![A-Za-z0-9]))"
)
ROUNDED = re.compile(r"\d\s?(?:k|thousand|million)\b", re.IGNORECASE)
# Written with points, a day is one number; the rule on dates compares its parts with the facts.
POINTED_DATE = re.compile(r"(?<!\d)(\d{1,2})[./](\d{1,2})[./](\d{4})(?!\d)")


def money(case: Case) -> Iterator[str]:
    """Not even the customer's own words make an amount true; amounts in words are no exception."""
    known = numbers(case.sources)
    for match in MONEY.finditer(case.text):
        rounded = ROUNDED.search(match[0]) and match[0] not in case.sources
        if rounded or not numbers(match[0]) <= known:
            yield f"The amount {match[0].strip()!r} stands in no fact: take amounts from the facts."
    in_words = list(COUNTED_MONEY.finditer(case.folded))
    spelled_out = squeezed(folded(case.sources)) if in_words else ""
    for match in in_words:
        if squeezed(match[0]) not in spelled_out:
            yield f"The amount {match[0].strip()!r} is in words: write amounts as the facts do."


def in_facts(case: Case) -> Iterator[str]:
    """No date, time, size or count is invented; what the customer wrote may be repeated."""
    known = numbers(f"{case.sources}\n{case.asked}")
    text = POINTED_DATE.sub(r"\1 \2 \3", LIST_MARKER.sub("", case.text))
    for invented in sorted(numbers(text) - known):
        yield f"The number {invented} stands in no fact: leave it out."
