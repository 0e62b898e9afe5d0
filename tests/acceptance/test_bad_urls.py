"""Addresses, methods, queries and cursors that lead nowhere; and the request's id."""

import json
import re
from typing import Any

import httpx
import pytest

from app.db.core.connections import Sessions
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import (
    NOBODY,
    Callers,
    connect,
    expect_refused,
    make_callers,
    pointers,
)
from tests.acceptance.stack import Stack, ticket

HOURS = "What are your opening hours?"


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


def get(callers: Callers, path: str, **params: Any) -> httpx.Response:
    """Ask with the starter's key."""
    return callers.starter.http.get(path, params=params or None)


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v2/runs", "/V1/runs", "/v1/runs/", "/v1//runs", "/v1/run", "/docs/", "/docs/LICENSE",
     "/docs/..%2Findex.html", "/redoc", "/v1/runs/%2F", "/v1/runs/a%2Fb/steps", "/%E2%82%AC",
     "/v1/a%20b%3Fc%23d", "/v1/threads/a/b", "/" + "x" * 8000],
)  # fmt: skip
def test_unknown_address_is_404(callers: Callers, path: str) -> None:
    """Nothing lives there; nothing is redirected."""
    expect_refused(get(callers, path), 404, "not-found")


@pytest.mark.parametrize("path", ["//", "//[x", "//v1/runs", "/../v1/runs"])
def test_address_is_taken_as_it_is_sent(stack: Stack, path: str) -> None:
    """A second slash, or what a client would have resolved, leads nowhere either."""
    connection = connect(stack)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (404, "not-found")
    connection.close()


@pytest.mark.parametrize(
    "run_id",
    ["x", "1", "1" * 5000, NOBODY[:-1], NOBODY + "0", "%F0%9F%99%82", "null", "-1", "a%0Ab"],
)
@pytest.mark.parametrize("path", ["/v1/runs/{}", "/v1/runs/{}/steps", "/v1/approvals/{}"])
def test_id_that_is_no_id_is_404(callers: Callers, path: str, run_id: str) -> None:
    """Nothing distinguishes an address that cannot exist from one that does not."""
    expect_refused(get(callers, path.format(run_id)), 404, "not-found")


@pytest.mark.parametrize("ticket_id", ["x%20y", "%C3%BC", "x" * 129, "nobody", "%7F"])
def test_unknown_thread_is_404(callers: Callers, ticket_id: str) -> None:
    """No run knows the ticket."""
    expect_refused(get(callers, f"/v1/threads/{ticket_id}"), 404, "not-found")


