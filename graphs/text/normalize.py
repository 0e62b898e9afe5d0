"""Normalises text: look-alike letters, accents, leetspeak and broken words to one spelling."""

import re

from graphs.text.bounds import normalized
from graphs.text.tokens import DASHES

ACCENTS = re.compile(r"(?<=[a-zа-яα-ω])[\u0300-\u036f]+")
# Cyrillic and Greek letters that look Latin. Source: Unicode TR 39, confusables.txt, small letters.
LOOK_ALIKES = str.maketrans("аԁеһіјӏорԛѕсуѵԝхαονυρι", "adehijlopqscyvwxaovupi")
MIXED = re.compile("[a-z][аԁеһіјӏорԛѕсуѵԝхαονυρι]|[аԁеһіјӏорԛѕсуѵԝхαονυρι][a-z]")
# Digits and signs for letters, only between letters: "E42" stays what it is.
LEET = str.maketrans("013457@$€", "oieastase")
LEETED = re.compile(r"(?<=[a-z])[013457@$€]{1,2}(?=[a-z])")
# "r-e-f-u-n-d", "r e f u n d": four or more letters that each stand alone.
SPREAD = re.compile(r"(?<!\w)[a-z](?:[\s.\-_*·•|/\\~+,]{1,3}[a-z](?![^\W_])){3,}")
SEPARATORS = re.compile(r"[\s.\-_*·•|/\\~+,]")


def folded(text: str) -> str:
    """Small letters without accents, look-alikes, digits for letters or letters spread apart."""
    text = normalized("NFD", DASHES.sub("-", text.casefold()))
    text = normalized("NFC", ACCENTS.sub("", text)).replace("\u2019", "'")
    text = re.sub(r"\w+", _latin, text)
    text = LEETED.sub(lambda found: found[0].translate(LEET), text)
    return SPREAD.sub(lambda found: SEPARATORS.sub("", found[0]), text)


def _latin(word: re.Match[str]) -> str:
    """A word that mixes scripts in Latin letters; one of a single script stays what it is."""
    return word[0].translate(LOOK_ALIKES) if MIXED.search(word[0]) else word[0]
