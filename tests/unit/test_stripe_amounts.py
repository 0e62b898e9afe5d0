"""Amounts at Stripe and ours: the same money, whatever unit it is written in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.stripe.amounts import (
    NOT_AT_STRIPE,
    STRIPE_DIGITS,
    THREE_DECIMALS,
    UnknownAmountError,
    from_stripe,
    to_stripe,
)
from tools.errors import RefusedError
from tools.money import EXPONENTS, minor_unit_digits

# docs.stripe.com/currencies, "Zero-decimal currencies", which lists UGX and writes it as a special
# case with two.
ZERO = set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
ONE_UNIT = [
    ("USD", 4900, 4900),
    ("JPY", 5800, 5800),
    ("KWD", 1230, 1230),
    ("ISK", 500, 50_000),
    ("UGX", 500, 50_000),
    ("MGA", 5000, 50),
]


@pytest.mark.parametrize(("currency", "ours", "stripes"), ONE_UNIT)
def test_amounts_are_written_as_stripe_writes_them(currency: str, ours: int, stripes: int) -> None:
    """Both ways."""
    assert to_stripe(ours, currency) == stripes
    assert from_stripe(stripes, currency) == ours


def test_table_holds_what_differs_from_iso_and_nothing_else() -> None:
    """Every currency whose unit is not 1/100 is accounted for, here or there."""
    ours = {code for code, digits in EXPONENTS.items() if digits == 0}
    assert {
        code for code in ours | ZERO if (code in ours) != (code in ZERO)
    } - NOT_AT_STRIPE == set(STRIPE_DIGITS)
    assert all(minor_unit_digits(code) != digits for code, digits in STRIPE_DIGITS.items())
    three = {code for code, digits in EXPONENTS.items() if digits == 3}
    assert three - NOT_AT_STRIPE == THREE_DECIMALS
    assert {code for code, digits in EXPONENTS.items() if digits == 4} <= NOT_AT_STRIPE


@given(st.sampled_from(sorted({*EXPONENTS, *STRIPE_DIGITS, "USD", "EUR"})), st.integers(0, 10**12))
def test_what_is_sent_comes_back_as_the_same_money(currency: str, amount_minor: int) -> None:
    """Or nothing is sent."""
    try:
        sent = to_stripe(amount_minor, currency)
    except RefusedError:
        return
    assert from_stripe(sent, currency) == amount_minor


@given(st.sampled_from(sorted({*EXPONENTS, *STRIPE_DIGITS, "USD", "EUR"})), st.integers(0, 10**12))
def test_what_is_read_is_written_as_it_was(currency: str, amount: int) -> None:
    """Or is not known; Stripe itself takes no last decimal of three but 0."""
    try:
        ours = from_stripe(amount, currency)
    except UnknownAmountError:
        return
    if currency not in THREE_DECIMALS or amount % 10 == 0:
        assert to_stripe(ours, currency) == amount


@pytest.mark.parametrize(
    ("amount_minor", "currency"), [(1231, "KWD"), (4999, "MGA"), (100, "CLF"), (100, "IQD")]
)
def test_amount_that_stripe_cannot_write_is_refused(amount_minor: int, currency: str) -> None:
    """Before anything is sent."""
    with pytest.raises(RefusedError):
        to_stripe(amount_minor, currency)


@pytest.mark.parametrize(("amount", "currency"), [(50_001, "ISK"), (1, "UGX"), (100, "CLF")])
def test_amount_that_we_cannot_write_is_unknown(amount: int, currency: str) -> None:
    """It is not rounded."""
    with pytest.raises(UnknownAmountError):
        from_stripe(amount, currency)
