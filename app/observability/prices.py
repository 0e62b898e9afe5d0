"""What a model call cost, from the offline price list of genai-prices."""

from decimal import Decimal

from genai_prices import Usage, calc_price

from app.models.offline import NAME as OFFLINE


def cost_usd(model: str, input_tokens: int, output_tokens: int, cached: int) -> Decimal | None:
    """US dollars of one call; None when nobody knows the model's price, never 0 for that."""
    if model == OFFLINE:
        return Decimal(0)
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cache_read_tokens=cached)
    try:
        return calc_price(usage, model_ref=model).total_price
    except LookupError:
        return None
