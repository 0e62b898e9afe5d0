"""The API key is checked before a body: bodies are held back here, and the refusal comes."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import httpx
import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import NOBODY, Callers, connect, make_callers
from tests.acceptance.stack import Stack
from tests.tls import TLS

SIZE = 260_000
WRONG = ["", "Bearer dg_0_0", "Bearer dg_x", "Basic eDp5"]
# The server takes about 1 MB after its answer; the rest of this is what sockets buffer.
# What a key may always read: what it may do.
OF_ANY_KEY = ("GET", "/v1/me")
SENT_AT_MOST = 32 * 1024 * 1024


@pytest.fixture(scope="module")
async def callers(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(stack, sessions, database_url)


def keyed_operations(stack: Stack) -> list[tuple[str, str]]:
    """Method and address of every operation that needs a key."""
    paths = httpx.get(stack.url + "/openapi.json", verify=TLS).json()["paths"]
    return [
        (method.upper(), path.replace("{", "").replace("}", "").replace("run_id", NOBODY))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "security" in operation
    ]


@contextmanager
def held_back(
    stack: Stack, method: str, path: str, authorization: str, **headers: str
) -> Iterator[HTTPConnection]:
    """A request whose headers announce a body of which nothing is sent."""
    connection = connect(stack)
    connection.putrequest(method, path)
    if authorization:
        connection.putheader("Authorization", authorization)
    connection.putheader("Content-Type", "application/json")
    for name, value in (headers or {"Content-Length": str(SIZE)}).items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    try:
        yield connection
    finally:
        connection.close()


def refused(answer: HTTPResponse, status: int, code: str) -> None:
    """The whole problem is there, and the connection ends with it."""
    problem: Any = json.loads(answer.read())
    assert (answer.status, problem["code"]) == (status, code), problem
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("authorization", WRONG)
def test_wrong_key_is_refused_before_the_body(
    callers: Callers, stack: Stack, authorization: str
) -> None:
    """401 on every route that needs a key, while nothing of the body was sent."""
    operations = keyed_operations(stack)
    assert len(operations) > 20
    with callers.books.unchanged():
        for method, path in operations:
            with held_back(stack, method, path, authorization) as connection:
                refused(connection.getresponse(), 401, "unauthorized")


async def test_missing_scope_is_refused_before_the_body(callers: Callers, stack: Stack) -> None:
    """403 on every route that needs a scope, while nothing of the body was sent."""
    authorization = f"Bearer {await callers.key()}"
    with callers.books.unchanged():
        for method, path in set(keyed_operations(stack)) - {OF_ANY_KEY}:
            with held_back(stack, method, path, authorization) as connection:
                refused(connection.getresponse(), 403, "missing-scope")


@pytest.mark.parametrize(
    "headers",
    [{"Transfer_Encoding": "chunked"}, {"Content_Length": "999999999"},
     {"Content_Length": str(SIZE), "Expect": "100-continue"}],
)  # fmt: skip
def test_refusal_invites_no_body(stack: Stack, headers: dict[str, str]) -> None:
    """However a body is announced; who asks before sending it is not asked to go on."""
    with held_back(stack, "POST", "/v1/runs", "", **headers) as connection:
        refused(connection.getresponse(), 401, "unauthorized")


def test_connection_ends_after_the_refusal(stack: Stack) -> None:
    """The body that was announced can never be read as the next request."""
    with held_back(stack, "POST", "/v1/runs", "") as connection:
        raw: socket.socket = connection.sock
        answer = b""
        while not answer.endswith(b"}"):
            answer += raw.recv(65_536)
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(65_536) == b""
    assert answer.startswith(b"HTTP/1.1 401 ")


def pour(raw: socket.socket, size: int) -> None:
    """Send so many bytes in chunks, and no end."""
    part = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    for _ in range(size // len(part)):
        raw.sendall(part)


def test_endless_upload_is_cut_off(stack: Stack) -> None:
    """Of a body without end the server takes a bounded part, and closes."""
    with (
        held_back(stack, "POST", "/v1/runs", "", Transfer_Encoding="chunked") as connection,
        pytest.raises(OSError, match=r"reset|Broken pipe"),
    ):
        pour(connection.sock, SENT_AT_MOST)


def test_refused_upload_in_one_go_reads_its_answer(stack: Stack) -> None:
    """A client that sends the whole body without listening still gets the problem."""
    for _ in range(20):
        answer = httpx.post(stack.url + "/v1/runs", content=b"x" * SIZE, verify=TLS)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_refusal_without_a_body_keeps_the_connection(stack: Stack) -> None:
    """Where nothing is left to read, the next request goes over the same connection."""
    connection = connect(stack)
    for _ in range(3):
        connection.request("GET", "/v1/runs")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (401, None)
        answer.read()
    connection.close()
