"""Does the customer ask for the end of a subscription?

Only what speaks against it is read here: a person agrees to every cancellation.
"""

from graphs.text.bounds import READ_CHARS
from graphs.text.language import language_of
from graphs.wishes.clauses import Clause, clauses, touched
from graphs.wishes.quotes import Said
from graphs.wishes.words import Words, languages


def asks_to_end(quote: str, said: Said) -> bool:
    """Whether the quote is a reviewer's, or the customer's and nothing speaks against it."""
    if said.by_reviewer(quote):
        return True
    return said.quoted(quote) and not is_denied(quote, said.text)


def is_denied(quote: str, text: str) -> bool:
    """Whether the quote of this text says not to, only asks about it, or the text tells of an end
    that was a mistake."""
    read = text[:READ_CHARS]
    words = languages().get(language_of(read)[0]) or languages()["en"]
    among = clauses(read, words["cut"])
    if any(words["undone"].search(clause.text) for clause in among):
        return True
    return all(_denied(among[n], words) for n in touched(quote, among))


def _denied(clause: Clause, words: Words) -> bool:
    question = clause.asked and not clause.sentence.holds(words["polite"])
    rest = words["ends"].sub(" ", clause.text)
    return question or words["against"].search(rest) is not None
