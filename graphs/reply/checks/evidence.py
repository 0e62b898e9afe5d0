"""Each claim quotes what shows it, and has no value that its quotes lack."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from graphs.reply.checks.draft_case import Case
from graphs.reply.quotes import only_quotes, quote_problem
from graphs.reply.values import unsupported_values
from graphs.state import Claim
from graphs.text.markdown import read, unread, words
from graphs.text.sentence_ends import sentence_ends

SHOWN_CHARS = 200
# Those of Arabic, Armenian and Ethiopic, the reversed one and the pictures as well.
QUESTION_MARKS = "?？؟՞፧⸮❓❔"
MAX_NAMES = 20
# What stands in quotation marks or bold, and asks: the name of a button, perhaps.
QUOTED = '"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\u300e\u300f\u2018\u2019*'
NAME = re.compile(rf"[{QUOTED}]\s?([^{QUOTED}\n?？]{{1,60}}[?？])\s?[{QUOTED}]")


def quotes(case: Case) -> Iterator[str]:
    """Each quote stands word for word in a source, and no claim asks what no source asks.

    In `quotes` mode a claim is nothing but its quotes.
    """
    for claim in case.claims:
        said = claim["text"][:SHOWN_CHARS]
        if not claim["evidence"]:
            yield f"Nothing shows that {said!r}: quote what does, or leave it out."
        for quote in claim["evidence"]:
            if problem := quote_problem(quote, case.facts["sources"]):
                yield problem
        if case.grounding == "quotes" and not only_quotes(claim):
            yield f"{said!r} is more than its quotes: write the quotes word for word."
        if asks(claim, case.texts_of(claim)):
            yield f"{said!r} asks the customer something: state what the sources say."


def asks(claim: Claim, sources: Sequence[str]) -> bool:
    """Whether the claim holds a question that stands in none of its quotes.

    Code asks the customer; what else asks may want a password. A name in quotation marks may ask
    when it stands anywhere in the sources that the claim quotes.
    """
    named = NAME.sub(lambda name: "" if shows(name, sources) else name[0], claim["text"])
    shown = [read(quote["quote"]).text for quote in claim["evidence"]]
    text = read(named).text
    begin = 0
    if any(mark in part for part in unread(named) for mark in QUESTION_MARKS):
        return True
    for end in sentence_ends(text):
        sentence, begin = text[begin:end].strip(), end
        asked = any(mark in sentence for mark in QUESTION_MARKS)
        if asked and not any(ends_as_shown(sentence, quote) for quote in shown):
            return True
    return False


def shows(name: re.Match[str], sources: Sequence[str]) -> bool:
    """Whether a source holds what stands in quotation marks, such as the name of a button."""
    return any(words(name[1]) in source for source in sources)


def ends_as_shown(sentence: str, quote: str) -> bool:
    """Whether the quote holds the sentence, or the name at its end: "choose Forgot password?".

    A name is two words or more, begins with a capital, and holds the sentence's one mark.
    """
    if sentence in quote:
        return True
    said = sentence.split()
    names = (" ".join(said[at:]) for at in range(1, len(said) - 1) if said[at][0].isupper())
    return sentence.count("?") == 1 and any(name in quote for name in islice(names, MAX_NAMES))


def values(case: Case) -> Iterator[str]:
    """Numbers, dates, amounts, links and addresses of a claim stand in its evidence."""
    titles = {(s["kind"], s["id"]): s["title"] for s in case.facts["sources"]}
    for claim in case.claims:
        named = (titles.get((quote["kind"], quote["id"]), "") for quote in claim["evidence"])
        shown = [*named, *(quote["quote"] for quote in claim["evidence"])]
        for value in unsupported_values(claim["text"], shown):
            yield (
                f"{value[:SHOWN_CHARS]!r} stands in no quote of {claim['text'][:SHOWN_CHARS]!r}: "
                "leave it out, or quote what says it."
            )
