"""Amounts that a text names in figures with their currency, in minor units."""

import re
from decimal import Decimal, InvalidOperation

from graphs.text.value_words import MONEY, any_of
from tools.money import minor_unit_digits

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "円": "JPY"}
CURRENCY = {**SIGNS, **MONEY}
NAMED = any_of(MONEY)
# ISO 4217, those that most payments are in: of all codes too many are words as well.
CODES = (
    "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|BRL|MXN|ARS|CLP|COP|INR|CNY"
    "|KRW|SGD|HKD|TWD|THB|MYR|PHP|IDR|VND|ZAR|AED|SAR|ILS|TRY|KWD|BHD|TND|JOD|OMR|RUB|UAH"
)
# An amount in figures with its currency on either side; "half" and the like cannot be read.
AMOUNT = re.compile(
    r"(?P<sign>[$€£¥])\s?(?P<a>\d[\d.,]*+)"
    rf"|\b(?P<before>{CODES})\s?(?P<c>\d[\d.,]*+)"
    rf"|(?<![\d.,])[.,]*+(?P<b>\d[\d.,]*+)\s?(?P<code>(?:{NAMED})(?![a-z])|(?:{CODES})\b|[$€£¥円])",
    re.IGNORECASE,
)
# A currency without figures beside it: "twenty dollars", "a few €".
UNCOUNTED = re.compile(rf"[$€£¥円]|(?<![a-z])(?:{NAMED})(?![a-z])", re.IGNORECASE)
GROUPING = re.compile(r"[.,](?=\d{3}(?:\D|$))")
# No price has more figures.
MAX_FIGURES = 20


def minor_units(spoken: re.Match[str], currency: str) -> int | None:
    """The amount in minor units; None in another currency, or finer than the currency is."""
    named_currency = spoken["sign"] or spoken["before"] or spoken["code"]
    if CURRENCY.get(named_currency.lower(), named_currency.upper()) != currency:
        return None
    figures = (spoken["a"] or spoken["b"] or spoken["c"]).rstrip(".,")
    if len(figures) > MAX_FIGURES:
        return None
    # A comma or point before three figures groups thousands, unless the currency has three.
    digits = minor_unit_digits(currency)
    if digits != 3:
        figures = GROUPING.sub("", figures)
    try:
        exact = Decimal(figures.replace(",", ".")) * 10**digits
    except InvalidOperation:
        return None
    return int(exact) if exact == int(exact) else None
