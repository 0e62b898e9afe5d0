"""Earlier messages and tickets as a run sees them: data, never evidence for a reply's claims."""

from collections.abc import Iterator

from graphs.conversation import Memory, PastTicket, Turn
from graphs.state import Intent, SupportState

# Exchanges a run sees word for word; older ones are in the summary.
WINDOW_EXCHANGES = 6
# What a refreshed summary leaves in the window, so that one model call serves several turns.
KEPT_EXCHANGES = 3
# Together the bounds keep a run's memory below about 8,000 characters, however long the ticket.
WINDOW_CHARS, CUSTOMER_CHARS, OWN_CHARS = 4000, 500, 250
SUMMARY_CHARS = 1200
PAST_TICKETS, PROMISES, SUBJECT_CHARS, PROMISE_CHARS = 3, 5, 120, 160


# Specialists that see articles only, so that nothing of the customer is in what they find.
IMPERSONAL: frozenset[Intent] = frozenset({"technical", "general"})
NOTHING_SAID: Memory = {"window": [], "summary": "", "tickets": []}


def read_memory(state: SupportState) -> Memory:
    """What of its memory a run may read before it answers.

    A question asked alone, with nothing of its own thread before it, is read without any memory of
    the customer, and if it is one for articles answered without it: so the answer is for all.
    """
    memory = state.get("memory") or NOTHING_SAID
    if memory["window"] or memory["summary"]:
        return memory
    triage = state.get("triage")
    return NOTHING_SAID if triage is None or set(triage["intents"]) <= IMPERSONAL else memory


def cut(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, so that it can forge no other line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def window(turns: list[Turn]) -> list[Turn]:
    """The newest turns within the budget, each cut to its own, oldest first."""
    kept: list[Turn] = []
    left = WINDOW_CHARS
    for turn in reversed(turns):
        limit = CUSTOMER_CHARS if turn["author"] == "customer" else OWN_CHARS
        text = cut(turn["text"], limit)
        if len(text) > left:
            break
        left -= len(text)
        kept.append({"author": turn["author"], "text": text})
    return kept[::-1]


def handoff_lines(memory: Memory | None) -> Iterator[str]:
    """What a colleague must know of before, one line each."""
    if memory is None:
        return
    if memory["summary"]:
        yield f"Before, in short: {cut(memory['summary'], SUMMARY_CHARS)}"
    for turn in memory["window"]:
        yield f"Before, {turn['author']}: {turn['text']}"
    for past in memory["tickets"]:
        yield f"Earlier ticket: {_past_line(past)}"


def _past_line(past: PastTicket) -> str:
    promised = "; ".join(past["promised"]) or "nothing promised"
    at, end = past["at"][:10], f"{past['outcome']}; {promised}"
    return f"{past['ticket_id']} on {at}: {past['subject']}: {end}"
