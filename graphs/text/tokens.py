"""Splits a text into comparable words and numbers: to judge answers, never to write them."""

import re
from functools import lru_cache
from threading import Lock

import snowballstemmer  # type: ignore[import-untyped]

from graphs.text.function_words import FUNCTION_WORDS
from graphs.text.language import LIKELY, language_of

# Hyphens as typed and as typeset: hyphen, non-breaking hyphen, dashes, minus.
DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
# Code points with the property Default_Ignorable_Code_Point. Source: Unicode 16,
# DerivedCoreProperties.txt; soft hyphens, joiners, fillers, direction marks, selectors, tags.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Scripts that write no spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han, and Hangul,
# whose particles hang on the word. Source: Unicode Standard, chapter 6.1, and Blocks.txt.
UNSPACED_CHARS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
# Nobody marks their words, so pairs of characters stand for them, as in Lucene's CJK analyzer.
UNSPACED = re.compile(f"[{UNSPACED_CHARS}]+")
HIRAGANA = re.compile(r"[\u3040-\u309f]")

STOPWORDS = FUNCTION_WORDS["en"] | {"can't", "don't", "i'd", "i'll", "i'm", "i've", "isn't",
                                    "it's", "that's", "you're"}  # fmt: skip
STEMMERS = {
    code: snowballstemmer.stemmer(name)
    for code, name in {
        "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
        "es": "spanish", "fi": "finnish", "fr": "french", "hu": "hungarian", "it": "italian",
        "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
        "ru": "russian", "sv": "swedish", "tr": "turkish",
    }.items()
}  # fmt: skip
# A stemmer works on the word in its own fields, and models without a server answer in threads.
STEMMING = Lock()


def visible(text: str) -> str:
    """The text without characters that no reader sees, such as joiners and direction marks."""
    return text if text.isascii() else IGNORABLE.sub("", text)


@lru_cache(maxsize=20_000)
def stem(word: str, language: str = "en") -> str:
    """The word without its endings, by Snowball; unchanged in a language that it does not know."""
    stemmer = STEMMERS.get(language)
    # Snowball takes time that grows with the word; no word of a language is this long.
    if stemmer is None or len(word) > 40:
        return word
    with STEMMING:
        return str(stemmer.stemWord(word))


def main_language(text: str) -> str:
    """The text's language when it is likely, else English: stems must be cut in some way."""
    code, confidence = language_of(text)
    return code if confidence >= LIKELY else "en"


def content_words(text: str, language: str | None = None) -> set[str]:
    """The stems of the words that carry meaning, in the given language or else the one seen."""
    language = language or main_language(text)
    ignored = FUNCTION_WORDS.get(language, frozenset()) | STOPWORDS
    plain = DASHES.sub("-", text).replace("\u2019", "'").casefold()
    spaced = UNSPACED.sub(" ", plain)
    words = {part for word in WORD.findall(spaced) for part in _parts(word) if word not in ignored}
    pairs = {pair for run in UNSPACED.findall(plain) for pair in _pairs(run)}
    return {stem(word, language) for word in words - ignored} | pairs


def _parts(word: str) -> list[str]:
    """ "two-factor" is two words; "e-mail", "wi-fi" and "e-42" are one, however written."""
    parts = re.split("[-']", word)
    short = any(len(part) == 1 for part in parts) or all(len(part) == 2 for part in parts)
    return ["".join(parts)] if short and "'" not in word else parts


def _pairs(run: str) -> set[str]:
    """Pairs of neighbouring characters; in Japanese, kanji and katakana carry the meaning."""
    pairs = {run[i : i + 2] for i in range(max(1, len(run) - 1))}
    return {pair for pair in pairs if not HIRAGANA.search(pair)} or pairs
