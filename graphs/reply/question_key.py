"""When two tickets ask the same question, so that one cached answer may serve both."""

import hashlib
import re
import unicodedata
from functools import lru_cache

from graphs.state import Ticket
from graphs.text.bounds import normalized
from graphs.text.tokens import DASHES, visible

# Signs that name things or give a size, such as "C#", "50 %", "and/or"; other marks are left out.
TELLING = frozenset("#%&@*/\\")
# "error -36" is another error than "error 36"; the sign is no punctuation in this form.
NEGATIVE = re.compile(r"-(?<![\w-]-)(?=\d)")
# What a person may write beside the words: some punctuation and blank lines.
EXTRA_SHARE, EXTRA_CHARACTERS = 0.25, 20
LONGEST_NAME = 60
NAME = re.compile(r"[^\W\d_]+(?:[ .'\u2019-]{1,2}[^\W\d_]+){0,4}\.?")


class _Kept(dict[int, str]):
    """What stands for a character, by its code point: itself, or a space; worked out once each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        left_out = unicodedata.category(character)[0] in "PZC" and character not in TELLING
        return self.setdefault(code, " " if left_out else character)


KEPT = _Kept()


@lru_cache(maxsize=128)
def normal_form(text: str) -> str:
    """The text without case, punctuation, invisible characters and the width of its spaces.

    Unicode's compatibility form, so that full-width letters are letters (UAX 15).
    """
    plain = normalized("NFKC", visible(normalized("NFKC", text)).casefold())
    signed = NEGATIVE.sub("\u2212", DASHES.sub("-", plain.replace("\u2212", "-")))
    return " ".join(signed.translate(KEPT).split())


def question_sha256(ticket: Ticket) -> bytes:
    """The same for tickets that ask the same; subject and body are kept apart."""
    asked = f"{normal_form(ticket['subject'])}\n{normal_form(ticket['body'])}"
    return hashlib.sha256(asked.encode("utf-8", "replace")).digest()


def speaks_for_others(ticket: Ticket) -> bool:
    """Whether a model read nothing here that another ticket of the same normal form may lack.

    Instructions can hide in invisible characters, in masses of punctuation, or in the name; what
    they make a model say is kept for no other customer.
    """
    text = f"{ticket['subject']}\n{ticket['body']}"
    hidden = any(unicodedata.category(c)[0] == "C" and c not in "\t\r\n" for c in set(text))
    form = normal_form(text)
    extra = len(text) - len(form)
    name = ticket["customer_name"] or ""
    return (
        not hidden
        and visible(text) == text
        and extra <= EXTRA_CHARACTERS + EXTRA_SHARE * len(form)
        and (not name or (len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None))
    )
