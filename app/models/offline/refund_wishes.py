"""Offline refund wishes: does the customer ask for a refund, in words that are all understood?

A word about a refund is no request. What is no plain request, or holds a word that is not known
here, is left to a person.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.models.offline.payment_ids import NO_IDS, PaymentIds
from app.models.offline.wish_words import any_word, pattern, wish_words, word_pattern
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS, normalized
from graphs.wishes.amounts import AMOUNT
from tools.models import Payment

REFUND, COMPLAINT = pattern("refund"), pattern("complaint")
MENTION = pattern("refund", "complaint")
REQUEST, KNOWN_REFUND = pattern("request"), pattern("known_refund")
HEADING, LEFT_ALONE = pattern("heading"), pattern("left_alone")
# Between two clauses.
CUT = re.compile(rf"(?<=[.!?,;:])\s|\n|\s(?={any_word('cut')}\b)", re.IGNORECASE)
WORD = re.compile(r"[\w'%$€£¥+/#-]+")
DOUBT = re.compile(rf"[\d%$€£¥]|^{any_word('doubt_first')}\b|\b{any_word('doubt')}\b")
UNDERSTOOD = frozenset(wish_words("understood"))
# Words of a wish after a charge that was taken twice.
UNDERSTOOD_TWICE = UNDERSTOOD | frozenset(wish_words("understood_twice"))
POINTS_BACK, POLITE = word_pattern("points_back"), pattern("polite")


@dataclass(frozen=True, slots=True)
class RefundWish:
    """A customer's own request: the first clause that asks, all that do, and the whole text.

    `known`: the ids that were read.
    """

    quote: str
    asked: str
    text: str
    known: PaymentIds = NO_IDS

    @property
    def ids(self) -> set[str]:
        """The payments that the request names; else the only one that it can point back to."""
        named = self.known.named(self.asked)
        elsewhere = self.known.named(self.text)
        return named or (elsewhere if len(elsewhere) == 1 else set())

    @property
    def scope(self) -> str:
        """Where the thing to refund is named: the text when the request points back to it."""
        return self.text if POINTS_BACK.search(self.asked) else self.asked

    def is_understood(self, payments: Iterable[Payment]) -> bool:
        """Whether every word of the request is known, or names one of the payments."""
        known = UNDERSTOOD_TWICE if COMPLAINT.search(self.text) else UNDERSTOOD
        names = set(words(" ".join(payment["description"] for payment in payments)))
        rest = words(AMOUNT.sub(" ", self.known.without(self.asked)))
        return all({word, word.removesuffix("s")} & (known | names) for word in rest)


def refund_wish(ticket: Ticket, *, twice: bool, known: PaymentIds = NO_IDS) -> RefundWish | None:
    """The request in a ticket that speaks of a refund; None when there is none or it is not clear.

    The body must ask, since a thread repeats its subject. Nothing beside the request may limit it;
    an amount may stand there when a charge was taken `twice`.
    """
    text = f"{ticket['subject']}\n{ticket['body']}"
    if len(text) > READ_CHARS:
        return None
    kinds = [(kind_of(c, twice=twice, known=known), c) for c in clauses(ticket["body"])]
    kinds += [(kind_of(c, twice=True, known=known), "") for c in clauses(ticket["subject"])]
    requests = [clause for kind, clause in kinds if kind == "request" and clause]
    if not requests or any(kind == "doubt" for kind, _ in kinds):
        return None
    return RefundWish(requests[0], "\n".join(requests), text, known)


def clauses(text: str) -> list[str]:
    """The parts of a text between marks and lines; none is blank."""
    return [clause.strip() for clause in CUT.split(text) if clause.strip()]


def kind_of(
    clause: str, *, twice: bool, known: PaymentIds = NO_IDS
) -> Literal["request", "doubt", "beside"]:
    """What a clause is to the wish for a refund."""
    said, names = plain(clause), bool(known.named(clause))
    left_alone = names and LEFT_ALONE.fullmatch(plain(known.without(clause)))
    if left_alone or HEADING.fullmatch(said):
        return "beside"
    if is_request(said, clause, names=names):
        return "request"
    limits = is_doubtful(known.without(AMOUNT.sub(" ", clause) if twice else clause))
    return "doubt" if limits or REFUND.search(said) else "beside"


def is_request(said: str, clause: str, *, names: bool = False) -> bool:
    """Whether the clause asks for a refund; a question does so politely or `names` a payment."""
    if not REQUEST.search(said) or KNOWN_REFUND.search(said):
        return False
    polite = POLITE.search(said) or said.startswith(wish_words("openings"))
    return not clause.endswith("?") or bool(polite) or names


def is_doubtful(clause: str) -> bool:
    """Whether what stands beside the request may limit it; ids are taken out before."""
    return DOUBT.search(plain(clause)) is not None


def lowered(text: str) -> str:
    """The text in small letters with plain apostrophes."""
    return normalized("NFKC", text).casefold().replace("\u2019", "'")


def plain(clause: str) -> str:
    """Its words in small letters, without punctuation."""
    return " ".join(words(clause))


def words(text: str) -> list[str]:
    """The words of a text in small letters, signs of quantities included."""
    return WORD.findall(lowered(text))
