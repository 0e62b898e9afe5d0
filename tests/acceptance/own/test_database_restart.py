"""A Postgres that is stopped and comes back costs callers a 503, and nothing else."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db.core.embedded import embedded_postgres
from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import migrated, tenant_on
from tests.acceptance.stack import Client, Stack, free_port, running, ticket
from tests.acceptance.waiting import PATIENCE_SECONDS, TWICE, query, until


def refused_for_now(answer: httpx.Response) -> bool:
    """Whether it says that the database is away, and when to come again."""
    if answer.status_code != 503:
        return False
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    return True


def until_taken(ask: Callable[[], httpx.Response]) -> Any:
    """The answer of a caller who comes again for as long as the answer is 503."""
    answer = until(lambda: None if refused_for_now(got := ask()) else got)
    assert answer.status_code == 202, answer.text
    return answer.json()


@pytest.mark.thorough
def test_restart_of_postgres_is_a_503_and_loses_nothing(tmp_path: Path, model: HeldModel) -> None:
    """A start, a decision and a run in mid-call, all in the outage: each happens once, after it."""
    port = free_port()
    with contextlib.ExitStack() as postgres:
        url = migrated(postgres.enter_context(embedded_postgres(tmp_path / "pg", port)))
        tenant = asyncio.run(tenant_on(url))
        with running(Stack(url, tmp_path, **model.env)) as stack:
            stack.api()
            stack.worker()
            helpdesk, reviewer = stack.client(tenant.starter), stack.client(tenant.approver)
            paused = helpdesk.start("cus_ann", TWICE)
            model.hold("Classification")
            inside = helpdesk.start("cus_lou", TWICE, "T-2", wait=0)
            assert model.arrived.wait(PATIENCE_SECONDS)

            postgres.pop_all().close()
            starting, deciding = partial(start, helpdesk), partial(decide, reviewer, paused)
            assert refused_for_now(starting())
            assert refused_for_now(deciding())
            assert refused_for_now(helpdesk.http.get(f"/v1/runs/{paused['id']}"))
            model.release()
            with ThreadPoolExecutor() as callers:
                # They come while it is still away, and go on coming.
                started = callers.submit(until_taken, starting)
                decided = callers.submit(until_taken, deciding)
                postgres.enter_context(embedded_postgres(tmp_path / "pg", port))
            later = started.result()

            assert decided.result()["id"] == paused["id"]
            assert start(helpdesk).json()["id"] == later["id"], "the same key, the same run"
            assert helpdesk.run(paused["id"])["outcome"] == "acted"
            for run in (inside, later):
                assert helpdesk.run(run["id"])["status"] in ("interrupted", "success")
            listed = helpdesk.http.get("/v1/runs").json()["items"]
            assert {run["id"] for run in listed} == {
                paused["id"], inside["id"], later["id"]
            }  # fmt: skip
            done = query(url, "SELECT tool, status FROM ledger WHERE run_id = %s", paused["id"])
            assert sorted(done) == [("refund_payment", "done"), ("send_reply", "done")]


def start(helpdesk: Client) -> httpx.Response:
    """Start one and the same run."""
    wanted = ticket("cus_max", TWICE, ticket_id="T-3")
    return helpdesk.http.post("/v1/runs", json=wanted, headers={"Idempotency-Key": "once"})


def decide(reviewer: Client, run: Any) -> httpx.Response:
    """Agree to what the run asks."""
    return reviewer.decide(run, "approve")
