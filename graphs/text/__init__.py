"""Languages, tokens, normalization and fixed phrases."""
