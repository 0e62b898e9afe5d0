"""What the book of events says about the time it took to go on after each kill."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.acceptance.crash.schedule import APIS, POSTGRES_AT

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recovery:
    """One kill: seconds until each run it hit, or the queue, or the API, went on.

    `disturbed` when another kill came before that; such times count for nothing.
    """

    point: str
    seconds: tuple[float, ...]
    disturbed: int = 0


def recoveries(events: list[Event]) -> list[Recovery]:
    """Every kill of the book with what followed."""
    events = sorted(events, key=lambda event: float(event["at"]))
    kills = [float(event["at"]) for event in events if event["event"] == "kill"]
    found = []
    for at, event in enumerate(events):
        if event["event"] != "kill":
            continue
        ends = _ends(events, at)
        following = kills[bisect_right(kills, event["at"]) :]
        next_kill = following[0] if following else float("inf")
        since = _since(events, at)
        calm = tuple(end - since for end in ends if end < next_kill)
        found.append(Recovery(name_of(event), calm, len(ends) - len(calm)))
    return found


def name_of(event: Event) -> str:
    """A kill of Postgres at a worker's point has a name of its own."""
    names = {point: name for name, point in POSTGRES_AT.items()}
    # A worker that dies there kills itself, and names no victim.
    return str(names.get(event["point"], event["point"]) if event["victim"] else event["point"])


def _since(events: list[Event], at: int) -> float:
    """For Postgres from when it was back, else from the kill."""
    if name_of(events[at]).startswith("postgres"):
        back = next((e for e in events[at:] if e["event"] == "back"), events[at])
        return float(back["at"])
    return float(events[at]["at"])


def _ends(events: list[Event], at: int) -> list[float]:
    kill, after = events[at], events[at + 1 :]
    if kill["point"] in APIS:
        return [float(e["at"]) for e in after if e["event"] == "api_back"][:1]
    if name_of(kill).startswith("postgres"):
        back = _since(events, at)
        return [float(e["at"]) for e in after if e["event"] == "claim" and e["at"] > back][:1]
    dead = kill["victim"] or kill["pid"]
    return [end for run in _held(events[:at], dead, kill["point"])
            if (end := _next_claim(after, run, dead)) is not None]  # fmt: skip


def _held(before: list[Event], pid: int, point: str) -> list[str]:
    """The runs whose last event is of this process, in mid-run."""
    last = {e["run"]: e for e in before if e["event"] in ("claim", "settle")}
    mine = [e for e in last.values() if e["pid"] == pid]
    own_settle = (
        [e for e in mine if e["event"] == "settle"][-1:] if point == "before_settle" else []
    )
    return [e["run"] for e in [*[e for e in mine if e["event"] == "claim"], *own_settle]]


def _next_claim(after: list[Event], run: str, dead: int) -> float | None:
    for event in after:
        if event["event"] == "claim" and event["run"] == run and event["pid"] != dead:
            return float(event["at"])
    return None


def repeated_calls(events: list[Event]) -> list[str]:
    """Calls of providers that promise nothing about a key, made more than once under it.

    A refund of unknown end is called again, since the sandbox promises to book its key once; the
    laws hold its books against the ledger.
    """
    calls = Counter(event["key"] for event in events if event["event"] == "call")
    calls = Counter({key: n for key, n in calls.items() if not key.startswith("refund:")})
    return [f"{key} was called {count} times" for key, count in calls.items() if count > 1]
