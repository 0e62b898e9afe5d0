"""Which keys are one person's, so that four eyes are those of two people."""

from collections.abc import Iterable

from app.db.tables.tenants import ApiKey, Holder


def holder(key: ApiKey) -> Holder:
    """Who holds the key."""
    return Holder(key.name, key.person)


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
