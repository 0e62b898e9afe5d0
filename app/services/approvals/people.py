"""Who is one person, whatever keys they hold, so that four eyes are those of two people."""

from collections.abc import Iterable, Mapping

from app.db.tables.approvals_and_ledger import Decision
from app.db.tables.tenants import ApiKey, Holder


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
    """What names the holder: the key's name, and the person behind it if that is known."""
    named = {f"name:{folded(held.name)}"}
    return frozenset(named | ({f"person:{folded(held.person)}"} if held.person else set()))


def folded(text: str) -> str:
    """A name without the differences of spelling that make no other person."""
    return " ".join(text.casefold().split())


def same_person(one: Holder, other: Holder) -> bool:
    """Whether two holders are one person: by name, or as one known person."""
    return bool(identities(one) & identities(other))


def count_people(holders: Iterable[Holder]) -> int:
    """How many different people these are; who shares a name or a person with two joins them."""
    people: list[frozenset[str]] = []
    for names in map(identities, holders):
        same = [known for known in people if known & names]
        people = [known for known in people if not known & names]
        people.append(names.union(*same))
    return len(people)
