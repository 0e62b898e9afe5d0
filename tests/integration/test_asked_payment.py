"""On Postgres and over HTTP: the answer to "which payment?" finds the request that it answers."""

from collections.abc import AsyncIterator

import pytest

from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.api import caller, serving_api
from tests.integration.threads import Desk, key_of, worker_on

WISH, ANSWER = "Please refund my payment.", "pay_4003"


@pytest.fixture
async def desk(service: Service, tenant: Tenant) -> AsyncIterator[Desk]:
    """The tenant's desk behind HTTP, after its customer was asked which payment they mean."""
    runner = worker_on(service)
    key = await key_of(runner, tenant)
    async with serving_api(service) as url, caller(url, key) as client:
        opened = Desk(runner, tenant, client)
        assert (await opened.write(WISH))["outcome"] == "asked"
        yield opened


async def test_answer_becomes_the_plan_of_the_earlier_wish(desk: Desk) -> None:
    """Without a model it waits for a person, as every plan does."""
    run = await desk.write(ANSWER)
    assert (run["status"], run["escalation"]) == ("interrupted", None)
    assert [step["id"] for step in run["plan"]] == ["refund-pay_4003"]


async def test_another_customer_of_the_ticket_answers_nothing(desk: Desk) -> None:
    """They were asked nothing, and may own payments as well."""
    run = await desk.write("pay_1001", customer={"id": "cus_ann"})
    assert (run["outcome"], run["plan"]) == ("escalated", [])


async def test_question_is_over_once_a_person_had_the_thread(desk: Desk) -> None:
    """What they wrote to the customer meanwhile is not known."""
    await desk.take_over()
    assert (await desk.write("Hello?"))["ignored"] == "human_has_it"
    await desk.hand_back()
    run = await desk.write(ANSWER)
    assert (run["outcome"], run["plan"]) == ("escalated", [])
