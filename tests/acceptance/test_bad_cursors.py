"""Cursors that were forged, changed, or made for another list: none opens anything."""

from typing import Any

import httpx
import pytest
from itsdangerous import URLSafeSerializer

from app.db.core.connections import Sessions
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import Callers, expect_refused, make_callers

HOURS = "What are your opening hours?"


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


@pytest.fixture(scope="module")
async def stranger(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """Another tenant."""
    return await make_callers(in_process, sessions, database_url)


@pytest.fixture(scope="module")
def cursor(callers: Callers) -> str:
    """A good cursor on the list of all runs."""
    for n in range(2):
        callers.starter.start("cus_lou", HOURS, f"T-{n}")
    found = callers.starter.http.get("/v1/runs?limit=1").json()["next_cursor"]
    assert isinstance(found, str)
    return found


def get(callers: Callers, path: str, **params: Any) -> httpx.Response:
    """Ask with the starter's key."""
    return callers.starter.http.get(path, params=params or None)


def test_cursor_works_on_its_list(callers: Callers, cursor: str) -> None:
    """The other tests use this cursor where it does not belong."""
    [run] = get(callers, "/v1/runs", cursor=cursor).raise_for_status().json()["items"]
    assert run["ticket_id"] == "T-0"


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/approvals", "/v1/articles"])
def test_cursor_of_another_tenant_is_refused(
    callers: Callers, stranger: Callers, cursor: str, path: str
) -> None:
    """A cursor tells its tenant; it opens nothing for another."""
    expect_refused(get(stranger, path, cursor=cursor), 422, "invalid-cursor")
    theirs = get(stranger, "/v1/articles", limit=1).json()["next_cursor"]
    expect_refused(get(callers, path, cursor=theirs), 422, "invalid-cursor")


@pytest.mark.parametrize(
    "filters",
    [{"status": "pending"}, {"ticket_id": "T-0"}, {"customer_id": "cus_lou"}, {"ticket_id": "None"},
     {"customer_id": "None"}, {"ticket_id": "null", "customer_id": "null"}],
)  # fmt: skip
def test_cursor_of_other_filters_is_refused(
    callers: Callers, cursor: str, filters: dict[str, str]
) -> None:
    """A page of one question is no page of another, whatever the filter is called."""
    expect_refused(get(callers, "/v1/runs", cursor=cursor, **filters), 422, "invalid-cursor")


@pytest.mark.parametrize("path", ["/v1/approvals", "/v1/articles"])
def test_cursor_of_another_list_is_refused(callers: Callers, cursor: str, path: str) -> None:
    """Runs, approvals and articles each have their own."""
    expect_refused(get(callers, path, cursor=cursor), 422, "invalid-cursor")


# Not the last one: of its six bits the signature's bytes need only four.
@pytest.mark.parametrize("at", [0, 5, -2])
def test_changed_cursor_is_refused(callers: Callers, cursor: str, at: int) -> None:
    """One other character and the signature does not fit."""
    letters = list(cursor)
    letters[at] = "A" if letters[at] != "A" else "B"
    expect_refused(get(callers, "/v1/runs", cursor="".join(letters)), 422, "invalid-cursor")


@pytest.mark.parametrize("secret", ["", "guess", "secret_key", "\x00"])
def test_forged_cursor_is_refused(callers: Callers, secret: str) -> None:
    """The right form signed with a guessed secret is worth nothing."""
    scope = "\x1f".join(["runs", callers.tenant.id, "None", "None", "None"])
    forged = URLSafeSerializer(secret, salt=scope).dumps("ffffffff-ffff-4fff-bfff-ffffffffffff")
    expect_refused(get(callers, "/v1/runs", cursor=forged), 422, "invalid-cursor")


def test_search_does_not_ignore_a_cursor(callers: Callers) -> None:
    """A search is one page; a cursor beside it is refused, as it is anywhere else."""
    expect_refused(get(callers, "/v1/articles", q="hours", cursor="garbage"), 422, "invalid-cursor")
