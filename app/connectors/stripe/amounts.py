"""Amounts as Stripe writes them, and as we do: integers, but not always of the same unit.

We count minor units of ISO 4217 (tools/money.py); Stripe counts its own. Only what differs stands
here. Source: docs.stripe.com/currencies, sections "Zero-decimal currencies", "Three-decimal
currencies" and "Special cases".
"""

from tools.errors import RefusedError
from tools.money import minor_unit_digits

# Stripe writes ISK and UGX with two decimals, always 00, although they have none, and MGA without
# any, although ISO has two.
STRIPE_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
# Of three decimals Stripe takes only amounts whose last one is 0.
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# In ISO with a unit that is not 1/100, and not among Stripe's currencies: how it would write them
# is not known.
NOT_AT_STRIPE = frozenset({"CLF", "IQD", "LYD", "UYI", "UYW"})


class UnknownAmountError(Exception):
    """An amount of Stripe's that is no whole number of our minor units."""


def to_stripe(amount_minor: int, currency: str) -> int:
    """Our amount in Stripe's unit of the currency. Raises RefusedError where it has none."""
    if currency in NOT_AT_STRIPE:
        raise RefusedError(f"Stripe has no payments in {currency}")
    up, down = _factors(currency)
    amount, rest = divmod(amount_minor * up, down)
    if rest:
        raise RefusedError(f"Stripe takes only whole amounts of {currency}")
    if currency in THREE_DECIMALS and amount % 10:
        raise RefusedError(f"the last decimal of an amount in {currency} must be 0 at Stripe")
    return amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's amount in our minor units. Raises UnknownAmountError where it has none."""
    if currency in NOT_AT_STRIPE:
        raise UnknownAmountError(f"Stripe has no payments in {currency}")
    up, down = _factors(currency)
    amount_minor, rest = divmod(amount * down, up)
    if rest:
        raise UnknownAmountError(f"{amount} is no amount of {currency}")
    return amount_minor


def _factors(currency: str) -> tuple[int, int]:
    """What an amount of ours is multiplied with and divided by."""
    ours = minor_unit_digits(currency)
    digits = STRIPE_DIGITS.get(currency, ours) - ours
    return 10 ** max(digits, 0), 10 ** max(-digits, 0)
