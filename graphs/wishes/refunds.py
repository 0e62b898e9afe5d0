"""Does the customer ask for this refund? Read by code, whatever the model that quotes them says.

A refund is proposed only for a clause that asks for money in an own, positive request. Where more
of the message speaks against it, or not all of it is understood, a person must agree to it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from graphs.alarm import folded
from graphs.text.bounds import READ_CHARS
from graphs.text.calendar_values import Day, dates_in
from graphs.text.language import language_of
from graphs.wishes.amounts import AMOUNT, UNCOUNTED, minor_units
from graphs.wishes.clauses import QUOTED, Clause, clauses, touched
from graphs.wishes.quotes import Said
from graphs.wishes.words import Words, languages
from tools.billing import ids_of, refundable
from tools.models import Payment

NOT_PLAIN = "the customer's words do not plainly ask for this refund"
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)?(?!\d)")
# Marks with which what another person says begins; other marks of quotation are read as such.
TOLD = ("'", "\u2018", "`")
DENIAL_WORDS = 3
LETTER = re.compile(r"[^\W_]")
WORD = re.compile(r"[^\W_]+")


# The quote of a wish, the payment, and the amount in minor units.
Wanted = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The refunds that the customer of these payments asks for; each quote is read once."""

    said: Said
    own: Sequence[Payment]
    read: dict[str, "Wish | None"] = field(default_factory=dict)

    def asks_for(self, wanted: Wanted) -> bool:
        """Whether the quote is a reviewer's wish, or an own request for no less than this."""
        quote, id_, amount_minor = wanted
        if self.said.by_reviewer(quote):
            return True
        payment = next((p for p in self.own if p["id"] == id_), None)
        wish = self._wish(quote)
        if wish is None or payment is None:
            return False
        return not is_too_much(wish, payment, amount_minor, self.own)

    def are_plain(self, wanted: Sequence[Wanted]) -> bool:
        """Whether the customer plainly asks for each of these refunds and for so many.

        What only a reviewer's guidance asks for is not plain: "do not refund this" holds the
        words "refund this", and the reviewer sees the new plan.
        """
        ids = {id_ for _, id_, _ in wanted}
        return all(self._is_plain(one, ids) for one in wanted)

    def _is_plain(self, wanted: Wanted, ids: Collection[str]) -> bool:
        quote, id_, amount_minor = wanted
        payment = next((p for p in self.own if p["id"] == id_), None)
        wish = self._wish(quote)
        if wish is None or payment is None or not is_plain(wish, payment, amount_minor, self.own):
            return False
        return len(ids) == 1 or are_several_meant(wish, ids, self.own)

    def _wish(self, quote: str) -> "Wish | None":
        if quote not in self.read:
            quoted = self.said.quoted(quote)
            self.read[quote] = wish_in(quote, self.said.text, self.own) if quoted else None
        return self.read[quote]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a quote asks for: its clauses that ask, the others of the text, and the languages that
    the request may be in.

    `doubtful`: something else in the text may speak against it.
    """

    asking: tuple[Clause, ...]
    others: tuple[Clause, ...]
    words: tuple[Words, ...]
    doubtful: bool

    @property
    def around(self) -> list[Clause]:
        """The clauses of the sentences that ask."""
        sentences = {id(clause.sentence) for clause in self.asking}
        return [c for c in (*self.asking, *self.others) if id(c.sentence) in sentences]

    def says(self, kind: str, text: str) -> bool:
        """Whether the text holds a word of this kind, in a language that the request may be in."""
        return any(words[kind].search(text) for words in self.words)


def wish_in(quote: str, text: str, own: Sequence[Payment]) -> Wish | None:
    """The own, positive request for money that the quote of this text makes; None without one."""
    read = text[:READ_CHARS]
    found = {
        language: wish for language, words in languages().items()
        if (wish := _wish(quote, read, words, own)) is not None
    }  # fmt: skip
    asked = {language: wish for language, wish in found.items() if wish.asking}
    best = language_of(read)[0]
    wish = found.get(best) or next(iter(found.values()), None)
    # Where the language is not known, no language may see anything against it.
    if wish is None or not wish.asking or (best not in found and asked != found):
        return None
    words = tuple(words for one in found.values() for words in one.words)
    doubtful = asked != found or any(one.doubtful for one in found.values())
    return replace(wish, words=words, doubtful=doubtful)


def _wish(quote: str, text: str, words: Words, own: Sequence[Payment]) -> Wish | None:
    """The wish as one language reads it; None when that language sees no request at all."""
    among = clauses(text, words["cut"])
    quoted = touched(quote, among)
    requests = [n for n in sorted(quoted) if requests_money(among[n], words, own)]
    asking = [n for n in requests if not denied(among[n], words)]
    if not requests and not (asking := put_right(among, quoted, words)):
        return None
    others = [clause for n, clause in enumerate(among) if n not in asking]
    doubtful = (
        not all(requests_money(among[n], words, own) for n in asking)
        or any(against(clause, words) for clause in others)
        or any(among[n].sentence.holds(words["conditions"]) for n in asking)
        or any(words["known"].search(among[n].text) for n in asking)
        or any(is_reported(n, among, words) or is_answered_no(n, among, words) for n in asking)
        or len(text) >= READ_CHARS
    )
    return Wish(tuple(among[n] for n in asking), tuple(others), (words,), doubtful)


def own_part(clause: Clause) -> str:
    """The clause without what it quotes."""
    return QUOTED.sub(" ", clause.text)


def requests(clause: Clause, words: Words) -> bool:
    """Whether the clause asks for something, or orders it."""
    said = own_part(clause)
    return bool(words["asks"].search(said) or words["order"].match(said))


def requests_money(clause: Clause, words: Words, own: Sequence[Payment]) -> bool:
    """Whether the clause asks for money: between the request and the money every word is known.

    "Please check the refund" asks for something else.
    """
    said = own_part(clause)
    order, money = words["order"].match(said), list(words["money"].finditer(said))
    asks = [*([order] if order else []), *words["asks"].finditer(said)]
    marks = sorted([(m.span(), True) for m in asks] + [(m.span(), False) for m in money])
    return any(
        one_asks != other_asks and is_known(without_names(said[end:begin], own), words)
        for ((_, end), one_asks), ((begin, _), other_asks) in pairwise(marks)
    )


def is_known(text: str, words: Words) -> bool:
    """Whether every word of the text may stand in a plain request, amounts left out."""
    return LETTER.search(words["known_words"].sub(" ", AMOUNT.sub(" ", text))) is None


def denied(clause: Clause, words: Words) -> bool:
    """Whether the clause takes its request back, or is a question that asks for no deed."""
    question = clause.asked and not clause.sentence.holds(words["polite"])
    return question or words["against"].search(own_part(clause)) is not None


def against(clause: Clause, words: Words) -> bool:
    """Whether a clause beside the request speaks of a refund in another way, or takes it back."""
    if words["retracts"].search(clause.text):
        return True
    spoken = words["money"].search(clause.text) is not None
    return spoken and (clause.asked or clause.sentence.holds(words["against"]))


def is_reported(n: int, among: Sequence[Clause], words: Words) -> bool:
    """Whether the clause may be another's words, or an example: behind a colon, in quotes, or
    without a mark behind what denies, asks or tells: "My boss said please refund me".
    """
    if among[n].text.lstrip()[:1] in TOLD:
        return True
    before = among[n - 1].text.rstrip() if n else ""
    goes_on = n > 0 and among[n - 1].sentence is among[n].sentence and before[-1:].isalnum()
    return before.endswith(":") or (goes_on and words["against"].search(before) is not None)


def is_answered_no(n: int, among: Sequence[Clause], words: Words) -> bool:
    """Whether a few words behind the request deny it: "Please refund me? No."."""
    after = among[n + 1].text if n + 1 < len(among) else ""
    return len(after.split()) <= DENIAL_WORDS and words["against"].search(after) is not None


def put_right(among: Sequence[Clause], quoted: set[int], words: Words) -> list[int]:
    """The quoted clauses that ask to put right a wrong charge which the text tells of."""
    wrong = any(words["complaint"].search(c.text) and not c.asked for c in among)
    if not wrong or any(against(clause, words) for clause in among):
        return []
    return [
        n for n in sorted(quoted)
        if requests(among[n], words) and words["repair"].search(own_part(among[n]))
        and not denied(among[n], words)
    ]  # fmt: skip


def named(clause: Clause, payments: Sequence[Payment]) -> set[str]:
    """The payments whose id, or else whose description, the clause holds."""
    by_id = {p["id"] for p in payments if any(holds(clause.text, id_) for id_ in ids_of(p))}
    return by_id or {p["id"] for p in payments if holds(clause.text, p["description"])}


def named_by(wish: Wish, payments: Sequence[Payment]) -> set[str]:
    """The payments that the sentences name which ask, beside a "but leave that one"."""
    clauses = [c for c in wish.around if not wish.says("against", c.text)]
    return {id_ for clause in clauses for id_ in named(clause, payments)}


def hinted_at(wish: Wish, own: Sequence[Payment]) -> set[str]:
    """The payments of which the request holds a word that no other has: "the October one".

    A word of plain requests, such as "plan", chooses none.
    """
    clauses = [own_part(c) for c in wish.around if not wish.says("against", c.text)]
    said = set().union(*map(_names, clauses))
    said = {word for word in said if not any(is_known(word, words) for words in wish.words)}
    names = {payment["id"]: _names(payment["description"]) & said for payment in own}
    things = Counter(word for named in set(map(frozenset, names.values())) for word in named)
    return {id_ for id_, named in names.items() if any(things[word] == 1 for word in named)}


def _names(text: str) -> set[str]:
    """The words of a text that may name a thing, in folded letters; a number may be an amount."""
    return {word for word in WORD.findall(folded(text)) if not word.isdigit()}


def holds(text: str, name: str) -> bool:
    """Whether the name stands in the folded text as whole words."""
    return bool(name.strip()) and re.search(whole(name), text) is not None


def whole(name: str) -> str:
    """The pattern of a name in a folded text; letters of Japanese may stand around it."""
    return rf"(?<![a-z0-9_]){re.escape(folded(name))}(?![a-z0-9_])"


def is_too_much(wish: Wish, payment: Payment, amount_minor: int, own: Sequence[Payment]) -> bool:
    """Whether the request names another payment, less money, or a share that is not worked out."""
    meant = named_by(wish, own) or hinted_at(wish, own)
    if meant and payment["id"] not in meant:
        return True
    for clause in wish.around:
        spoken, rest = amounts(clause, payment, own)
        if any(amount is None or amount < amount_minor for amount in spoken):
            return True
        if is_share(rest, wish.words):
            return True
    return False


def is_plain(wish: Wish, payment: Payment, amount_minor: int, own: Sequence[Payment]) -> bool:
    """Whether all that the message says of it fits this refund."""
    if wish.doubtful or not is_meant(wish, payment, own) or names_other_day(wish, payment):
        return False
    for clause in (*wish.asking, *wish.others):
        spoken, rest = amounts(clause, payment, own)
        if any(amount != amount_minor for amount in spoken) or is_share(rest, wish.words):
            return False
    return all(is_understood(amounts(c, payment, own)[1], wish) for c in wish.asking)


def names_other_day(wish: Wish, payment: Payment) -> bool:
    """Whether the request names a date in full that is not the day of the payment."""
    named = (found for clause in wish.around for found in dates_in(clause.text)[0])
    day = date.fromisoformat(payment["captured_at"][:10])
    paid = Day(day.year, day.month, day.day)
    return any(isinstance(d.value, Day) and d.value.day and not d.value.is_in(paid) for d in named)


def is_understood(rest: str, wish: Wish) -> bool:
    """Whether every word of a request is known, names and amounts left out.

    What can turn a request into something else has no end; what plain requests are made of has.
    """
    return any(is_known(rest, words) for words in wish.words)


def is_meant(wish: Wish, payment: Payment, own: Sequence[Payment]) -> bool:
    """Whether it can be no other payment: it is named, or all that are left are of one thing."""
    meant = named_by(wish, own)
    beside = {id_ for clause in wish.others for id_ in named(clause, own)}
    candidates = meant or beside or {p["id"] for p in own if refundable(p)}
    things = {p["description"] for p in own if p["id"] in candidates}
    return payment["id"] in candidates and (bool(meant) or len(things) == 1)


def are_several_meant(wish: Wish, ids: Collection[str], own: Sequence[Payment]) -> bool:
    """Whether the request asks for all of these payments: each by its id, or every one."""
    for clause in wish.around:
        rest = without_names(clause.text, own)
        if AMOUNT.search(rest) or wish.says("single", rest):
            return False
    names = [ids_of(payment) for payment in own if payment["id"] in ids]
    around = [clause.text for clause in wish.around]
    if all(any(holds(text, id_) for text in around for id_ in each) for each in names):
        return True
    return any(wish.says("every", clause.text) for clause in wish.asking)


def amounts(
    clause: Clause, payment: Payment, own: Sequence[Payment]
) -> tuple[list[int | None], str]:
    """The amounts of a clause as of this payment, and what else it says, names left out."""
    rest = without_names(clause.text, own)
    spoken = [minor_units(match, payment["currency"]) for match in AMOUNT.finditer(rest)]
    return spoken, AMOUNT.sub(" ", rest)


def is_share(rest: str, among: Iterable[Words]) -> bool:
    """Whether a clause without its amounts names a part of one, or an amount without figures."""
    if "%" in rest or UNCOUNTED.search(rest):
        return True
    return any(words["quantity"].search(rest) for words in among)


def without_names(text: str, own: Sequence[Payment]) -> str:
    """The text without the ids and descriptions of payments, and without dates."""
    names = {name for p in own for name in (*ids_of(p), p["description"]) if name.strip()}
    for name in sorted(names, key=lambda name: (-len(name), name)):
        text = re.sub(whole(name), " ", text)
    return DATE.sub(" ", text)
