"""Puts a reply together: greeting, claims in the ticket's order, and what code says."""

from collections.abc import Sequence

from graphs.reply.question_key import NAME
from graphs.state import Claim
from graphs.text.links import literals_in
from graphs.text.phrases import GREETING, GREETING_NAMED
from graphs.text.tokens import visible

# Japanese writes no space behind the last three.
SENTENCE_ENDS = "\n.!?。！？"
NAME_CHARS = 60


def assembled(
    claims: Sequence[Claim],
    *,
    language: str | None,
    customer_name: str | None,
    sentences: Sequence[str] = (),
) -> str:
    """The greeting, the claims by question in the ticket's order, and below what code says.

    Without `sentences` it is the text that a person may edit.
    """
    # "q2" stands before "q10".
    ordered = sorted(claims, key=lambda claim: (len(claim["question"]), claim["question"]))
    said = [claim["text"] for claim in ordered]
    return with_sentences("\n\n".join([greeting(language, customer_name), *said]), sentences)


def greeting(language: str | None, customer_name: str | None) -> str:
    """The greeting, by name when the name is one: it may come from outside and hold anything."""
    name = visible(customer_name or "").strip()
    if name and len(name) <= NAME_CHARS and NAME.fullmatch(name) and not literals_in(name)[0]:
        return GREETING_NAMED.fill(language, name=name)
    return GREETING.fill(language)


def with_sentences(text: str, sentences: Sequence[str]) -> str:
    """The text, and below it what code says, unless it stands there by itself already."""
    _, missing = without_sentences(text, sentences)
    return "\n\n".join(filter(None, [text, *(said for said in sentences if said in missing)]))


def without_sentences(text: str, sentences: Sequence[str]) -> tuple[str, list[str]]:
    """The text without the sentences that code words, each once, and those that do not stand in it.

    A sentence counts only where it stands by itself: between line breaks or other sentences.
    """
    missing = []
    # The longest first: one may begin as another does.
    for sentence in sorted(sentences, key=len, reverse=True):
        at = _place(text, sentence)
        if at is None:
            missing.append(sentence)
        else:
            text = f"{text[:at].rstrip()}\n{text[at + len(sentence) :].lstrip()}"
    return text.strip(), missing


def _place(text: str, sentence: str) -> int | None:
    """Where the sentence stands by itself; no part of the text is copied on the way there."""
    at = text.find(sentence)
    while at >= 0:
        begin, end = at, at + len(sentence)
        while begin and text[begin - 1] in " \t":
            begin -= 1
        opens = not begin or text[begin - 1] in SENTENCE_ENDS
        closes = end == len(text) or text[end].isspace() or sentence[-1] in SENTENCE_ENDS[4:]
        if opens and closes:
            return at
        at = text.find(sentence, at + 1)
    return None
