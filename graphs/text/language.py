"""Which language a text is written in, by script, else by its function words; and its code.

Chosen over lingua (96 MB), simplemma (19 MB) and py3langid (5 MB and numpy): a reply is whole
sentences in one of few languages. Chosen by size; the accuracies were not compared.
"""

import re
from collections import Counter

from graphs.text.function_words import FUNCTION_WORDS
from tools.language_tags import UNDETERMINED

LETTERS = re.compile(r"[^\W\d_]+")
# Scripts that one of our languages owns; kana before Han, since Japanese writes both.
SCRIPTS = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\u1100-\u11ff\uac00-\ud7af]"),
    "zh": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "uk": re.compile(r"[іїєґ]", re.IGNORECASE),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
}
# A letter that only this language of ours writes counts as half a function word.
TYPICAL = {"de": "ß", "es": "ñ¿¡", "pt": "ãõ", "fr": "œêèù", "da": "æ", "no": "ø", "sv": "å",
           "tr": "ğış", "pl": "łąężść", "cs": "řěů", "hu": "őű", "ro": "țșă"}  # fmt: skip
LATIN = tuple(code for code in FUNCTION_WORDS if code not in SCRIPTS)
CONFIDENT = 0.5
LIKELY = 0.2
# The languages that have the word among their function words.
BY_WORD = {
    word: tuple(code for code in LATIN if word in FUNCTION_WORDS[code])
    for word in {word for code in LATIN for word in FUNCTION_WORDS[code]}
}
# Weight of function words from which their number alone no longer limits the confidence.
ENOUGH = 3.0


def language_of(text: str) -> tuple[str, float]:
    """The ISO 639-1 code and how sure it is, 0 to 1; UNDETERMINED when nothing tells."""
    letters = sum(map(len, LETTERS.findall(text)))
    if not letters:
        return UNDETERMINED, 0.0
    for code, script in SCRIPTS.items():
        # Japanese needs only some kana; other scripts must carry the text.
        share = len(script.findall(text)) / letters
        if share >= (0.1 if code in ("ja", "uk") else 0.4):
            return code, min(1.0, 0.5 + share) if code in ("ja", "uk") else share
    return _by_function_words(text.casefold())


def _by_function_words(text: str) -> tuple[str, float]:
    """Each function word counts, one that few languages share counts more."""
    scores: Counter[str] = Counter()
    for word in LETTERS.findall(text):
        codes = BY_WORD.get(word, ())
        for code in codes:
            scores[code] += 1 / len(codes)  # type: ignore[assignment]
    for code, letters in TYPICAL.items():
        scores[code] += 0.5 * sum(text.count(letter) for letter in letters)  # type: ignore[assignment]
    (best, most), (_, next_most) = scores.most_common(2)
    if not most:
        return UNDETERMINED, 0.0
    return best, (most - next_most) / most * min(1.0, most / ENOUGH)
