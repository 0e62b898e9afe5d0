"""What the number of rows costs: `python -m tests.bench.volume [--runs N] [--folder F]`.

Two databases, each on a Postgres of its own: an almost empty one, and one with 1,000,000 runs that
ended, 100,000 paused ones, 100,000 articles and 1,000 tenants, of which half of the runs, every
paused run and every article are one tenant's. Starts, claims, lists and searches of that tenant
take turns on both; each call is made three times, and the quickest counts, since other work on the
machine can only slow it down. Then each filter of the lists is asked on the full one for what no
row has, which is the most that it can cost. Prints milliseconds and ratios, and how large tables
and indexes are; with `--reindex` also how large they are once rebuilt. `--folder` keeps the data,
and uses what is kept there. Needs ../shared/data. JSON lines go to the file that BENCH_JSON names.
"""

import asyncio
import contextlib
import itertools
import json
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from pydantic import SecretStr

from app.adapters.ports.knowledge import PostgresKnowledge
from app.db.core.connections import plain_dsn
from app.execution.claim import Claimant, claim
from app.execution.wiring import Service, open_service
from app.log import configure_logging
from app.services.tenants.keys import issue_key
from app.settings import Settings
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Stack, running
from tests.bench.generated_articles import fill_articles, writer
from tests.bench.generated_runs import Model, fill_runs
from tests.bench.growth import EXPAND, PAGE, TWICE, fill, p
from tests.bench.knowledge import kept
from tests.bench.options import command_line, positive
from tests.bench.retrieval.__main__ import DATA
from tests.bench.retrieval.families import recorded_queries
from tests.integration.api import caller, serving_api

RUNS, PAUSED, ARTICLES, TENANTS = 1_000_000, 100_000, 100_000, 1_000
CALLS, TRIES = 100, 3
TARGET_RATIO = 1.5
MODEL_RUN = "SELECT tenant_id, id FROM runs WHERE ticket_id = %s"
SCOPES = ["admin", "articles:write", "approvals:decide", "runs:read", "runs:write", "audit:read"]
SIZES = """
    SELECT relname, n_live_tup, n_dead_tup, autovacuum_count,
        pg_table_size(relid) / 1000000, pg_indexes_size(relid) / 1000000
    FROM pg_stat_user_tables WHERE pg_total_relation_size(relid) > 20000000
    ORDER BY pg_total_relation_size(relid) DESC"""
