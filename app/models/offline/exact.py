"""Which article answers a ticket exactly: the only one that the offline model may answer from.

The ticket must ask one thing, and in the words of the article's title or of a question that the
article declares. Words that say nothing about the matter do not count: a greeting, thanks, "could
you tell me", "the" and "my". Every other word counts, "not" and "still" among them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from app.models.offline.words import LANGUAGES, one_of, phrases, spoken, without, words
from graphs.state import Ticket
from graphs.text.noise.wordings import Text, holds, wordings
from graphs.text.tokens import WORD, stem
from tools.models import Passage

# No longer text asks one thing in the words of a title.
MAX_CHARS = 600
# What an article with such a title answers, and what asks for something to be done instead.
LEADS = ("how", "where", "what", "may")
# "E42", "ERR_1234", "0x80070057", also beside a script without spaces.
CODE = re.compile(
    r"(?<![A-Za-z0-9_])(?:[A-Z]{1,5}[-_]?[0-9]{2,6}|0x[0-9A-Fa-f]{4,8})(?![A-Za-z0-9_])"
)
CLAUSE = re.compile(r"[^,.!?\n]*[,.!?\n]?")
# More words after a greeting or below a farewell are no name.
NAME_WORDS = 3
# Wordings of these uses are of a matter, and of no name.
USES = ("matters", "deeds")


class Form(NamedTuple):
    """A question without the words that do not count: how it asks, and the stems of the rest."""

    lead: str | None
    core: tuple[str, ...]


def exact_passage(ticket: Ticket, passages: Sequence[Passage]) -> Passage | None:
    """The passage of the one article that answers the ticket exactly; None if none or several do.

    It must begin where its article does, since the beginning is what would be quoted.
    """
    body = bare(ticket)
    if not body or len(body) + len(ticket["subject"]) > MAX_CHARS:
        return None
    fits = [p for p in passages if any(answers(p, ticket["subject"], body, x) for x in LANGUAGES)]
    return fits[0] if len(fits) == 1 and fits[0].get("opens") else None


def answers(passage: Passage, subject: str, body: str, language: str) -> bool:
    """Whether the article answers that, read in this language."""
    if explains_code(passage["title"], f"{subject}\n{body}", language):
        return True
    asked = form(body, language)
    title = form(passage["title"], language)
    declared = [form(text, language) for text in passage.get("questions", [])]
    fits = asked in declared or is_title(asked, body, title)
    return bool(asked.core) and fits and repeats(subject, asked, language)


def is_title(asked: Form, body: str, title: Form) -> bool:
    """Whether it asks how, where, what or whether about just what the title names.

    The bare title is a question only with a question mark: "Cancel my plan" asks for a deed.
    """
    is_question = asked.lead is not None or body.rstrip().endswith(("?", "？"))
    return is_question and asked.core == title.core and title.lead in (None, asked.lead)


def repeats(subject: str, asked: Form, language: str) -> bool:
    """Whether the subject says nothing that the question does not."""
    said = form(subject, language)
    empty = set(" ".join(words(language)["subject"]).split())
    return set(said.core) <= {*asked.core, *(stem(word, language) for word in empty)}


def explains_code(title: str, text: str, language: str) -> bool:
    """Whether the ticket only says that it shows the title's one error code, or asks about it."""
    codes = set(CODE.findall(title))
    if len(codes) != 1 or set(CODE.findall(text)) != codes:
        return False
    known = {*spoken(title).split(), *words(language)["small"], *words(language)["subject"]}
    polite = phrases(language, "greeting", "courtesy", "asking", "please")
    left = without(without(spoken(text), polite), phrases(language, "failing", "small"))
    return set(left.split()) <= known


@lru_cache(maxsize=20_000)
def form(text: str, language: str) -> Form:
    """What the text asks, as one reads it in that language; one that is too long asks nothing."""
    if len(text) > MAX_CHARS:
        return Form(None, ())
    plain = without(spoken(text), phrases(language, "greeting", "courtesy", "asking"))
    lead = one_of(plain, LEADS, language)
    if lead:
        plain = without(plain, phrases(language, lead), 1)
        plain = without(plain, phrases(language, "please"))
    left = without(plain, phrases(language, "small"))
    return Form(lead, tuple(stem(word, language) for word in left.split()))


def bare(ticket: Ticket) -> str:
    """The body without the line that greets by name and the name below it."""
    begin = ticket["body"].strip()[: MAX_CHARS + 1]
    lines = [line.strip() for line in begin.splitlines() if line.strip()]
    own = set(spoken(ticket["customer_name"] or "").split())
    if len(lines) > 1 and is_name(lines[-1], own, after=lines[-2]):
        lines.pop()
    text = "\n".join(lines)
    first = CLAUSE.match(text)
    return text[first.end() :].strip() if first and greets(first[0]) else text


def is_name(line: str, own: set[str], after: str) -> bool:
    """Whether the last line is the customer's name, or some name below a farewell."""
    said = spoken(line).split()
    if own and set(said) <= own:
        return True
    farewell = any(not without(spoken(after), phrases(x, "courtesy")) for x in LANGUAGES)
    return farewell and len(said) <= NAME_WORDS and looks_like_name(line)


def looks_like_name(line: str) -> bool:
    """Whether no word is in small letters or names a matter: "Still broken" is no name."""
    written = WORD.findall(line)
    known = any(
        holds(Text(line).in_words(x), w[use]) for x, w in wordings().items() for use in USES
    )
    return "?" not in line and not known and not any(word[0].islower() for word in written)


def greets(clause: str) -> bool:
    """Whether a clause is a greeting and at most a name."""
    if not clause or clause[-1] not in ",.!\n":
        return False
    said = spoken(clause)
    begins = any(phrases(x, "greeting").match(said) for x in LANGUAGES)
    named = not any(holds(f" {said} ", w[use]) for w in wordings().values() for use in USES)
    return begins and named and len(said.split()) <= NAME_WORDS + 1
