"""Own prices: they come first, in integers, and a cost is never rounded down."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from pydantic import ValidationError

from app.observability.prices import Prices, Tokens, micro_usd, tokens_of
from app.settings import ModelPrice, Settings

OWN = ModelPrice(
    input_micro_usd_per_mtok=1_250_000,
    output_micro_usd_per_mtok=10_000_000,
    cached_input_micro_usd_per_mtok=125_000,
)


def test_own_price_comes_before_the_list() -> None:
    """A million tokens of each kind cost what the setting says, also for a listed model."""
    prices = Prices({"gpt-5-mini": OWN})
    assert prices.cost_usd("gpt-5-mini", Tokens(2_000_000, 1_000_000, 1_000_000)) == Decimal(
        "11.375"
    )
    assert Prices().cost_usd("gpt-5-mini", Tokens(1000, 0, 0)) != prices.cost_usd(
        "gpt-5-mini", Tokens(1000, 0, 0)
    )


@pytest.mark.parametrize("count", [True, "1_000", -1, 10**15, 1.5, None])
def test_what_is_no_count_of_tokens_is_0(count: object) -> None:
    """A server may report anything; a boolean is no token."""
    usage: Any = {"input_tokens": count, "output_tokens": 5, "total_tokens": 5}
    answer = AIMessage.model_construct(content="", usage_metadata=usage)
    assert tokens_of(answer.usage_metadata) == Tokens(0, 0, 5)


def test_price_may_name_the_model_that_was_asked() -> None:
    """Servers answer under a longer name than the one they were asked by."""
    tokens = Tokens(1000, 0, 100)
    prices = Prices({"my-model": OWN})
    assert prices.cost_usd("my-model-2026-11-01", tokens, "my-model") == Decimal("0.00225")
    assert prices.cost_usd("my-model-2026-11-01", tokens) is None


def test_cached_tokens_cost_as_others_unless_priced() -> None:
    """Without a price of their own they are no present."""
    plain = OWN.model_copy(update={"cached_input_micro_usd_per_mtok": None})
    prices = Prices({"m": plain})
    assert prices.cost_usd("m", Tokens(10, 10, 0)) == prices.cost_usd("m", Tokens(10, 0, 0))
    assert prices.cost_usd("m", Tokens(5, 10, 0)) is None


@given(st.integers(1, 10**7), st.integers(0, 10**6))
def test_whole_micros_are_never_less_than_the_cost(tokens_in: int, tokens_out: int) -> None:
    """Rounded up, by less than one millionth of a dollar."""
    cost = Prices({"m": OWN}).cost_usd("m", Tokens(tokens_in, 0, tokens_out))
    assert cost is not None
    assert 0 <= Decimal(micro_usd(cost)) / 10**6 - cost < Decimal("0.000001")


def test_more_text_is_never_expected_to_cost_less() -> None:
    """What is set aside grows with the question; an unknown or free model needs nothing."""
    prices = Prices({"m": OWN})
    expected = [prices.expected_micro_usd("m", n) for n in (0, 100, 10_000, 1_000_000)]
    assert expected == sorted(expected)
    assert expected[0] > 0
    assert prices.expected_micro_usd("mystery-1", 10_000) == 0
    assert prices.expected_micro_usd("offline", 10_000) == 0


@pytest.mark.parametrize("price", [-1, 1.5, "free"])
def test_price_that_is_no_whole_amount_stops_the_start(price: object) -> None:
    """A slip in the setting shows at once, not in the bill."""
    body = {"m": {"input_micro_usd_per_mtok": price, "output_micro_usd_per_mtok": 1}}
    with pytest.raises(ValidationError):
        Settings(_env_file=None, model_prices=body)
