"""Offline amounts: those that a text names in figures with their currency, in minor units."""

import re
from decimal import Decimal, InvalidOperation

from tools.money import minor_unit_digits

# An amount in figures with its currency on either side; "half" and the like cannot be read.
AMOUNT = re.compile(
    r"(?P<sign>[$€£¥])\s?(?P<a>\d[\d.,]*)"
    r"|\b(?P<before>[A-Z]{3})\s?(?P<c>\d[\d.,]*)"
    r"|(?<![\d.,])[.,]*+(?P<b>\d[\d.,]*+)\s?(?P<code>[A-Z]{3}\b|dollars?|euros?|yen)"
)
GROUPING = re.compile(r"[.,](?=\d{3}(?:\D|$))")
SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
NAMES = {"dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "yen": "JPY"}
# No price has more figures.
MAX_FIGURES = 20
CURRENCY = {**SIGNS, **NAMES}


def minor_units(spoken: re.Match[str], currency: str) -> int | None:
    """The amount in minor units; None in another currency, or finer than the currency is."""
    named_currency = spoken["sign"] or spoken["before"] or spoken["code"]
    if CURRENCY.get(named_currency.lower(), named_currency) != currency:
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
