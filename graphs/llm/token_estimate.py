"""Estimates the tokens of a text without the model's own tokenizer."""

import re

from graphs.text.tokens import UNSPACED_CHARS

# A Latin letter costs about a quarter of a token; a CJK, Thai or Hangul character about one.
# Source: OpenAI's guide to tokens (4 characters a token in English); for Han and kana the
# cl100k and o200k vocabularies hold few longer pieces, so one a character is an upper bound.
CHARS_PER_TOKEN = 4
DENSE = re.compile(f"[{UNSPACED_CHARS}]")
SENTENCE_END = re.compile(r"[.!?]\s|[。！？]|\n")


def estimate_tokens(text: str) -> int:
    """Tokens the text takes, rounded up. No tokenizer: providers differ, and so do their files."""
    return _tokens(len(text), 0 if text.isascii() else len(DENSE.findall(text)))


def clip(text: str, tokens: int) -> str:
    """The longest beginning that ends with a sentence and takes at most so many tokens."""
    if estimate_tokens(text) <= tokens:
        return text
    dense = start = 0
    for match in SENTENCE_END.finditer(text):
        dense += len(DENSE.findall(text, start, match.end()))
        if _tokens(match.end(), dense) > tokens:
            break
        start = match.end()
    return text[:start].rstrip()


def _tokens(characters: int, dense: int) -> int:
    """Tokens of so many characters, of which `dense` take a whole one each; rounded up."""
    return dense + -(-(characters - dense) // CHARS_PER_TOKEN)