@pytest.mark.parametrize(
    "ticket_id", ["T#1", "a/b", "a/takeover", "/", "a?b=c", "100%41", "a\\b", "~'\""]
)
def test_links_of_a_run_lead_to_its_thread(callers: Callers, ticket_id: str) -> None:
    """Every ticket id that is taken can be read back at the address the run gives."""
    run = callers.starter.start("cus_lou", HOURS, ticket_id)
    answer = get(callers, run["links"]["thread"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["ticket_id"] == ticket_id


def test_every_article_id_is_an_address(callers: Callers) -> None:
    """One with a slash as well, and the address in a problem is the one that was asked for."""
    path, body = "/v1/articles/faq%2Fhours", {"title": "T", "content": "c"}
    assert callers.admin.http.put(path, json=body).json()["id"] == "faq/hours"
    assert callers.admin.http.delete(path).status_code == 204
    gone = callers.admin.http.delete(path)
    assert expect_refused(gone, 404, "not-found")["instance"] == path


@pytest.mark.parametrize(
    "path",
    ["/v1/runs/%00", "/v1/runs?ticket_id=%00", "/v1/articles?q=a%00b", "/v1/runs?cursor=%00",
     "/v1/runs?%00=1", "/v1/threads/T%00", "/v1/runs/%FF", "/v1/threads/%ED%A0%80", "/%C0%80"],
)  # fmt: skip
def test_address_holds_only_text(callers: Callers, path: str) -> None:
    """400 invalid-url for NUL anywhere, and for a path that is not UTF-8."""
    expect_refused(get(callers, path), 400, "invalid-url")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/runs", {"GET", "POST"}),
        ("PATCH", "/v1/runs", {"GET", "POST"}),
        ("PUT", f"/v1/runs/{NOBODY}", {"GET"}),
        ("GET", f"/v1/runs/{NOBODY}/resume", {"POST"}),
        ("GET", f"/v1/runs/{NOBODY}/cancel", {"POST"}),
        ("POST", "/v1/approvals", {"GET"}),
        ("PUT", "/v1/articles", {"GET", "POST"}),
        ("PATCH", "/v1/articles/x", {"GET", "PUT", "DELETE"}),
        ("OPTIONS", "/healthz", {"GET"}),
        ("OPTIONS", "/v1/threads/T/takeover", {"POST"}),
        ("GET", "/v1/threads/T%2Ftakeover/handback", {"POST"}),
        ("POST", "/v1/threads/T%2ftakeover", {"GET"}),
        ("GET", "/v1/customers/a%2Fb", {"DELETE"}),
    ],
)
def test_wrong_method_names_the_right_ones(
    callers: Callers, method: str, path: str, allowed: set[str]
) -> None:
    """405 with all methods of the address in `Allow`, as RFC 9110 asks (15.5.6)."""
    with callers.books.unchanged():
        answer = callers.admin.http.request(method, path)
        expect_refused(answer, 405, "method-not-allowed")
    assert set(re.split(r",\s*", answer.headers["Allow"])) - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/approvals", "/v1/articles"])
@pytest.mark.parametrize("limit", ["0", "101", "abc", "-1", "", "1.5", "9" * 20, "9" * 5000, "٣"])
def test_limit_is_a_small_number(callers: Callers, path: str, limit: str) -> None:
    """1 to 100."""
    problem = expect_refused(get(callers, path, limit=limit), 422, "invalid-request")
    assert pointers(problem) == ["query/limit"]


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "-inf", "1e999", "abc", "", "30.0001"])
def test_wait_is_at_most_thirty_seconds(callers: Callers, wait: str) -> None:
    """No number that never comes to an end; a start that is refused stores nothing."""
    with callers.books.unchanged():
        for answer in (
            get(callers, f"/v1/runs/{NOBODY}", wait=wait),
            callers.starter.http.post(
                "/v1/runs", params={"wait": wait}, json=ticket("cus_lou", HOURS)
            ),
        ):
            assert pointers(expect_refused(answer, 422, "invalid-request")) == ["query/wait"]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [("/v1/runs", "status", "PENDING"), ("/v1/runs", "status", ""), ("/v1/runs", "ticket_id", ""),
     ("/v1/runs", "ticket_id", "a b"), ("/v1/runs", "customer_id", "x" * 129),
     ("/v1/approvals", "status", "running"), ("/v1/articles", "q", ""),
     ("/v1/articles", "q", "x" * 4001), ("/v1/runs", "cursor", "x" * 501)],
)  # fmt: skip
def test_bad_filter_is_refused(callers: Callers, path: str, name: str, value: str) -> None:
    """A filter that can match nothing is an error, not an empty list."""
    problem = expect_refused(get(callers, path, **{name: value}), 422, "invalid-request")
    assert pointers(problem) == [f"query/{name}"]


@pytest.mark.parametrize("forged", ["garbage", "", ".", "é", "IiI.x", "a.b.c", "🙂"])
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/approvals", "/v1/articles"])
def test_cursor_of_nobodys_making_is_refused(callers: Callers, path: str, forged: str) -> None:
    """422 invalid-cursor."""
    expect_refused(get(callers, path, cursor=forged), 422, "invalid-cursor")
