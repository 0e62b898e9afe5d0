"""Outgoing text, which Chatwoot runs as a Liquid template before it stores it (liquidable.rb)."""

import re

# A sign without width or meaning: the reader sees the same, and no template begins there. What
# Liquid itself offers to escape would show in a Chatwoot that does not run it.
JOINER = "\u2060"
BEGINS = re.compile(r"\{(?=[{%])")
SPLIT = re.compile(rf"\{{{JOINER}(?=[{{%])")


def without_templates(text: str) -> str:
    """The text with no place where a template begins; it reads the same."""
    return BEGINS.sub("{" + JOINER, text)


def as_written(text: str) -> str:
    """The text before `without_templates`."""
    return SPLIT.sub("{", text)


def is_same(stored: str, text: str) -> bool:
    """Whether a stored text is one of ours, but for blanks and line ends."""
    return as_written(stored).split() == text.split()
