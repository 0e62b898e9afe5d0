"""A run that is cancelled while it runs comes to an end, whenever the cancel arrives."""

import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import Callers, make_callers, problem_of
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.no_articles

FINAL = ("cancelled", "success")


@pytest.fixture(scope="module")
async def callers(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(stack, sessions, database_url)


@pytest.mark.parametrize("polls", range(8))
def test_cancel_of_a_running_run_ends_it(callers: Callers, polls: int) -> None:
    """However far the run has come, it is final soon, and its ticket is free for the next."""
    http, ticket_id = callers.starter.http, f"T-{polls}"
    run = callers.starter.start("cus_lou", "What are your opening hours?", ticket_id, wait=0)
    while run["status"] == "pending":
        run = callers.starter.run(run["id"], wait=0)
    for _ in range(polls):  # each takes a few milliseconds, so the cancels meet several nodes
        callers.starter.run(run["id"], wait=0)
    answer = http.post(f"/v1/runs/{run['id']}/cancel")
    if answer.status_code != 202:
        assert problem_of(answer, 409)["code"] == "run-finished"
    assert callers.starter.run(run["id"], wait=20)["status"] in FINAL
    following = callers.starter.start("cus_lou", "How do I reset my password?", ticket_id, wait=20)
    assert following["status"] == "success"
