"""The same flow with a real model that answers badly: the wire and the guards hold.

Nothing here depends on how good an answer is; a run may end in any proper way.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from app.models.offline.chat_model import OfflineChatModel
from app.models.openai import build_models
from app.settings import Settings
from graphs.context import Models
from graphs.nodes.classify import PROMPT, Classification
from graphs.nodes.escalate import holding_reply
from graphs.reply.assemble import with_sentences
from graphs.reply.checks import objections
from graphs.reply.facts import reply_facts
from graphs.reply.said_by_code import said_by_code
from graphs.state import SupportState
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.conftest import Tenant
from tests.doubles.tiny_model import NAME, tiny_model
from tests.unit.desk import E42, TWICE, desk

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(900)]

CALL_SECONDS = 60
ANNUAL = "Please refund my annual plan, we stopped using it."
TICKETS = [
    ("cus_ann", TWICE),
    ("cus_bob", ANNUAL),
    ("cus_eva", E42),
    ("cus_lou", "flurb gnar wexo plith"),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The real model's server."""
    with tiny_model() as base_url:
        yield base_url


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant on it."""
    return await tenant_on(own_url)


@pytest.fixture(scope="module")
def stack(provider: str, own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A service that asks the real model."""
    env = {
        "DESKGRAPH_OPENAI_API_KEY": "none-needed",
        "DESKGRAPH_OPENAI_BASE_URL": provider,
        "DESKGRAPH_FAST_MODEL": NAME,
        "DESKGRAPH_STRONG_MODEL": NAME,
        "DESKGRAPH_MODEL_TIMEOUT_SECONDS": str(CALL_SECONDS),
    }
    with running(Stack(own_url, Path(tmp_path_factory.mktemp("real")), **env)) as started:
        started.api()
        started.worker()
        yield started


@pytest.fixture
def model(provider: str) -> BaseChatModel:
    """The real model as the product builds it."""
    settings = Settings(
        _env_file=None,
        openai_api_key=SecretStr("none-needed"),
        openai_base_url=provider,
        fast_model=NAME,
        model_timeout_seconds=CALL_SECONDS,
    )
    return build_models(settings).fast


def rested(client: Client, run: Any) -> Any:
    """The run, once it waits or has ended."""
    while (seen := client.run(run["id"], wait=30))["status"] in ("pending", "running"):
        pass
    return seen


def sound(state: SupportState) -> bool:
    """Whether the state's draft may leave: it passes every check, or it is the holding reply."""
    draft, handoff = state["draft"], state["handoff"]
    assert draft is not None
    if handoff is not None:
        return draft["text"] == holding_reply(state, handoff)
    facts, grounding = reply_facts(state), draft.get("grounding", "quotes")
    return objections(draft, facts, state["ticket"], grounding=grounding) == []


@pytest.mark.parametrize(("customer", "body"), TICKETS)
def test_run_ends_properly_and_moves_no_money_by_itself(
    starter: Client, approver: Client, own_url: str, tenant: Tenant, customer: str, body: str
) -> None:
    """Final or waiting, tokens counted, and only what passes the checks is sent."""
    run = rested(starter, starter.start(customer, body, wait=0))
    assert run["status"] in ("success", "interrupted")
    if run["status"] == "interrupted":
        approver.decide(run, "reject")
        run = rested(starter, run)
    assert run["status"] == "success"
    steps = starter.http.get(f"/v1/runs/{run['id']}/steps").raise_for_status().json()["items"]
    calls = [call for step in steps for call in step["model_calls"]]
    assert calls[0]["model"] == NAME
    assert calls[0]["input_tokens"] > 0
    assert calls[0]["cost_usd"] is None, "its price is unknown"
    assert run["tokens"] == sum(step["tokens"] for step in steps) > 0
    assert sound(next(step["input"] for step in steps if step["node"] == "send"))
    with psycopg.connect(own_url) as books:
        moved = books.execute("SELECT 1 FROM sandbox_refunds WHERE tenant_id = %s", [tenant.id])
        assert moved.fetchall() == []


def test_api_had_no_trouble(starter: Client, stack: Stack) -> None:
    """No request of this module ended in a 5xx."""
    assert starter.http.get("/v1/runs").status_code == 200
    lines = map(json.loads, stack.processes[0].log.read_text().splitlines())
    statuses = [line["status"] for line in lines if line["event"] == "request"]
    assert statuses
    assert max(statuses) < 500


async def test_server_is_held_to_the_schema(model: BaseChatModel) -> None:
    """The answer begins as the JSON that was asked for, and its tokens are counted."""
    asked = model.with_structured_output(Classification, include_raw=True)
    answer: Any = await asked.ainvoke([SystemMessage(PROMPT), HumanMessage(TWICE)])
    assert answer["raw"].usage_metadata["output_tokens"] > 0
    assert answer["raw"].content.replace(" ", "").replace("\n", "").startswith('{"intents":[')


class TriageByRules(OfflineChatModel):
    """Rules triage, so that a ticket gets as far as the real model's other questions."""

    real: BaseChatModel

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[Any, Any]:
        """Only the triage is not the real model's."""
        if schema is Classification:
            return super().with_structured_output(schema, include_raw=include_raw)
        return self.real.with_structured_output(schema, include_raw=include_raw)


@pytest.mark.parametrize(
    ("customer", "body"), [("cus_ann", TWICE), ("cus_bob", ANNUAL), ("cus_ann", E42)]
)
async def test_plan_fits_the_payments_and_the_reply_fits_the_plan(
    model: BaseChatModel, customer: str, body: str
) -> None:
    """Whatever the model proposes and writes, a plan is possible and a reply is true."""
    opened = desk(customer, "upload-error-e42")
    world = opened.world
    twin = TriageByRules(real=model)
    world.models = Models(fast=twin, strong=twin, fallback=OfflineChatModel())
    paid = {p["id"]: p["amount_minor"] for p in await world.billing.payments(customer)}
    state = await opened.start(body)
    assert world.billing.refunds == {}
    planned = state["plan"]["steps"] if state["plan"] else []
    assert all(0 < s["args"]["amount_minor"] <= paid[s["args"]["payment_id"]] for s in planned)
    if "__interrupt__" in state:
        state = await opened.decide("approve")
    assert len(world.billing.refunds) == len(planned)
    assert state["reply"]["text"] == state["draft"]["text"]
    if state["handoff"] is None:
        said = with_sentences("", said_by_code(cast("SupportState", state)))
        assert state["reply"]["text"].endswith(said)