NEVER, LONG_AGO = "no-such-thing", "2020-01-01T00:00:00Z"
FILTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("/v1/runs", {name: value}) for name, value in {
        "status": "timeout", "outcome": "rejected", "ticket_id": NEVER, "customer_id": NEVER,
        "created_before": LONG_AGO, "finished_before": LONG_AGO, "replays": "true",
        "error_type": NEVER, "node": NEVER, "failed_node": NEVER, "model": NEVER,
        "model_error": NEVER, "fallback": NEVER, "approval": NEVER, "approval_kind": NEVER,
        "mark": "lost", "connection": NEVER, "cost_from": "1000",
    }.items()),
    ("/v1/runs", {"mark": "cache_hit"}), ("/v1/runs", {"mark": "refused"}),
    ("/v1/runs", {"mark": "reopened"}), ("/v1/runs", {"mark": "fast_decision"}),
    ("/v1/approvals", {"status": "expired"}), ("/v1/approvals", {"customer_id": NEVER}),
    ("/v1/approvals", {"ticket_id": NEVER}), ("/v1/approvals", {"run_id": str(uuid4())}),
    ("/v1/callbacks", {"status": "dead"}), ("/v1/handoffs", {"status": "closed"}),
    ("/v1/audit", {"subject": NEVER}), ("/v1/audit", {"until": LONG_AGO}),
    ("/v1/articles", {}), ("/v1/policy/versions", {}), ("/v1/keys", {}),
)  # fmt: skip
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the databases, with its service and the tenant that is measured."""

    service: Service
    tenant_id: str
    api: httpx.AsyncClient

    def acts(self) -> dict[str, Act]:
        """What is measured, by name; a start and its claim are of a run of their own."""
        started: list[str] = []
        number = itertools.count()
        searches = itertools.cycle(recorded_queries().items())

        async def start() -> object:
            name = f"S-{time.time_ns()}-{next(number)}"
            answer = await self.api.post("/v1/runs", json=_ticket(name))
            started.append(answer.raise_for_status().json()["id"])
            return answer

        async def take() -> object:
            sessions, by = self.service.sessions, Claimant(1, 5)
            run = await claim(sessions, UUID(started.pop()), by)
            assert run is not None
            return run

        async def search() -> object:
            question, queries = next(searches)
            knowledge = PostgresKnowledge(self.service.sessions, self.tenant_id)
            return await knowledge.search([*queries, question], "en", 5, second_round=True)

        return {
            "start": start, "claim": take, "search": search,
            "list runs": self._get("/v1/runs"),
            "list approvals": self._get("/v1/approvals", status="pending", expand=EXPAND),
            "list articles": self._get("/v1/articles"),
            "a thread": self._get("/v1/threads/model"),
        }  # fmt: skip

    def _get(self, path: str, **query: Any) -> Act:
        async def get() -> object:
            return (await self.api.get(path, params=query)).raise_for_status()

        return get


def _ticket(name: str) -> dict[str, Any]:
    person = {"id": f"cus-{name}"}
    return {"ticket": {"id": name, "subject": "Hi", "body": TWICE, "customer": person}}


def prepare(url: str, folder: Path) -> tuple[Model, str]:
    """Let the service handle one ticket to its end and one to its pause; both runs."""
    tenant = asyncio.run(tenant_on(url))
    # Each stack has logs of its own, since they are read.
    folder = Path(tempfile.mkdtemp(dir=folder))
    with running(Stack(url, folder)) as stack:
        stack.api()
        stack.worker()
        helpdesk = stack.client(tenant.starter)
        question = "When are you open?"
        ended = helpdesk.start("cus_ann", question, ticket_id="model")
        paused = helpdesk.start("cus_ann", TWICE, ticket_id="paused")
        while not helpdesk.run(ended["id"])["finished_at"]:
            time.sleep(0.1)
        while helpdesk.run(paused["id"])["status"] != "interrupted":
            time.sleep(0.1)
    return Model(tenant.id, ended["id"]), paused["id"]


async def fill_knowledge(url: str, tenant_id: str, given: Namespace, folder: Path) -> None:
    """The articles, beside those of the demo."""
    settings = Settings(_env_file=None, database_url=SecretStr(url), data_dir=folder)
    async with open_service(settings) as service:
        writing = writer(given.data)
        await fill_articles(url, service.sessions, tenant_id, writing, given.articles)


def fill_full(url: str, folder: Path, given: Namespace) -> None:
    """All rows of the large database, each step with its seconds."""
    began = time.perf_counter()

    def done(what: str) -> None:
        nonlocal began
        print(f"{what}: {time.perf_counter() - began:.0f} s", flush=True)  # noqa: T201
        began = time.perf_counter()

    model, paused = prepare(url, folder)
    done("two runs of the service's own")
    for name in fill_runs(url, model, given.runs, TENANTS):
        done(f"{name} of {given.runs} runs")
    print_sizes(url)
    fill(url, paused, given.paused)
    done(f"{given.paused} paused runs")
    asyncio.run(fill_knowledge(url, model.tenant_id, given, folder))
    done(f"{given.articles} articles")


def print_sizes(url: str) -> None:
    """Rows alive and dead, how often autovacuum came, MB of the table and of its indexes."""
    with psycopg.connect(plain_dsn(url), autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        _say("table", "live", "dead", "autovacuums", "table MB", "indexes MB")
        for row in connection.execute(SIZES.encode()).fetchall():
            _say(*map(str, row))


def reindex(url: str) -> None:
    """Rebuild the indexes of what changes, to see how much of them was bloat."""
    with psycopg.connect(plain_dsn(url), autocommit=True) as connection:
        for table in ("runs", "approvals", "messages", "steps", "model_calls"):
            connection.execute(f"REINDEX TABLE {table}".encode())
    print_sizes(url)


@contextlib.asynccontextmanager
async def opened(url: str, folder: Path) -> Any:
    """A side: its service, its tenant, its API."""
    settings = Settings(_env_file=None, database_url=SecretStr(url), data_dir=folder)
    with psycopg.connect(plain_dsn(url)) as connection:
        [[tenant_id, _]] = connection.execute(MODEL_RUN.encode(), ("model",)).fetchall()
    async with open_service(settings) as service:
        async with service.sessions.begin() as session:
            key = await issue_key(session, tenant_id, f"bench {time.time()}", SCOPES)
        async with serving_api(service) as base, caller(base, key) as api:
            api.timeout = httpx.Timeout(120)
            yield Side(service, tenant_id, api)


async def timed(act: Act) -> float:
    """Its milliseconds."""
    began = time.perf_counter()
    await act()
    return (time.perf_counter() - began) * 1000


async def compare(sides: list[Side]) -> None:
    """Every act on both in turn."""
    acts = [side.acts() for side in sides]
    times: dict[str, list[list[float]]] = {name: [[], []] for name in acts[0]}
    for _ in range(CALLS):
        for name, both in times.items():
            tries = [[await timed(one[name]) for one in acts] for _ in range(TRIES)]
            for mine, took in zip(both, zip(*tries, strict=True), strict=True):
                mine.append(min(took))
    _say("call", "empty p50", "p95", "full p50", "p95", "ratio of p95")
    for name, (few, many) in times.items():
        ratio = p(many, 95) / p(few, 95)
        figures = (p(few, 50), p(few, 95), p(many, 50), p(many, 95), ratio)
        _say(name, *(f"{figure:.1f}" for figure in figures))
        _note(call=name, empty_p95_ms=p(few, 95), full_p95_ms=p(many, 95), ratio=ratio)


async def filters(side: Side) -> None:
    """Each filter of the lists, for what no row has."""
    _say("list", "filter", "ms")
    for path, query in FILTERS:
        act = side._get(path, **query)  # its own module
        took = min([await timed(act) for _ in range(TRIES)])
        named = " ".join(f"{name}={value}" for name, value in query.items())
        _say(path, named, f"{took:.0f}")
        _note(list=path, filter=named, ms=took)


def _say(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)  # noqa: T201


def _note(**values: Any) -> None:
    if path := os.environ.get("BENCH_JSON"):
        with Path(path).open("a") as out:
            out.write(json.dumps({"bench": "volume", **values}) + "\n")


async def measure(urls: list[str], folder: Path) -> None:
    """Both sides, then the filters of the full one."""
    async with contextlib.AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(opened(url, folder)) for url in urls]
        await compare(sides)
        await filters(sides[1])


def main() -> None:
    """Run the bench."""
    parser = command_line("tests.bench.volume", __doc__)
    for name, count in (("runs", RUNS), ("paused", PAUSED), ("articles", ARTICLES)):
        parser.add_argument(f"--{name}", type=positive, default=count)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with kb and intents")
    parser.add_argument("--folder", type=Path, help="where the databases are kept")
    parser.add_argument("--reindex", action="store_true", help="rebuild indexes, to see bloat")
    given = parser.parse_args()
    configure_logging("WARNING", as_json=False)
    with contextlib.ExitStack() as stack:
        made = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder: Path = given.folder or made
        empty, _known = stack.enter_context(kept(folder / "empty"))
        full, known = stack.enter_context(kept(folder / "full"))
        if not known:
            _, paused = prepare(empty, made)
            fill(empty, paused, PAGE)
            fill_full(full, made, given)
        asyncio.run(measure([empty, full], made))
        if given.reindex:
            reindex(full)


if __name__ == "__main__":
    main()
