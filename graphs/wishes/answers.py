"""What the customer answers to "which payment?", read by code."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphs.text.bounds import READ_CHARS
from graphs.wishes.amounts import AMOUNT
from graphs.wishes.clauses import clauses
from graphs.wishes.refunds import (
    Wanted,
    Wishes,
    amounts,
    is_known,
    is_share,
    named,
    without_names,
)
from graphs.wishes.words import languages
from tools.models import Payment


@dataclass(frozen=True, slots=True)
class AnsweredWishes(Wishes):
    """The wishes of a customer who was asked which payment they mean, and of their answer.

    Their request is that of the message before; it is plain only with a plain answer.
    """

    answer: str = ""

    def asks_for(self, wanted: Wanted) -> bool:
        """Whether the request is an own one for no less than this, and the answer fits it."""
        quote, id_, amount_minor = wanted
        payment = next((p for p in self.own if p["id"] == id_), None)
        if payment is None or not Wishes.asks_for(self, wanted):
            return False
        return self.said.by_reviewer(quote) or not speaks_against(
            self.answer, payment, amount_minor, self.own
        )

    def are_plain(self, wanted: Sequence[Wanted]) -> bool:
        """Whether the customer plainly asks for this one refund, of the payment they chose."""
        chosen = plainly_chosen(self.answer, self.own)
        return Wishes.are_plain(self, wanted) and {id_ for _, id_, _ in wanted} <= {chosen}


def plainly_chosen(answer: str, own: Sequence[Payment]) -> str | None:
    """The id of the one payment that the answer names and says nothing else about, or None."""
    read = answer[:READ_CHARS]
    if len(answer) > READ_CHARS or "?" in read:
        return None
    for words in languages().values():
        among = clauses(read, words["cut"])
        ids = {id_ for clause in among for id_ in named(clause, own)}
        rest = [AMOUNT.sub(" ", without_names(clause.text, own)) for clause in among]
        plain = all(is_known(text, words) and not words["against"].search(text) for text in rest)
        if len(ids) == 1 and plain:
            return ids.pop()
    return None


def speaks_against(
    answer: str, payment: Payment, amount_minor: int, own: Sequence[Payment]
) -> bool:
    """Whether the answer names other payments than this one, less money, or a share of it."""
    read, known = answer[:READ_CHARS], languages().values()
    among = [clause for words in known for clause in clauses(read, words["cut"])]
    meant = {id_ for clause in among for id_ in named(clause, own)}
    if meant and payment["id"] not in meant:
        return True
    for clause in among:
        spoken, rest = amounts(clause, payment, own)
        if any(amount is None or amount < amount_minor for amount in spoken):
            return True
        if is_share(rest, known):
            return True
    return False
