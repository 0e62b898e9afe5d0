"""Bad bodies on the real server: a stable code each, before anything is stored."""

import json
from typing import Any

import pytest

from app.db.core.connections import Sessions
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import Callers, connect, expect_refused, make_callers
from tests.acceptance.stack import Stack, ticket

LIMIT = 262_144
JSON = "application/json"


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


def valid(body: str = "What are your opening hours?") -> Any:
    """A body that would start a run."""
    return ticket("cus_lou", body)


def test_valid_body_is_taken(callers: Callers) -> None:
    """The other tests change one thing about this request."""
    runs_before = len(callers.books.read()[0])
    answer = callers.starter.http.post("/v1/runs?wait=20", json=valid())
    assert answer.status_code == 202, answer.text
    assert len(callers.books.read()[0]) == runs_before + 1


@pytest.mark.parametrize("path", ["/v1/runs", f"/v1/runs/{'0' * 32}/resume"])
def test_declared_size_is_refused_before_the_body_is_sent(
    callers: Callers, stack: Stack, path: str
) -> None:
    """413 comes while not one byte of the body was sent."""
    client = callers.starter if path == "/v1/runs" else callers.approver
    with callers.books.unchanged():
        connection = connect(stack)
        connection.putrequest("POST", path)
        connection.putheader("Authorization", client.http.headers["Authorization"])
        connection.putheader("Content-Type", JSON)
        connection.putheader("Content-Length", str(10 * LIMIT))
        connection.endheaders()
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        connection.close()
    assert (answer.status, problem["code"]) == (413, "body-too-large")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["instance"] == path


def test_undeclared_size_is_refused_before_the_body_ends(callers: Callers, stack: Stack) -> None:
    """413 comes as soon as a chunked body is over the limit, though its end never comes."""
    with callers.books.unchanged():
        connection = connect(stack)
        connection.putrequest("POST", "/v1/runs")
        connection.putheader("Authorization", callers.starter.http.headers["Authorization"])
        connection.putheader("Content-Type", JSON)
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        connection.send(b"%x\r\n%s\r\n" % (LIMIT + 1, b" " * (LIMIT + 1)))
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        connection.close()
    assert (answer.status, problem["code"]) == (413, "body-too-large")


def test_largest_body_is_read(callers: Callers) -> None:
    """A body of exactly the limit is judged by what it says, one byte more is not."""
    fits = b'{"ticket":' + b" " * (LIMIT - 11) + b"}"
    with callers.books.unchanged():
        headers = {"Content-Type": JSON}
        answer = callers.starter.http.post("/v1/runs", content=fits, headers=headers)
        expect_refused(answer, 400, "invalid-json")
        answer = callers.starter.http.post("/v1/runs", content=fits + b" ", headers=headers)
        expect_refused(answer, 413, "body-too-large")


TEXT = json.dumps(valid())
NOT_JSON = {
    "broken": b'{"ticket": {"id": "T-1"',
    "two documents": b"{} {}",
    "only spaces": b"   ",
    "trailing comma": b'{"ticket": {},}',
    "single quotes": b"{'ticket': 1}",
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "one level too deep": b"[" * 33 + b"]" * 33,
    "NUL as an escape": TEXT.replace("opening", "\\u0000").encode(),
    "NUL as a byte": TEXT.replace("opening", "\x00").encode(),
    "NUL in a name": b'{"\\u0000": 1}',
    "lone high surrogate": TEXT.replace("opening", "\\ud800").encode(),
    "lone low surrogate": TEXT.replace("opening", "\\udfff").encode(),
    "surrogate in a name": b'{"\\ud800": 1}',
    "surrogates the wrong way round": b'{"a": "\\ude00\\ud83d"}',
    "surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": [-Infinity]}',
    "1e999": b'{"a": 1e999}',
    "-1e999": b"-1e999",
    "a number of 31 digits": b'{"a": 1' + b"0" * 30 + b"}",
    "a number of 100,000 digits": b"9" * 100_000,
    "duplicate key": b'{"metadata": {}, "metadata": {}}',
    "duplicate key, escaped": b'{"ticket": 1, "\\u0074icket": 1}',
    "duplicate key far inside": b'{"a": [{"b": {"c": 1, "c": 2}}]}',
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-32": TEXT.encode("utf-32"),
    "UTF-8 with a mark": TEXT.encode("utf-8-sig"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "overlong NUL": b'{"a": "\xc0\x80"}',
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_strict_json_is_refused(callers: Callers, name: str) -> None:
    """400 invalid-json with a sentence that says what is wrong."""
    with callers.books.unchanged():
        answer = callers.starter.http.post(
            "/v1/runs", content=NOT_JSON[name], headers={"Content-Type": JSON}
        )
        expect_refused(answer, 400, "invalid-json")


def test_deepest_body_is_read(callers: Callers) -> None:
    """32 levels are judged by what they say."""
    with callers.books.unchanged():
        answer = callers.starter.http.post(
            "/v1/runs", content=b"[" * 32 + b"]" * 32, headers={"Content-Type": JSON}
        )
        expect_refused(answer, 422, "invalid-request")


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/problem+json", "application/json; charset=utf-16", "json", "*/*",
     "application/json, text/plain"],
)  # fmt: skip
def test_only_json_is_spoken(callers: Callers, media_type: str | None) -> None:
    """415 unsupported-media-type for any other type, or none."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    with callers.books.unchanged():
        answer = callers.starter.http.post("/v1/runs", content=TEXT, headers=headers)
        expect_refused(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize("media_type", [None, "text/plain", JSON])
@pytest.mark.parametrize("path", ["/v1/runs", f"/v1/runs/{'0' * 32}/resume"])
def test_empty_body_is_refused(callers: Callers, media_type: str | None, path: str) -> None:
    """422: a call that needs a body says so."""
    client = callers.starter if path == "/v1/runs" else callers.approver
    headers = {} if media_type is None else {"Content-Type": media_type}
    with callers.books.unchanged():
        expect_refused(client.http.post(path, content=b"", headers=headers), 422, "invalid-request")
