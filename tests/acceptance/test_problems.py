"""What a problem points at, and the id that a request carries in and out."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import SecretStr

from app.db.core.connections import Sessions
from app.settings import Settings
from tests.acceptance.in_process import InProcess, api_in_process
from tests.acceptance.refusals import Callers, expect_refused, make_callers, problem_of

# RFC 3986: the characters of a path, with every other one percent-encoded.
URI_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+")


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/v1/runs", 405), ("GET", "/v1/runs?limit=0", 422),
     ("POST", "/v1/runs", 422), ("GET", "/v1/runs/%00", 400)],
)  # fmt: skip
def test_type_of_a_problem_explains_it(
    callers: Callers, method: str, path: str, status: int
) -> None:
    """Who follows `type` reads what the code means."""
    problem = problem_of(callers.starter.http.request(method, path), status)
    explained = callers.starter.http.get(problem["type"])
    assert explained.status_code == 200, explained.text
    assert explained.json()["code"] == problem["code"]


@pytest.mark.parametrize("path", ["/v1/a%20b", "/v1/%C3%BC%3C", "/v1/%00", "/v1/threads/%22%7B%7D"])
def test_instance_is_a_uri_reference(callers: Callers, path: str) -> None:
    """`instance` is the address that was asked for, percent-encoded as RFC 9457 wants it."""
    instance = callers.starter.http.get(path).json()["instance"]
    assert URI_PATH.fullmatch(instance), instance


@pytest.mark.parametrize("sent", ["abc", "01a2-b3.c4:d5_e6", "x" * 128])
@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/runs?ticket_id=%00", "/v1/runs"])
def test_request_id_is_echoed(callers: Callers, path: str, sent: str) -> None:
    """A good `X-Request-Id` comes back, whatever the answer is."""
    answer = callers.starter.http.get(path, headers={"X-Request-Id": sent})
    assert answer.headers.get_list("X-Request-Id") == [sent]


@pytest.mark.parametrize("sent", [b"", b"x" * 129, b"a b", b"\xff", b"caf\xc3\xa9", b'"><', b"%0A"])
def test_bad_request_id_is_replaced(callers: Callers, sent: bytes) -> None:
    """What could forge a log line never gets into one; each request gets its own id."""
    seen = set()
    for _ in range(2):
        answer = callers.starter.http.get("/nowhere", headers={b"X-Request-Id": sent})
        [made] = answer.headers.get_list("X-Request-Id")
        assert re.fullmatch(r"[\w.:-]{1,128}", made, re.ASCII)
        seen.add(made)
    assert len(seen) == 2


@pytest.fixture(scope="module")
def unready(fresh_database: Callable[[], str], settings: Settings) -> Iterator[httpx.Client]:
    """An API on a database that is not migrated yet."""
    empty = settings.model_copy(update={"database_url": SecretStr(fresh_database())})
    with api_in_process(empty) as api, api.anonymous() as client:
        yield client


def test_api_without_its_schema_is_not_ready(unready: httpx.Client) -> None:
    """503, so that no traffic is sent to it; alive it is."""
    assert unready.get("/healthz").status_code == 200
    expect_refused(unready.get("/readyz"), 503, "unavailable")


def test_failure_of_ours_carries_the_request_id(unready: httpx.Client) -> None:
    """The one answer for which an operator will search the log."""
    headers = {"Authorization": "Bearer dg_0_0", "X-Request-Id": "lost-schema"}
    answer = unready.get("/v1/runs", headers=headers)
    assert answer.status_code >= 500
    assert answer.headers.get_list("X-Request-Id") == ["lost-schema"]
    problem_of(answer, answer.status_code)
