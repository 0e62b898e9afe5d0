"""Ids in a text: which payments it names, by the ids of what was read in this run.

An id is whatever the provider calls a payment. A word that looks like an id and is none of those
that were read names something else, so nothing may be guessed beside it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tools.billing import ids_of
from tools.models import Payment, Subscription

# "pay_4001", "ch_3MmlLrLkdIwHu7ix": a kind, an underscore and the rest.
LOOKS_LIKE_AN_ID = r"(?<!\w)[a-z]{2,}_\w+"


@dataclass(frozen=True)
class PaymentIds:
    """The ids of a text that were read: `payments` by all that each is called, and `others`, such
    as subscriptions, which name no payment."""

    payments: dict[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        known = sorted({*self.payments, *self.others}, key=len, reverse=True)
        whole = [rf"(?<!\w){re.escape(id_)}(?!\w)" for id_ in known]
        return re.compile("|".join([*whole, LOOKS_LIKE_AN_ID]), re.IGNORECASE)

    def named(self, text: str) -> set[str]:
        """The payments that the text names, and what looks like an id and was not read."""
        said = {found.group() for found in self._pattern.finditer(text)}
        own = {id_.casefold(): payment for id_, payment in self.payments.items()}
        others = {id_.casefold() for id_ in self.others}
        # An id is compared as it is written; in folded words its letters are small.
        return {
            self.payments.get(id_) or own.get(id_, id_)
            for id_ in said
            if id_.casefold() not in others
        }

    def without(self, text: str) -> str:
        """The text without its ids."""
        return self._pattern.sub(" ", text)


NO_IDS = PaymentIds()


def ids_in(
    text: str, payments: Iterable[Payment], subscriptions: Sequence[Subscription] = ()
) -> PaymentIds:
    """The ids that were read and stand in the text; one of two payments names none of them."""
    folded = text.casefold()
    names: dict[str, str] = {}
    twice: set[str] = set()
    for payment in payments:
        for id_ in ids_of(payment):
            if id_.casefold() in folded:
                twice |= {id_} if names.get(id_, payment["id"]) != payment["id"] else set()
                names[id_] = payment["id"]
    others = frozenset(s["id"] for s in subscriptions if s["id"].casefold() in folded)
    return PaymentIds({id_: own for id_, own in names.items() if id_ not in twice}, others)
