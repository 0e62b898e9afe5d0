"""Minor units to text: 4900 USD is "49.00 USD", 5800 JPY is "5800 JPY"."""

# Currencies whose minor unit is not 1/100. Source: ISO 4217, list one, column "Mnr unt".
EXPONENTS = {
    **{code: 0 for code in "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI".split()},
    **{code: 0 for code in "VND VUV XAF XOF XPF".split()},
    **{code: 3 for code in "BHD IQD JOD KWD LYD OMR TND".split()},
    **{code: 4 for code in "CLF UYW".split()},
}


def minor_unit_digits(currency: str) -> int:
    """How many decimals the currency has."""
    return EXPONENTS.get(currency, 2)


def format_money(amount_minor: int, currency: str) -> str:
    """The amount with its currency code, without a thousands separator."""
    digits = minor_unit_digits(currency)
    whole, rest = divmod(amount_minor, 10**digits)
    return f"{whole}.{rest:0{digits}d} {currency}" if digits else f"{whole} {currency}"
