"""How good a trained model was on texts that it had not seen, with a bound that small counts lower.

Twenty right answers out of 20 do not show that 98 of 100 will be: each share therefore stands
beside the lower end of its 95 % interval (Wilson 1927), and only that is compared with a bar.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from typing_extensions import TypedDict

# Of a confidence. A bucket holds its lower end; the last one both.
EDGES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 1.0)
# The normal distribution's two-sided 95 % point.
Z = 1.96
# What training aims at for a team without a model, where a wrong guess costs one transfer.
ROUTED_RIGHTLY = 0.9
# Below it no ticket is routed, however right that was: labels seldom hold what is out of scope, and
# of 100 such messages a model that had seen none routed 34 from 0.7 on, 5 from 0.85 on (CLINC150).
LEAST_CONFIDENCE = 0.85
# A bucket of fewer tickets says little by itself.
TELLING = 20


class Counted(NamedTuple):
    """One text that training has not seen: how sure the model was, and whether it was right."""

    confidence: float
    right: bool


class Share(TypedDict):
    """So many texts, of which so many right, and the lower bound of their share."""

    tickets: int
    right: int
    lower: float


class Bucket(Share):
    """The share from one confidence up to another."""

    low: float
    high: float


def wilson(right: int, tickets: int) -> float:
    """The lower end of the 95 % interval of a share, 0 of nothing."""
    if not tickets:
        return 0.0
    share, extra = right / tickets, Z * Z / tickets
    spread = Z * sqrt((share * (1 - share) + extra / 4) / tickets)
    return max(0.0, (share + extra / 2 - spread) / (1 + extra))


def at_most(right: int, tickets: int) -> float:
    """The upper end of the 95 % interval of a share, 1 of nothing."""
    return 1 - wilson(tickets - right, tickets)


def has_dropped(right: int, tickets: int, measured: float) -> bool:
    """Whether a share is below what was measured, by more than chance and of enough tickets."""
    return tickets >= TELLING and at_most(right, tickets) < measured


def share(counted: Sequence[Counted]) -> Share:
    """How many of them were right."""
    right = sum(one.right for one in counted)
    return {"tickets": len(counted), "right": right, "lower": wilson(right, len(counted))}


def buckets(counted: Sequence[Counted]) -> list[Bucket]:
    """The shares by confidence, lowest first."""
    found: list[Bucket] = []
    for low, high in pairwise(EDGES):
        inside = [one for one in counted if bucket_at(one.confidence) == low]
        found.append({"low": low, "high": high, **share(inside)})
    return found


def bucket_at(confidence: float) -> float:
    """The lower end of the bucket that holds this confidence."""
    return max(edge for edge in EDGES[:-1] if edge <= max(0.0, confidence))


def accuracy_at(known: Sequence[Bucket], confidence: float) -> float:
    """The lower bound of what was right among texts that the model was as sure of."""
    low = bucket_at(confidence)
    return next((bucket["lower"] for bucket in known if bucket["low"] == low), 0.0)


def threshold(counted: Sequence[Counted]) -> float | None:
    """The lowest confidence to route from; None: from none.

    Every bucket above it that holds any is right in ROUTED_RIGHTLY of its tickets, so that
    sure ones do not pay for doubtful ones; and the lower bound of all of them together is. An empty
    one shows nothing.
    """
    found, sure = None, list[Counted]()
    for low in (edge for edge in reversed(EDGES[:-1]) if edge >= LEAST_CONFIDENCE):
        inside = [one for one in counted if bucket_at(one.confidence) == low]
        right = sum(one.right for one in inside)
        if len(inside) >= TELLING and right < ROUTED_RIGHTLY * len(inside):
            break
        sure += inside
        found = low if inside and share(sure)["lower"] >= ROUTED_RIGHTLY else found
    return found
