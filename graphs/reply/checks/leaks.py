"""A reply leaks nothing: no other person's data, no secrets, no instructions."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise

from graphs.reply.checks.draft_case import Case
from graphs.text.links import ADDRESS
from graphs.text.tokens import WORD

# Identifiers as billing systems write them: "cus_ann", "pay_1002".
ID = re.compile(r"\b(?:cus|customer|pay|payment|sub|ch|pi|re|in|inv|acct|run|ap|usr|user|ord|order"
                r"|txn|ten|tenant|ticket|tkt)_[a-z0-9]\w*", re.IGNORECASE)  # fmt: skip
# What of them may be in a reply: what stands by itself in a fact, and is no part of more.
PERSONAL = tuple(
    (pattern, re.compile(rf"(?<![\w.@-]){pattern.pattern}(?![\w@-])", re.IGNORECASE), what)
    for pattern, what in ((ADDRESS, "an e-mail address"), (ID, "an identifier"))
)
PHONE = re.compile(r"(?<![\w.])(?:\+\s?|00)?\(?\d[\d\s()./-]{6,24}\d(?![\w])")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}")
IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b")
DIGITS = re.compile(r"\d+")
CARD = re.compile(r"\d(?:[\s.\-\u2010-\u2015/_·]{0,3}\d){12,60}")
# Keys by the prefixes that well-known makers give them, and ours.
KEY = re.compile(
    r"\b(?:dg_[\w-]{6,}|(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[\w-]{10,}"
    r"|(?:AKIA|ASIA|AROA)[0-9A-Z]{12,}|gh[opsur]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}"
    r"|xox[abeprs]-[\w-]{10,}|AIza[\w-]{20,}|hf_\w{20,}|npm_\w{20,}|lsv2_\w{10,}"
    r"|eyJ[\w-]{8,400}\.[\w-]{4,}(?:\.[\w-]*)?|whsec_\w{10,}|Bearer\s+[\w.~+/-]{16,}"
    r"|(?:password|passwd|secret|api[ _-]?key)\s?[:=]\s?[^\s,;]{6,}"
    r"|[a-z]{2,12}(?:ql|db)?://[^\s/:@]{1,64}:[^\s@]{1,128}@)"
    r"|-----\s?BEGIN [A-Z ]{0,30}(?:PRIVATE KEY|CERTIFICATE)|ssh-(?:rsa|ed25519) AAAA",
    re.IGNORECASE,
)
TOKEN = re.compile(r"(?<![\w/+=-])[\w/+=-]{24,512}(?![\w/+=-])")
# Bits by character from which a token is no word; English words stay near 3.
ENTROPY_BITS = 3.5
STRETCH = 8


def personal_data(case: Case) -> Iterator[str]:
    """An identifier stands in a fact or in the ticket, else it belongs to another person."""
    known = f"{case.sources}\n{case.asked}"
    for pattern, alone, what in PERSONAL:
        found = {match[0].rstrip(".,-").casefold() for match in pattern.finditer(case.text)}
        if found and not found <= {match[0] for match in alone.finditer(known.casefold())}:
            yield f"The reply holds {what} that stands in no fact: leave it out."
    accounts, phones = IBAN.findall(case.text), PHONE.findall(DATE.sub(" ", case.text))
    digits = re.sub(r"[^\dA-Za-z]", "", known).casefold() if accounts or phones else ""
    for account in accounts:
        code = re.sub(r"[ -]", "", account).casefold()
        if _is_iban(code) and code not in digits:
            yield "The reply holds an account number that stands in no fact: leave it out."
    for phone in phones:
        if re.sub(r"\D", "", phone) not in digits:
            yield "The reply holds a phone number that stands in no fact: leave it out."


def secrets(case: Case) -> Iterator[str]:
    """No card number and no key leaves, even when the customer sent it."""
    if any(_holds_card(found[0]) for found in CARD.finditer(case.text)):
        yield "The reply holds a card number: leave it out."
    known = f"{case.sources}\n{case.asked}"
    random = {found[0] for found in TOKEN.finditer(case.text) if _looks_random(found[0])}
    if KEY.search(case.text) or any(token not in known for token in random):
        yield "The reply holds a key or another secret: leave it out."


def prompt(case: Case) -> Iterator[str]:
    """A reply holds neither the token of the instructions nor a stretch of their words."""
    text = re.sub(r"[\W_]", "", case.text.casefold())
    marks = [mark.casefold() for mark in TOKEN.findall(case.prompt)]
    if any(mark in text or mark[::-1] in text for mark in marks):
        yield "The reply repeats the instructions: leave them out."
        return
    # Every run has its own mark in the same words.
    said = _stretches(case.text) & _instructed(TOKEN.sub(" ", case.prompt))
    if said and said - _stretches(case.sources):
        yield "The reply repeats the instructions word for word: leave them out."


def _stretches(text: str) -> set[tuple[str, ...]]:
    """Every run of STRETCH words."""
    words = [word for found in WORD.findall(text.casefold()) for word in re.split("[-']", found)]
    return {tuple(words[i : i + STRETCH]) for i in range(len(words) - STRETCH + 1)}


@lru_cache(maxsize=16)
def _instructed(prompt: str) -> frozenset[tuple[str, ...]]:
    """The stretches of a prompt, of which there are few."""
    return frozenset(_stretches(prompt))


def _holds_card(run: str) -> bool:
    """Whether neighbouring groups of the digits, 13 to 19 of them, are a card number."""
    groups = DIGITS.findall(run)
    edges = [0, *accumulate(map(len, groups))]
    sums = [_luhn_sums("".join(groups), parity) for parity in (0, 1)]
    found = (
        sums[end % 2][end] - sums[end % 2][start]
        for at, start in enumerate(edges)
        for end in edges[at + 1 : at + 20]
        if 13 <= end - start <= 19
    )
    return any(total and total % 10 == 0 for total in found)


def _luhn_sums(digits: str, parity: int) -> list[int]:
    """Running sums of the digits, those in places of this parity doubled as for a check digit.

    The check digit of card numbers is the last one (ISO/IEC 7812-1); 9 is taken from a sum of two
    digits. Of a number that ends before place `end`, the sums of the parity of `end` count.
    """
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = (doubled[int(d)] if at % 2 == parity else int(d) for at, d in enumerate(digits))
    return [0, *accumulate(values)]


def _is_iban(code: str) -> bool:
    """Whether letters and digits carry the check digits of an IBAN (ISO 13616: modulo 97)."""
    turned = code[4:] + code[:4]
    return 15 <= len(code) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _looks_random(token: str) -> bool:
    """Whether a long token mixes kinds of characters as no word does (Shannon's entropy)."""
    kinds = sum(bool(re.search(kind, token)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    share = [n / len(token) for n in Counter(token).values()]
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(token))
    return kinds >= 2 and changes >= 4 and -sum(p * math.log2(p) for p in share) >= ENTROPY_BITS
