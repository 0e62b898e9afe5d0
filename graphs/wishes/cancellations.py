"""Does the customer ask for the end of a subscription?

A person agrees to every cancellation, so a word of an end is enough, and nothing against it.
"""

from graphs.text.bounds import READ_CHARS
from graphs.text.language import language_of
from graphs.wishes.clauses import Clause, clauses, touched
from graphs.wishes.quotes import Said
from graphs.wishes.words import Words, languages
from tools.language_tags import UNDETERMINED


def asks_to_end(quote: str, said: Said) -> bool:
    """Whether the quote is a reviewer's, or the customer's, speaks of an end, and nothing speaks
    against it."""
    if said.by_reviewer(quote):
        return True
    return said.quoted(quote) and not is_denied(quote, said.text)


def is_denied(quote: str, text: str) -> bool:
    """Whether the quote of this text says not to, only asks about it, or speaks of no end, or the
    text tells of an end that was a mistake."""
    read = text[:READ_CHARS]
    language = language_of(read)[0]
    words = languages().get(language) or languages()["en"]
    among = clauses(read, words["cut"])
    if any(words["undone"].search(clause.text) for clause in among):
        return True
    quoted = [among[n] for n in sorted(touched(quote, among))]
    foreign = language not in (*languages(), UNDETERMINED)
    if not foreign and not any(map(_speaks_of_end, quoted)):
        return True
    return all(_denied(clause, words) for clause in quoted)


def _speaks_of_end(clause: Clause) -> bool:
    """In any of our languages: "Abo canceln" is German enough."""
    return any(
        clause.sentence.holds(words[kind])
        for words in languages().values()
        for kind in ("ends", "endings")
    )


def _denied(clause: Clause, words: Words) -> bool:
    question = clause.asked and not clause.sentence.holds(words["polite"])
    rest = words["ends"].sub(" ", clause.text)
    return question or words["against"].search(rest) is not None
