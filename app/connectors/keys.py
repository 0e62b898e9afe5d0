"""How a key of ours stands in a field of a desk that takes short plain texts."""

import hashlib

PLAIN_KEY_CHARS = 200


def stored_key(key: str) -> str:
    """The key itself, or its digest when it is long or no plain one."""
    plain = key.isascii() and key.isprintable() and " " not in key
    if plain and 0 < len(key) <= PLAIN_KEY_CHARS:
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
