"""Puts a reply together: greeting, claims in the ticket's order, and what code says."""

from collections.abc import Sequence

from graphs.state import Claim
from graphs.text.phrases import GREETING, GREETING_NAMED


def assembled(
    claims: Sequence[Claim],
    *,
    language: str | None,
    customer_name: str | None,
    sentences: Sequence[str],
) -> str:
    """The greeting, the claims, and below them what code says."""
    greeting = (
        GREETING_NAMED.fill(language, name=customer_name)
        if customer_name
        else GREETING.fill(language)
    )
    ordered = sorted(claims, key=lambda claim: claim["question"])
    return with_sentences("\n\n".join([greeting, *(c["text"] for c in ordered)]), sentences)


def with_sentences(text: str, sentences: Sequence[str]) -> str:
    """The text, and below it the sentences that it does not hold."""
    return "\n\n".join([text, *(said for said in sentences if said not in text)])
