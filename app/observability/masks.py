"""Masks in a text: secrets, and the addresses and numbers of people.

Every function takes linear time. The patterns here are bounded; of those of the langsmith package
only the ones that begin with the prefix of a provider's key are used, on pieces of a long text. Its
patterns for `name: value` take a minute for 50 kB of "token.token.".
"""

import re
from collections.abc import Iterator
from functools import cache

from langsmith import anonymizer

SECRET = anonymizer.SECRET_PLACEHOLDER
# Longer texts are cut at a space, which no key holds.
PIECE_CHARS = 4000
OWN_KEY = re.compile(r"(?<!\w)dg_[0-9a-f]{1,64}_[\w-]{20,200}")
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[^-]|-(?!----)){1,20000}"
)
# `name: value`, also within JSON that was escaped, a header, and a URL with a password; each with
# words of which one stands in what it matches, since looking for those is a hundred times faster.
NAMED = (
    (
        ("key", "secret", "token", "passw"),
        re.compile(
            r"""((?:api[_-]?key|licen[cs]e[_-]?key|access[_-]?key|private[_-]?key|secret|token|password
            |passwort|passwd)(?![A-Za-z0-9])(?:[_.-][A-Za-z0-9]{1,40}){0,3}
            [\\"']{0,4}\s{0,5}[:=]\s{0,5}[\\"']{0,4}(?:(?:bearer|token|basic)\s{1,5})?)[^\s"'&;\\]{6,}""",
            re.IGNORECASE | re.VERBOSE,
        ),
    ),
    (
        # Without an "i": the letters of other scripts that count as one are folded otherwise.
        ("author", "bearer"),
        re.compile(
            r"""(authorization[\\"']{0,4}\s{0,5}[:=]\s{0,5}[\\"']{0,4}(?:(?:bearer|token|basic)\s{1,5})?
            |\bbearer\s{1,5})[A-Za-z0-9._~+/-]{8,}=*""",
            re.IGNORECASE | re.VERBOSE,
        ),
    ),
    (
        ("://",),
        re.compile(
            r"(\b[a-z][a-z0-9+.-]{0,20}://[^:@/\s]{0,100}:)[^@/\s]{1,200}(?=@)", re.IGNORECASE
        ),
    ),
)
# The same for those of langsmith's patterns that begin with no fixed text, by the whole pattern.
KEY_SIGNS = {
    r"\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[0-9A-Z]{16}\b": ("AKIA", "ASIA", "ABIA", "ACCA", "A3T"),
    r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,}\b": ("sk_", "rk_"),
}
# What stands before and after an at sign; a longer local part loses its end only.
AT = re.compile("@|%40")
LOCAL_CHARS = 64
LOCAL = re.compile(r"[\w.+%-]{1,64}\Z")
DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
ADDRESS = re.compile(r"[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
DIGITS = re.compile(r"\d+")
# So far before its first digit a number begins at most, and a UUID.
LEAD_CHARS, UUID_CHARS = 3, 36
UUID_LEAD = re.compile(r"[0-9a-f-]{1,36}\Z")
# In JSON within a text the letter of an escaped line end stands before what follows it.
NUMBERS = re.compile(
    r"""(?P<uuid>(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-]))
    |(?P<iban>(?:(?<![\w])|(?<=\\[nrt]))[A-Za-z]{2}\d{2}
        (?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?(?!\w))
    |(?P<card>(?:(?<![\w-])|(?<=\\[nrt]))(?:\d[ -]?){12,18}\d(?!\w))
    |(?P<phone>(?:(?<![\w.-])|(?<=\\[nrt]))(?:
        (?:\+|00)\ ?\(?\d[\d ()./-]{5,20}\d
        |\(?0\d{1,4}\)?[\d ()/-]{4,16}\d
        |\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4}
        |\d{9,12}
    )(?!\w))""",
    re.VERBOSE,
)


def without_secrets(text: str) -> str:
    """The text with keys, passwords and tokens masked."""
    if "dg_" in text:
        text = OWN_KEY.sub(SECRET, text)
    if "PRIVATE KEY" in text:
        text = PRIVATE_KEY.sub(SECRET, text)
    folded = text.casefold()
    for signs, pattern in NAMED:
        if any(sign in folded for sign in signs):
            text = pattern.sub(rf"\g<1>{SECRET}", text)
    return "".join(map(_without_keys, _pieces(text)))


def without_personal_data(text: str, *, of_id: bool = False) -> str:
    """The text without e-mail addresses, phone, card and account numbers; UUIDs stay.

    Of an id only an e-mail address is masked: its digits are no number of a person's.
    """
    return _without_addresses(text if of_id else _without_either(text))


def _without_addresses(text: str) -> str:
    """By each at sign: a pattern for the whole would try every character as its beginning."""
    kept: list[str] = []
    done = 0
    for at in AT.finditer(text):
        if at.start() < done or not (domain := DOMAIN.match(text, at.end())):
            continue
        local = LOCAL.search(text, max(done, at.start() - LOCAL_CHARS), at.start())
        # Behind what is masked, that was this one's local part.
        if local or (kept and at.start() == done) or text[at.start() - 1 : at.start()] == "]":
            kept += [text[done : local.start() if local else at.start()], "[email]"]
            done = domain.end()
    return "".join([*kept, text[done:]]) if kept else text


def _without_either(text: str) -> str:
    """Addresses, and numbers by each row of digits for the same reason.

    What begins first is masked first: each may begin within the other.
    """
    kept: list[str] = []
    done = 0
    number, address = _next_number(text, 0), _next_address(text, 0)
    while found := _first(address, number):
        kind = "email" if found is address else str(found.lastgroup)
        kept += [text[done : found.start()], found[0] if kind == "uuid" else f"[{kind}]"]
        done = found.end()
        if number and number.start() < done:
            number = _next_number(text, done)
        if address and address.start() < done:
            address = _next_address(text, done)
    return "".join([*kept, text[done:]]) if kept else text


def _first(address: re.Match[str] | None, number: re.Match[str] | None) -> re.Match[str] | None:
    """Of two that begin at one place the address, unless the other is a UUID."""
    if address is None or number is None:
        return address or number
    if address.start() == number.start():
        return number if number.lastgroup == "uuid" else address
    return address if address.start() < number.start() else number


def _next_address(text: str, done: int) -> re.Match[str] | None:
    for at in AT.finditer(text, done):
        if not DOMAIN.match(text, at.end()):
            continue
        if local := LOCAL.search(text, max(done, at.start() - LOCAL_CHARS), at.start()):
            return ADDRESS.match(text, local.start())
    return None


def _next_number(text: str, done: int) -> re.Match[str] | None:
    for digits in DIGITS.finditer(text, done):
        if found := _number_at(text, done, digits.start()):
            return found
    return None


def _number_at(text: str, done: int, digit: int) -> re.Match[str] | None:
    """What those digits are the first of, not before `done`; the longest lead comes first."""
    if digit > done and text[digit - 1] in "abcdef-":
        lead = UUID_LEAD.search(text, max(done, digit - UUID_CHARS), digit)
        if lead and (found := NUMBERS.match(text, lead.start())):
            return found
    for begin in range(max(done, digit - LEAD_CHARS), digit + 1):
        if found := NUMBERS.match(text, begin):
            return found
    return None


def _pieces(text: str) -> Iterator[str]:
    """The text cut at spaces, where there are any."""
    at = 0
    while at < len(text):
        end = at + PIECE_CHARS
        if end < len(text):
            space = max(text.rfind(" ", at, end), text.rfind("\n", at, end))
            end = space if space > at else end
        yield text[at:end]
        at = end


def _without_keys(text: str) -> str:
    for rule in _key_rules():
        signs = KEY_SIGNS.get(rule.pattern, ())
        if not signs or any(sign in text for sign in signs):
            text = rule.sub(SECRET, text)
    return text


@cache
def _key_rules() -> list[re.Pattern[str]]:
    """The patterns of providers' keys: those for names and values are the ones that ignore case."""
    patterns = [rule["pattern"] for rule in anonymizer.DEFAULT_SECRET_RULES]
    return [p for p in patterns if not p.flags & re.IGNORECASE and "PRIVATE" not in p.pattern]
