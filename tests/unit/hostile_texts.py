"""Short texts that are repeated to make a long hostile one; each says what it is hard for."""

# Digits, separators, spaces, lines, letters, punctuation, quotes and parentheses.
PLAIN = {
    "digits": "1", "digits and commas": "1,", "digits and points": "1.", "digits apart": "1 ",
    "spaces": " ", "line ends": "\n", "indented lines": " \n", "one word": "a", "words": "ab ",
    "capitals": "AB ", "hyphens": "a-", "points": ".", "questions": "?!", "commas": "a,",
    "quotation marks": "\"'", "opened quotations": "„«", "parentheses": "((", "brackets": "[",
    "quoted mail": "> > >", "list": "1. ab\n",
}  # fmt: skip
# Accents, marks that Unicode sorts, scripts mixed or without spaces, invisible characters.
WRITTEN = {
    "accents": "é", "marks": "e\u0301", "unsorted marks": "\u0315\u0300", "mixed scripts": "aя",
    "Japanese": "二重請求。", "kanji numbers": "一", "ligature": "\ufdfa", "joiners": "a\u200d",
    "letters apart": "a.b c-",
}  # fmt: skip
# What the product looks for, nearly: addresses, money, ids, deeds, promises, secrets, dates.
NEARLY = {
    "addresses": "a@a@", "links": "http://a.", "domains": "a.aa.", "money": "$1 USD ",
    "money in words": "five hundred ", "compounds": "acento", "payment ids": "pay_1 pay_",
    "refunds": "refund ", "charged": "charged me ", "German payments": "zahl", "deeds": "we will ",
    "manners": "we have gladly ", "wishes": "cancel my ", "mailings": "send- ", "keys": "eyJ-",
    "cards": "4 1 ", "questions without end": "what ", "tags": "<a ", "dates": "1 may 2",
    "joining words": "and ",
}  # fmt: skip
SHAPES = {**PLAIN, **WRITTEN, **NEARLY}


def _word(number: int) -> str:
    return "".join("bcdfglmnprstvz"[number // 14**at % 14] + "aeiou"[number % 5] for at in range(4))


# No word stands in it twice, so that nothing is remembered.
SHAPES["different words"] = " ".join(_word(number * 7919) for number in range(6000))


def mixed(together: int) -> list[tuple[str, ...]]:
    """The shapes in groups of so many: one text with a long run of each saves time."""
    shapes, groups = list(SHAPES.values()), -(-len(SHAPES) // together)
    return [tuple(shapes[at::groups]) for at in range(groups)]
