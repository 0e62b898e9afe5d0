"""A reply is not too long, and in the customer's language."""

from collections.abc import Iterator

from graphs.reply.checks.draft_case import Case
from graphs.text.language import CONFIDENT, language_of
from tools.language_tags import UNDETERMINED, iso_language

MAX_LENGTH = 3000


def length(case: Case) -> Iterator[str]:
    """At most MAX_LENGTH characters."""
    if len(case.text) > MAX_LENGTH:
        yield f"The reply is longer than {MAX_LENGTH} characters: say less."


def language(case: Case) -> Iterator[str]:
    """Claims are in the ticket's language, as far as both are known; quotes are in the article's.

    What the ticket itself is written in counts as well: a wrong label does not make a reply wrong.
    """
    if case.grounding == "quotes":
        return
    wanted = iso_language(case.language)
    written, sure = language_of("\n".join(claim["text"] for claim in case.claims))
    if sure < CONFIDENT or wanted in (UNDETERMINED, written):
        return
    asked, asked_sure = language_of(case.asked)
    if not (asked == written and asked_sure >= CONFIDENT):
        yield f"The reply is in {written!r}: write it in the ticket's language, {wanted!r}."
