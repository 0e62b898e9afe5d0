"""Which language a text is written in, by eldc; docs/adr/0021 compares it with others.

A short or uncertain text has no language, rather than a guessed one.
"""

import re
from functools import lru_cache

import eldc  # type: ignore[import-untyped]

from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from tools.language_tags import UNDETERMINED, iso_language
from tools.wording import LANGUAGES

# Addresses, links, files and ids are in no language: "com" is no Portuguese. A run of ASCII that
# holds one of their signs; "." is one before a letter, a digit or "_".
OF_WORDS = r"[!-\-:;?A-Z\[\]^`a-z|~]"
NO_WORDS = re.compile(
    rf"(?<![!-~]){OF_WORDS}*+(?:\.(?![0-9A-Z_a-z]){OF_WORDS}*+)*+[.@0-9_/\\<>{{}}=][!-~]*"
)
CONFIDENT = 0.5
LIKELY = 0.2
# Of words that eldc does not call reliable 1 in 4 is wrong; with such scores, 1 in 30.
HIGH_SCORE, CLEAR_LEAD = 0.9, 0.2
UNSURE = 0.1
# A short text of names and one word may be called reliable in the next language.
GOOD_SCORE, LONG = 0.8, 40

eldc.init()


@lru_cache(maxsize=256)
def language_of(text: str) -> tuple[str, float]:
    """The ISO 639-1 code and how sure it is, 0 to 1; UNDETERMINED when nothing tells.

    A run asks several times about its ticket's text and its claims.
    """
    plain = text[:READ_CHARS].encode("utf-8", "ignore").decode().replace("\0", " ")
    words = NO_WORDS.sub(" ", plain)
    found = eldc.detect_details(words)
    scores = list(found.scores.values())
    if not scores or not scores[0] or not any(map(str.isalpha, words)):
        return UNDETERMINED, 0.0
    lead = (scores[0] - (scores[1] if len(scores) > 1 else 0.0)) / scores[0]
    if found.reliable and (scores[0] >= GOOD_SCORE or sum(map(str.isalpha, words)) >= LONG):
        return iso_language(found.language), CONFIDENT + lead / 2
    clear = found.reliable or (scores[0] >= HIGH_SCORE and lead >= CLEAR_LEAD)
    return iso_language(found.language), LIKELY if clear else UNSURE


def ticket_language(ticket: Ticket) -> str | None:
    """The language as it was posted, else of the text, else of both with the subject, else None.

    One that the service does not speak must be surer.
    """
    if ticket["language"]:
        return ticket["language"]
    for text in (ticket["body"], f"{ticket['subject']}\n{ticket['body']}"):
        code, sure = language_of(text)
        if sure >= (LIKELY if code in LANGUAGES else CONFIDENT):
            return code
    return None
