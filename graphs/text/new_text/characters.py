"""Characters that nobody sees: tags, joiners, direction marks and controls."""

import re

from graphs.text.tokens import visible

# Tag characters stand for the ASCII ones 0xE0000 below them. Source: Unicode, chapter 23.9.
TAGS = re.compile("[\U000e0020-\U000e007e]+")
TAG_BASE = 0xE0000
LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls, and what is no character at all: lone surrogates and the like.
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]")


def tag_text(text: str) -> str:
    """What tag characters spell, so that people see it."""
    return " ".join(
        "".join(chr(ord(tag) - TAG_BASE) for tag in run) for run in TAGS.findall(text)
    ).strip()


def without_hidden(text: str) -> str:
    """The text without them, with plain line ends and blanks."""
    return CONTROL.sub("", visible(LINE_END.sub("\n", text))).replace("\xa0", " ")
