"""What a model call cost, from the offline price list of genai-prices."""

from decimal import Decimal

from genai_prices import Usage, calc_price

from app.models.offline import NAME as OFFLINE


def cost_usd(model: str, input_tokens: int, cached: int, output_tokens: int) -> Decimal | None:
    """US dollars of one call; None when nobody knows what it cost, never 0 for that."""
    if model == OFFLINE:
        return Decimal(0)
    if not input_tokens:  # no question is empty: the server did not count
        return None
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cache_read_tokens=cached)
    try:
        return calc_price(usage, model_ref=model).total_price
    except (LookupError, ValueError):  # an unknown model, or counts that contradict each other
        return None
