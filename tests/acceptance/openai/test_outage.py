"""A provider that is down for a while: every ticket ends well, it is left alone, and comes back."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.openai.questions import E42, FAST, TECHNICAL, set_policy, steps
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import until
from tests.conftest import Tenant
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving

FAILURES, SHARE = 3, 2


@pytest.fixture(scope="module")
def provider() -> OpenAIDouble:
    """The provider of this module."""
    return OpenAIDouble()


@pytest.fixture(scope="module")
def outage(
    migrated_database: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
    provider: OpenAIDouble,
) -> Iterator[tuple[str, Stack]]:
    """A service with a circuit that opens soon and pauses shortly, and a small share of calls."""
    url = migrated_database()
    with serving(provider.app) as served:
        env = {
            "DESKGRAPH_OPENAI_API_KEY": "openai-key",
            "DESKGRAPH_OPENAI_BASE_URL": f"{served}/v1",
            "DESKGRAPH_FAST_MODEL": FAST,
            "DESKGRAPH_STRONG_MODEL": FAST,
            "DESKGRAPH_CIRCUIT_FAILURES": str(FAILURES),
            "DESKGRAPH_CIRCUIT_PAUSE_SECONDS": "1",
            "DESKGRAPH_MODEL_CALLS_PER_TENANT": str(SHARE),
            "DESKGRAPH_MODEL_WAIT_SECONDS": "0.3",
        }
        with running(Stack(url, Path(tmp_path_factory.mktemp("outage")), **env)) as stack:
            stack.api()
            stack.worker()
            yield url, stack


async def open_desk(outage: tuple[str, Stack], provider: OpenAIDouble, **policy: str) -> Client:
    """A fresh tenant's caller, and a provider that answers well."""
    url, stack = outage
    provider.reset()
    provider.answers["Classification"] = TECHNICAL
    tenant: Tenant = await tenant_on(url)
    set_policy(url, tenant, **policy)
    return stack.client(tenant.starter)


def write_at_once(starter: Client, many: int, wait: float = 20) -> list[Any]:
    """So many tickets that one article answers; each as it is after `wait` seconds at most."""
    tickets = [f"T-{n}" for n in range(many)]
    with ThreadPoolExecutor(8) as callers:
        begin = partial(starter.start, "cus_eva", E42, wait=wait)
        return list(callers.map(lambda id_: begin(ticket_id=id_), tickets))


async def test_outage_loses_nothing_hammers_no_provider_and_ends_by_itself(
    outage: tuple[str, Stack], provider: OpenAIDouble
) -> None:
    """People get the tickets meanwhile, with the article; afterwards the provider answers again."""
    starter = await open_desk(outage, provider)
    provider.down = True
    began = time.monotonic()
    done = write_at_once(starter, 12)
    took = time.monotonic() - began
    assert {(run["status"], run["outcome"]) for run in done} == {("success", "escalated")}
    assert {run["escalation"]["reason"] for run in done} == {"no_model"}
    assert len({run["handoff"]["id"] for run in done}) == len(done)
    for run in done:
        assert run["handoff"]["suggestion"]["citations"] == ["upload-error-e42"]
    # What was on its way when the circuit opened, and one call that tries for each pause.
    assert len(provider.requests) <= FAILURES + SHARE + took
    assert any("circuit_open" in run["escalation"]["detail"] for run in done)

    provider.down = False
    deadline = time.monotonic() + 20
    for number in range(100):
        run = starter.start("cus_eva", E42, ticket_id=f"A-{number}")
        if run["outcome"] == "answered":
            break
        assert run["escalation"]["reason"] == "no_model"
        assert time.monotonic() < deadline, "the provider is never asked again"
    for node in ("classify", "respond"):
        assert steps(starter, run)[node]["model_calls"][-1]["model"] == FAST


@pytest.mark.thorough
async def test_run_that_may_wait_is_answered_after_the_outage(
    outage: tuple[str, Stack], provider: OpenAIDouble
) -> None:
    """Where the policy says `wait`: no hand-off and no reply meanwhile, and one reply at last."""
    starter = await open_desk(outage, provider, without_model="wait")
    provider.down = True
    begun = write_at_once(starter, 6, wait=0)
    until(lambda: all(starter.run(run["id"], wait=0)["attempt"] > 1 for run in begun))
    for run in begun:
        waiting = starter.run(run["id"], wait=0)
        assert waiting["status"] in ("pending", "running")
        assert (waiting["handoff"], waiting["reply"]) == (None, None)
    provider.down = False
    done = [starter.run(run["id"]) for run in begun]
    assert {(run["status"], run["outcome"]) for run in done} == {("success", "answered")}
    assert {run["handoff"] for run in done} == {None}
    assert all([e["tool"] for e in run["effects"]] == ["send_reply"] for run in done)


@pytest.mark.thorough
async def test_tenant_never_has_more_calls_open_than_its_share(
    outage: tuple[str, Stack], provider: OpenAIDouble
) -> None:
    """Six customers at once on a slow provider: two calls at a time, each answered by the provider.

    Those that found no free call in time went back to the queue.
    """
    starter = await open_desk(outage, provider)
    provider.slow_seconds = 0.6
    with ThreadPoolExecutor(6) as callers:
        tickets = [f"S-{n}" for n in range(6)]
        done = list(
            callers.map(
                lambda id_: starter.start(f"cus_{id_}", f"{E42} Case {id_}.", ticket_id=id_),
                tickets,
            )
        )
    assert {run["outcome"] for run in done} == {"answered"}
    assert provider.most_at_once == SHARE
    assert max(run["attempt"] for run in done) > 1
    for run in done:
        calls = steps(starter, run)["respond"]["model_calls"]
        assert {call["model"] for call in calls} == {FAST}
