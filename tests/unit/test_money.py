"""Minor units to text, by ISO 4217."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import payment
from tools.billing import payment_line
from tools.money import EXPONENTS, format_money, minor_unit_digits


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4900, "USD", "49.00 USD"),
        (60_000, "USD", "600.00 USD"),
        (1, "USD", "0.01 USD"),
        (99, "EUR", "0.99 EUR"),
        (100, "EUR", "1.00 EUR"),
        (0, "EUR", "0.00 EUR"),
        (5800, "JPY", "5800 JPY"),
        (0, "JPY", "0 JPY"),
        (12_345, "KWD", "12.345 KWD"),
        (1, "BHD", "0.001 BHD"),
        (12_345, "CLF", "1.2345 CLF"),
        (10**12, "USD", "10000000000.00 USD"),
    ],
)
def test_amount_is_written_with_its_currencys_own_decimals(
    amount: int, currency: str, text: str
) -> None:
    """Cents have two, yen none, dinars three; no thousands separator to misread."""
    assert format_money(amount, currency) == text


@given(
    amount=st.integers(min_value=0, max_value=10**15),
    currency=st.sampled_from(["USD", "EUR", *EXPONENTS]),
)
def test_text_says_exactly_the_amount(amount: int, currency: str) -> None:
    """Read back as a decimal it is the same number of minor units."""
    number, _, code = format_money(amount, currency).partition(" ")
    assert code == currency
    assert Decimal(number) * 10 ** minor_unit_digits(currency) == amount
    assert len(number.partition(".")[2]) == minor_unit_digits(currency)


def test_payment_line_can_be_checked_at_the_provider() -> None:
    """What for, how much, when, and what went back."""
    paid = {**payment("pay_1", 5800, "Pro plan", "JPY"), "refunded_minor": 800}
    line = payment_line(paid)  # type: ignore[arg-type]  # the same keys
    assert line == "Pro plan: 5800 JPY captured on 2026-11-18, 800 JPY refunded so far"
