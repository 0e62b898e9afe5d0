"""What a text says, as comparable words and numbers. Used to judge answers, never to write them."""

import re

WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
# Code points with the property Default_Ignorable_Code_Point. Source: Unicode 16,
# DerivedCoreProperties.txt; soft hyphens, joiners, fillers, direction marks, selectors, tags.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
EMPTY_CENTS = re.compile(r"[.,]00$")

# Words too common to say what a text is about. Source: the English list of Snowball (snowballstem),
# shortened to what tickets use, with greetings added.
STOPWORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "but",
        "by",
        "can",
        "can't",
        "cannot",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "don't",
        "for",
        "from",
        "get",
        "got",
        "had",
        "has",
        "have",
        "having",
        "he",
        "hello",
        "help",
        "her",
        "hey",
        "hi",
        "his",
        "how",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "i've",
        "if",
        "in",
        "into",
        "is",
        "isn't",
        "it",
        "it's",
        "its",
        "just",
        "know",
        "let",
        "like",
        "me",
        "more",
        "much",
        "my",
        "need",
        "no",
        "not",
        "now",
        "of",
        "off",
        "on",
        "one",
        "or",
        "our",
        "out",
        "over",
        "please",
        "she",
        "so",
        "some",
        "tell",
        "than",
        "thank",
        "thanks",
        "that",
        "that's",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "too",
        "up",
        "us",
        "very",
        "want",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "why",
        "will",
        "with",
        "would",
        "you",
        "you're",
        "your",
        "yours",
    ]
)


def visible(text: str) -> str:
    """The text without characters that no reader sees, such as joiners and direction marks."""
    return IGNORABLE.sub("", text)


def stem(word: str) -> str:
    """Cut common English endings, so that "uploading" meets "upload"."""
    for ending in ("ings", "ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def content_words(text: str) -> set[str]:
    """The stems of the words that carry meaning."""
    words = (word.casefold() for word in WORD.findall(text))
    return {stem(word) for word in words if word not in STOPWORDS}


def coverage(question: str, text: str) -> float:
    """Share of the question's content words that stand in `text`; 0 for a question of none."""
    asked = content_words(question)
    return len(asked & content_words(text)) / len(asked) if asked else 0.0


def numbers(text: str) -> set[str]:
    """Every number in the text, times included; "49.00" and "49" are the same number."""
    return {EMPTY_CENTS.sub("", number) for number in NUMBER.findall(text)}
