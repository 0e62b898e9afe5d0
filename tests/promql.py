"""Reads which metrics and labels an expression of PromQL names: enough for the files of ours."""

import re
from typing import NamedTuple

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
RANGE = re.compile(r"\[[^\]]*\]")
# `by (...)` and the like list labels.
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
MATCHERS = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
NAME = re.compile(r"(?<![\w.$:])([a-zA-Z_:][\w:]*)(?!\w|\s*\()")
WORDS = frozenset(
    ("and", "or", "unless", "bool", "offset", "inf", "nan", "group_left", "group_right")
)


class Named(NamedTuple):
    """What an expression names: metrics, and labels (of matchers by their metric)."""

    metrics: set[str]
    labels: set[str]


def named(expression: str) -> Named:
    """The names in an expression; a function is a name before a bracket, and left out."""
    text = RANGE.sub("", STRING.sub('""', expression))
    labels = {label.strip() for group in GROUPING.findall(text) for label in group.split(",")}
    for _, matchers in MATCHERS.findall(text):
        labels |= set(re.findall(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)", matchers))
    bare = re.sub(r"\{[^}]*\}", "", GROUPING.sub("", text))
    return Named(set(NAME.findall(bare)) - WORDS, labels - {""})
