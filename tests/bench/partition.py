"""How evenly tenants fall on several databases by a hash, and how many move when one is added.

`python -m tests.bench.partition` prints the table of docs/operations.md. Sizes are skewed: the
r-th largest tenant has 1/r of the largest one's runs (Zipf's law), which gives the largest of
1,000 tenants 13 % of all. Each figure is the median, or the worst of 95 in 100, of 100 sets of
tenants with other names.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from statistics import median, quantiles

from tests.bench.options import command_line

TENANTS, DRAWS, MOST = 1_000, 100, 8
# The largest of these are placed by hand, the rest by the hash.
BY_HAND = 20
SIZES = [1 / rank for rank in range(1, TENANTS + 1)]
HEADINGS = (
    "databases", "fair share", "tenants", "load by hash", "largest 20 by hand",
    "tenants that move", "load that moves", "move by modulo",
)  # fmt: skip

Weights = list[int]
"""A tenant's weight for each database; the highest one has it."""


def weights(tenant_id: str, databases: int) -> Weights:
    """Rendezvous hashing: each database draws a number for the tenant, independent of the others.

    Source: Thaler, Ravishankar, Using name-based mappings to increase hit rates (1998).
    """
    names = (f"{database}\x1f{tenant_id}".encode() for database in range(databases))
    return [int.from_bytes(blake2b(name, digest_size=8).digest()) for name in names]


def place(drawn: Weights, databases: int) -> int:
    """The database of a tenant among the first `databases`."""
    return max(range(databases), key=drawn.__getitem__)


def fullest(places: Sequence[int], sizes: Sequence[float], databases: int) -> float:
    """The share of all that is on the fullest database."""
    loads = [0.0] * databases
    for where, size in zip(places, sizes, strict=True):
        loads[where] += size
    return max(loads) / sum(sizes)


def by_hand(places: Sequence[int], databases: int) -> list[int]:
    """The same, but the largest tenants are each put on the database that has least by then."""
    loads, chosen = [0.0] * databases, list(places)
    for where, size in zip(places[BY_HAND:], SIZES[BY_HAND:], strict=True):
        loads[where] += size
    for rank in range(BY_HAND):
        chosen[rank] = loads.index(min(loads))
        loads[chosen[rank]] += SIZES[rank]
    return chosen


def moved(before: Sequence[int], after: Sequence[int], sizes: Sequence[float]) -> float:
    """The share of all that is elsewhere afterwards."""
    changed = zip(before, after, sizes, strict=True)
    return sum(size for old, new, size in changed if old != new) / sum(sizes)


def draws() -> list[list[Weights]]:
    """Every set of tenants, each tenant with its weights; the largest tenant first."""
    return [
        [weights(f"tenant-{draw}-{rank}", MOST + 1) for rank in range(TENANTS)]
        for draw in range(DRAWS)
    ]


def row(sets: list[list[Weights]], databases: int) -> list[str]:
    """One line of the table."""
    now = [[place(drawn, databases) for drawn in tenants] for tenants in sets]
    then = [[place(drawn, databases + 1) for drawn in tenants] for tenants in sets]
    equal = [1.0] * TENANTS

    def shares(measure: Callable[[list[int]], float]) -> str:
        found = [measure(places) for places in now]
        return f"{median(found):.0%}, {quantiles(found, n=20)[-1]:.0%}"

    tenants = median(moved(a, b, equal) for a, b in zip(now, then, strict=True))
    load = [moved(a, b, SIZES) for a, b in zip(now, then, strict=True)]
    return [
        str(databases),
        f"{1 / databases:.0%}",
        shares(lambda places: fullest(places, equal, databases)),
        shares(lambda places: fullest(places, SIZES, databases)),
        shares(lambda places: fullest(by_hand(places, databases), SIZES, databases)),
        f"{tenants:.0%}",
        f"{median(load):.0%}, {quantiles(load, n=20)[-1]:.0%}",
        f"{databases / (databases + 1):.0%}",
    ]


def rows() -> list[list[str]]:
    """The table: 2 to 8 databases."""
    sets = draws()
    return [row(sets, databases) for databases in range(2, MOST + 1)]


def main() -> None:
    """Print the table."""
    command_line("tests.bench.partition", __doc__).parse_args()
    for cells in (HEADINGS, ["---"] * len(HEADINGS), *rows()):
        print("| " + " | ".join(cells) + " |")  # noqa: T201


if __name__ == "__main__":
    main()
