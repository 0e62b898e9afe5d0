"""What a model call costs: by the settings' own prices, else by the price list of genai-prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from genai_prices import Usage, calc_price

from app.settings import ModelPrice
from graphs.policy import OFFLINE

# More than any model reads; a server that reports more reports nonsense.
MAX_TOKENS = 100_000_000
# For what is set aside before a call: fewer characters a token than in any language we measured
# against, and an answer longer than most. What the call did cost replaces it.
CHARACTERS_PER_TOKEN = 3
EXPECTED_OUTPUT_TOKENS = 1000
MICRO = Decimal(10) ** 6


class Tokens(NamedTuple):
    """What a server counted; `cached` is a part of `input`."""

    input: int
    cached: int
    output: int


class CallCost(NamedTuple):
    """US dollars of one model call, by what was read and what was written."""

    input: Decimal
    output: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """Own prices by model; they come first."""

    own: Mapping[str, ModelPrice] = field(default_factory=dict)

    def cost_usd(self, model: str, tokens: Tokens, asked: str | None = None) -> Decimal | None:
        """US dollars of one call; None when the price is unknown, never 0 for that.

        `model` is the name in the answer; an own price may name the one that was asked for.
        """
        if model == OFFLINE:
            return Decimal(0)
        if not tokens.input:  # no question is empty: the server did not count
            return None
        own = self.own.get(model) or self.own.get(asked or model)
        return _own(own, tokens) if own else _listed(model, tokens)

    def of_call(self, model: str, tokens: Tokens, asked: str | None = None) -> CallCost | None:
        """The two parts of `cost_usd`."""
        cost = self.cost_usd(model, tokens, asked)
        if cost is None:
            return None
        read = self.cost_usd(model, tokens._replace(output=0), asked) or Decimal(0)
        return CallCost(read, cost - read)

    def expected_micro_usd(self, model: str, characters: int) -> int:
        """Millionths of a US dollar that a call is likely to cost; 0 when its price is unknown."""
        asked = characters // CHARACTERS_PER_TOKEN + 1
        return micro_usd(self.cost_usd(model, Tokens(asked, 0, EXPECTED_OUTPUT_TOKENS)))


def micro_usd(cost: Decimal | None) -> int:
    """Whole millionths of a US dollar, rounded up; 0 for an unknown cost."""
    return 0 if cost is None else int((cost * MICRO).to_integral_value(ROUND_CEILING))


def tokens_of(reported_usage: Mapping[str, Any] | None) -> Tokens:
    """Tokens as reported with an answer; 0 for what cannot be a number of tokens."""
    spent = reported_usage or {}
    cached = (spent.get("input_token_details") or {}).get("cache_read")
    reported = (spent.get("input_tokens"), cached, spent.get("output_tokens"))
    # `true` is an int in Python, and no count.
    return Tokens(*(n if type(n) is int and 0 <= n <= MAX_TOKENS else 0 for n in reported))


def _own(price: ModelPrice, tokens: Tokens) -> Decimal | None:
    if tokens.cached > tokens.input:
        return None
    cached = price.cached_input_micro_usd_per_mtok
    cached = price.input_micro_usd_per_mtok if cached is None else cached
    total = (
        (tokens.input - tokens.cached) * price.input_micro_usd_per_mtok
        + tokens.cached * cached
        + tokens.output * price.output_micro_usd_per_mtok
    )
    return Decimal(total) / MICRO / MICRO


def _listed(model: str, tokens: Tokens) -> Decimal | None:
    usage = Usage(
        input_tokens=tokens.input, output_tokens=tokens.output, cache_read_tokens=tokens.cached
    )
    try:
        return calc_price(usage, model_ref=model).total_price
    except (LookupError, ValueError):  # an unknown model, or counts that contradict each other
        return None
