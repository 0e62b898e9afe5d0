"""Who is one person, whatever keys they hold, so that four eyes are those of two people."""

import unicodedata
from collections.abc import Iterable, Mapping

from app.db.tables.approvals_and_ledger import Decision
from app.db.tables.tenants import ApiKey, Holder
from graphs.text.bounds import normalized

# Default_Ignorable_Code_Point of Unicode 16, DerivedCoreProperties.txt, beyond the format
# characters; those that NFKC writes as one of these come as these. And the empty Braille cell.
UNSEEN = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065),
        (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)  # fmt: skip


def holder(key: ApiKey) -> Holder:
    """Who holds the key."""
    return Holder(key.name, key.person)


def named(person: str) -> Holder:
    """The person that a key names instead of its own holder."""
    return Holder(person, person)


def decider_of(decision: Decision, held: Mapping[str, Holder]) -> Holder:
    """Who decided: the person that the key named, or who holds it, by the keys' ids."""
    return named(decision.on_behalf_of) if decision.on_behalf_of else held[decision.key_id]


def identities(held: Holder) -> frozenset[str]:
    """What names the holder: the key's name, and the person behind it if that is known.

    Both are names of one kind: a key called `ann@example.com` is the person of that address.
    """
    return frozenset(folded(name) for name in held if name)


def folded(text: str) -> str:
    """A name without the differences of spelling that make no other person.

    Those are case, spaces, the width of letters, and characters that no reader sees.
    """
    seen = (letter for letter in normalized("NFKC", text) if not _is_unseen(letter))
    return " ".join(normalized("NFKC", "".join(seen).casefold()).split())


def _is_unseen(letter: str) -> bool:
    """Whether a reader sees nothing of it: a format character, a filler, a variant's selector."""
    return letter in UNSEEN or unicodedata.category(letter) == "Cf"


def same_person(one: Holder, other: Holder) -> bool:
    """Whether two holders are one person: by any of their names."""
    return bool(identities(one) & identities(other))


def count_people(holders: Iterable[Holder]) -> int:
    """How many different people these are; who shares a name or a person with two joins them."""
    people: list[frozenset[str]] = []
    for names in map(identities, holders):
        same = [known for known in people if known & names]
        people = [known for known in people if not known & names]
        people.append(names.union(*same))
    return len(people)
