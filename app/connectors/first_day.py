"""What a connection's `test` says of the first live day: what it saw of it, and what is left."""

from collections import Counter
from collections.abc import Iterable, Sequence

from app.connectors.connector import Check
from app.connectors.helpdesk import Author


def takeover(seen: Iterable[tuple[str, Sequence[Author]]]) -> Check:
    """Whether the bot was silent after a person, in the newest ticket where one replied.

    `seen`: what a ticket is called, and who wrote its public messages, oldest first.
    """
    for where, authors in seen:
        if "person" not in authors:
            continue
        last = len(authors) - 1 - list(reversed(authors)).index("person")
        says = f"A person replied in {where}, and the bot wrote nothing after it."
        if "bot" in authors[last:]:
            says = f"The bot wrote in {where} after a person: right only if they handed it back."
        return Check("takeover", ok=True, says=says)
    says = "No person replied yet in what was looked at: reply as one, then test again."
    return Check("takeover", ok=True, says=says)


def written_twice(keys: Iterable[str | None]) -> bool:
    """Whether one key of ours stands on two messages."""
    return any(many > 1 for many in Counter(key for key in keys if key).values())


def by_hand(page: str, *steps: str) -> Check:
    """What no call shows, for a person to look at; `page` has the whole list."""
    return Check("by hand", ok=True, says=f"Look yourself ({page}): {'; '.join(steps)}.")
