"""Search in a large knowledge base: `python -m tests.bench.knowledge [ARTICLES] [--folder F]`.

One tenant gets 1,000 generated articles, another 100,000, on a Postgres of their own. The questions
of the measurement of searches are then asked of both in turn: as the workflow asks, with a model's
queries and a second round where there are some, and over HTTP; each three times, of which the
quickest counts, since other work on the machine can only slow a search down. Prints milliseconds by
family, and how much the memory of the process grew. Exit code 1 when the 95th percentile of all
searches of the workflow is above 50 ms. `--folder` keeps the data, and uses what is kept there.
Needs ../shared/data. JSON lines go to the file that BENCH_JSON names.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pydantic import SecretStr

from app.adapters.ports.knowledge import PostgresKnowledge
from app.commands.migrate import migrate
from app.db.core.connections import plain_dsn
from app.db.core.embedded import embedded_postgres
from app.db.tenants.queries import ensure_tenant
from app.execution.wiring import Service, open_service
from app.log import configure_logging
from app.services.tenants.keys import issue_key
from app.settings import Settings
from tests.bench.generated_articles import fill_articles, writer
from tests.bench.growth import p
from tests.bench.options import command_line, positive
from tests.bench.retrieval.__main__ import DATA
from tests.bench.retrieval.families import Question, questions, recorded_queries
from tests.integration.api import caller, serving_api

ARTICLES, SMALL, ASKED, LIMIT, TRIES = 100_000, 1_000, 60, 5, 3
TARGET_P95_MS = 50.0
TENANTS = ("small", "large")
Ask = Callable[[Question], Awaitable[object]]


@contextlib.contextmanager
def kept(folder: Path | None) -> Iterator[tuple[str, bool]]:
    """A Postgres, and whether its data was there already. It need not outlive a power cut."""
    with contextlib.ExitStack() as stack:
        at = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        known = (at / "postgres" / "PG_VERSION").exists()
        at.mkdir(parents=True, exist_ok=True)
        url = stack.enter_context(embedded_postgres(at))
        with psycopg.connect(plain_dsn(url), autocommit=True) as connection:
            for setting in ("fsync = off", "max_wal_size = '8GB'"):
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        migrate(url, lambda _step: None)
        yield url, known


async def fill(service: Service, url: str, data: Path, articles: int) -> None:
    """Both tenants, the large one last."""
    for tenant, count in zip(TENANTS, (SMALL, articles), strict=True):
        async with service.sessions.begin() as session:
            await ensure_tenant(session, tenant, tenant)
        began = time.perf_counter()
        await fill_articles(url, service.sessions, tenant, writer(data), count)
        print(f"{count} articles stored in {time.perf_counter() - began:.0f} s", flush=True)  # noqa: T201


def asked_of(data: Path, asked: int) -> dict[str, list[Question]]:
    """So many questions of each family."""
    families = defaultdict(list)
    for question in questions(data):
        families[question.family].append(question)
    return {name: every[:: max(1, len(every) // asked)][:asked] for name, every in families.items()}


async def measure(service: Service, families: dict[str, list[Question]]) -> float:
    """Ask both tenants each question in turn; the 95th percentile of the large one's searches."""
    recorded = recorded_queries()
    process = psutil.Process()
    async with contextlib.AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving_api(service))
        ways: dict[tuple[str, str], Ask] = {}
        for tenant in TENANTS:
            async with service.sessions.begin() as session:
                key = await issue_key(session, tenant, "bench", ["articles:write", "runs:read"])
            api = await stack.enter_async_context(caller(base, key))
            ways["workflow", tenant] = _workflow(service, tenant, recorded)
            ways["HTTP", tenant] = _over_http(api)
        before = process.memory_info().rss
        times = await _asked(ways, families)
        grown = (process.memory_info().rss - before) / 2**20
    return report(times, grown)


def _workflow(service: Service, tenant: str, recorded: dict[str, list[str]]) -> Ask:
    knowledge = PostgresKnowledge(service.sessions, tenant)

    async def ask(question: Question) -> object:
        queries = [*recorded.get(question.text, []), question.text]
        return await knowledge.search(queries, "en", LIMIT, second_round=True)

    return ask


def _over_http(api: Any) -> Ask:
    async def ask(question: Question) -> object:
        return (await api.get("/v1/articles", params={"q": question.text})).raise_for_status()

    return ask


async def _asked(
    ways: dict[tuple[str, str], Ask], families: dict[str, list[Question]]
) -> dict[tuple[str, str, str], list[float]]:
    """Milliseconds by way, family and tenant: of each question the quickest of its tries."""
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for family, every in families.items():
        for question in every:
            tries = [[await _timed(ask, question) for ask in ways.values()] for _ in range(TRIES)]
            for (way, tenant), took in zip(ways, zip(*tries, strict=True), strict=True):
                times[way, family, tenant].append(min(took))
    return times


async def _timed(ask: Ask, question: Question) -> float:
    began = time.perf_counter()
    await ask(question)
    return (time.perf_counter() - began) * 1000


def report(times: dict[tuple[str, str, str], list[float]], grown: float) -> float:
    """The table; the 95th percentile of the large tenant's searches as the workflow asks."""
    lines: list[tuple[str, ...]] = [
        ("way", "family", "asked", "small p50", "p95", "large p50", "p95")
    ]
    everything: dict[tuple[str, str], list[float]] = defaultdict(list)
    for way, family in dict.fromkeys((way, family) for way, family, _ in times):
        both = [times[way, family, tenant] for tenant in TENANTS]
        for tenant, mine in zip(TENANTS, both, strict=True):
            everything[way, tenant] += mine
        lines.append(_line(way, family, both))
    lines += [
        _line(way, "all", [everything[way, tenant] for tenant in TENANTS])
        for way in dict.fromkeys(way for way, _ in everything)
    ]
    for cells in lines:
        print("| " + " | ".join(cells) + " |")  # noqa: T201
    print(f"memory: {grown:+.0f} MiB")  # noqa: T201
    return p(everything["workflow", TENANTS[1]], 95)


def _line(way: str, family: str, both: list[list[float]]) -> tuple[str, ...]:
    figures = [p(mine, percent) for mine in both for percent in (50, 95)]
    if path := os.environ.get("BENCH_JSON"):
        with Path(path).open("a") as out:
            out.write(json.dumps({"way": way, "family": family, "ms": figures}) + "\n")
    return way, family, str(len(both[0])), *(f"{figure:.0f}" for figure in figures)


async def bench(url: str, folder: Path, given: Namespace, *, known: bool) -> float:
    """Fill, unless it is filled already, and measure."""
    settings = Settings(_env_file=None, database_url=SecretStr(url), data_dir=folder)
    async with open_service(settings) as service:
        if not known:
            await fill(service, url, given.data, given.articles)
        return await measure(service, asked_of(given.data, given.asked))


def main() -> None:
    """Run the bench."""
    parser = command_line("tests.bench.knowledge", __doc__)
    parser.add_argument("articles", nargs="?", type=positive, default=ARTICLES)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with kb and intents")
    parser.add_argument("--folder", type=Path, help="where the database is kept")
    parser.add_argument("--asked", type=positive, default=ASKED, help="questions of each family")
    given = parser.parse_args()
    configure_logging("WARNING", as_json=False)
    with kept(given.folder) as (url, known), tempfile.TemporaryDirectory() as made:
        p95 = asyncio.run(bench(url, Path(made), given, known=known))
    met = p95 < TARGET_P95_MS
    print(f"p95 {p95:.0f} ms; under {TARGET_P95_MS:.0f} ms: {'met' if met else 'missed'}")  # noqa: T201
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
