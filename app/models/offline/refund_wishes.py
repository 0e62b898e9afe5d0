"""Offline refund wishes: does the customer ask for a refund, in words that are all understood?

A word about a refund is no request. What is no plain request, or holds a word that is not known
here, is left to a person.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.models.offline.payment_ids import NO_IDS, PaymentIds
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS, normalized
from graphs.wishes.amounts import AMOUNT
from tools.models import Payment

# Money that went or should come back, in the languages of our replies.
REFUND = re.compile(
    r"refund|reimburs|money (?:to be )?(?:back|returned)|chargeback"
    r"|erstatt|geld zurück|rembours|reembols|devolu|rimbors|terugbeta|geld terug|返金",
    re.IGNORECASE,
)
COMPLAINT = re.compile(
    r"overcharged|(?:charged?|billed) (?:me |us )?(?:twice|double|two times|again)"
    r"|double[- ]charge|(?:second|duplicate) (?:charge|payment)",
    re.IGNORECASE,
)
MENTION = re.compile(f"{REFUND.pattern}|{COMPLAINT.pattern}", re.IGNORECASE)
ASKS = r"\b(?:i|we)(?: would|'d)? (?:like|want|need|request|demand)(?: to (?:have|get|request))?"
MONEY = r"(?:an? )?(?:full |complete )?(?:refund|reimbursement)\b|(?:my|our|the) money back\b"
REQUEST = re.compile(
    r"^(?:(?:hello|hi|dear|hey|team|support|please|kindly|so|and|also|then|now) )*"
    r"(?:refund|reimburse)\b"
    r"|\bplease (?:kindly )?(?:refund|reimburse)\b"
    r"|\b(?:can|could|would|will) you (?:please |kindly )?(?:refund|reimburse)\b"
    rf"|(?:\bplease|\b(?:can|could) you(?: please)?) (?:give|send|pay|get) (?:me |us )?(?:{MONEY})"
    rf"|{ASKS} (?:{MONEY}|you to refund\b)"
    rf"|\b(?:can|could|may) (?:i|we) (?:please )?(?:get|have) (?:{MONEY})"
)
# How a question begins that asks for something to be done.
OPENINGS = ("can i get", "can i have", "could i get", "could i have", "can we get", "can we have")
# An existing refund is spoken of, or a heading.
KNOWN_REFUND = re.compile(r"\b(?:my|our|the|this|that|your|any) (?:refund|reimbursement)")
HEADING = re.compile(r"(?:re )?(?:an? )?refunds?(?: request)?(?: (?:of|for) .*)?")
# "leave pay_4002", beside a wish for another payment; the id is taken out.
LEFT_ALONE = re.compile(
    r"(?:but |and )?(?:please )?(?:leave|keep|not)(?: (?:and|or))*(?: alone| as it is)?"
)
# Between two clauses.
CUT = re.compile(r"(?<=[.!?,;:])\s|\n|\s(?=but\b)", re.IGNORECASE)
WORD = re.compile(r"[\w'%$€£¥+/#-]+")
# What makes a wish smaller or takes it back, in a clause beside it.
DOUBT = re.compile(
    r"[\d%$€£¥]|^(?:not|no)\b|\b(?:half|thirds?|quarter|part|parts|partly|partial|partially|percent"
    r"|some|rest|remain\w*|difference|unused|vat|tax|taxes|fees?|cents?|dollars?|euros?|pounds?|yen"
    r"|bucks|only|just|except|but|if|unless|otherwise|instead|ignore|forget|never ?mind|mind"
    r"|hold on|wait|already|arrived|received|promis\w*|joking|actually|no longer|no need"
    r"|do not want|don't want)\b"
)
UNDERSTOOD = frozenset(
    """please kindly refund reimburse reimbursement money back give get send pay request demand
    like want need have would could can will i'd we'd i we you me us my our the a an of for on to in
    it this that these those them all both every each full complete payment payments charge charges
    purchase purchases and also too so then now hello hi dear hey team support thanks thank today
    cancel subscription subscriptions""".split()
)
# Words of a wish after a charge that was taken twice.
UNDERSTOOD_TWICE = UNDERSTOOD | frozenset(
    """was were been i've we've charged billed twice double two times second one ones duplicate
    extra again month week same other is""".split()
)
POINTS_BACK = re.compile(r"\b(?:it|this|that|these|those|them|one)\b", re.IGNORECASE)


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
    polite = "please" in said or said.startswith(OPENINGS)
    return not clause.endswith("?") or polite or names


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
