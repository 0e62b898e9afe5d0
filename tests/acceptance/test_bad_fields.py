"""Bodies that are JSON and still not a request: the pointer says where, and nothing is stored."""

from typing import Any

import httpx
import pytest

from app.db.core.connections import Sessions
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import NOBODY, Callers, expect_refused, make_callers, pointers
from tests.acceptance.stack import ticket


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


def changed(path: str, value: Any) -> Any:
    """A valid body of `POST /v1/runs` with one value set, e.g. at `ticket/customer/id`."""
    body = at = ticket("cus_lou", "What are your opening hours?")
    *parents, name = path.split("/")
    for parent in parents:
        at = at.setdefault(parent, {})
    at[name] = value
    return body


def without(path: str) -> Any:
    """A valid body of `POST /v1/runs` that lacks one value."""
    body = at = ticket("cus_lou", "What are your opening hours?")
    *parents, name = path.split("/")
    for parent in parents:
        at = at[parent]
    del at[name]
    return body


def start(callers: Callers, body: Any, **headers: str) -> httpx.Response:
    """Ask for a run."""
    return callers.starter.http.post("/v1/runs", json=body, headers=headers)


@pytest.mark.parametrize("document", [None, [], "ticket", True, 0, -0.5, [{}]])
def test_document_that_is_no_object_is_refused(callers: Callers, document: Any) -> None:
    """422: only an object asks for something."""
    for client, path in (
        (callers.starter, "/v1/runs"),
        (callers.approver, f"/v1/runs/{NOBODY}/resume"),
    ):
        with callers.books.unchanged():
            expect_refused(client.http.post(path, json=document), 422, "invalid-request")


@pytest.mark.parametrize("path", ["tickets", "ticket/titel", "ticket/customer/mail", "callback"])
def test_unknown_field_is_refused_at_every_level(callers: Callers, path: str) -> None:
    """A misspelt name is an error, never silently dropped."""
    with callers.books.unchanged():
        problem = expect_refused(start(callers, changed(path, "x")), 422, "invalid-request")
        assert pointers(problem) == [f"/{path}"]


@pytest.mark.parametrize(
    "path", ["ticket", "ticket/id", "ticket/subject", "ticket/body", "ticket/customer",
             "ticket/customer/id"],
)  # fmt: skip
def test_missing_field_is_named(callers: Callers, path: str) -> None:
    """The pointer is where the value should stand."""
    with callers.books.unchanged():
        problem = expect_refused(start(callers, without(path)), 422, "invalid-request")
        assert pointers(problem) == [f"/{path}"]


NO_IDS: list[Any] = [None, 1, 1.5, True, [], {}, "", "a b", "é", "T\n", "\t", "x" * 129]
WRONG: list[tuple[str, Any]] = [
    *(("ticket/id", no_id) for no_id in NO_IDS),
    ("ticket/customer/id", 42),
    ("ticket/customer/id", ""),
    ("ticket/customer/id", "cus\u200b_ann"),
    ("ticket/customer", "cus_ann"),
    ("ticket/customer/email", "x" * 321),
    ("ticket/customer/name", ["Ann"]),
    ("ticket/subject", None),
    ("ticket/subject", "x" * 501),
    ("ticket/headers", {f"X-{n}": "" for n in range(101)}),
    ("ticket/headers", ["X-A"]),
    ("ticket/body", {"text": "hi"}),
    ("ticket/body", "x" * 50_001),
    ("ticket/channel", 7),
    *(("ticket/language", tag) for tag in ("eng", "xx", "zzz", "en-", "de_AT", "x-foo", "und")),
    ("ticket/language", "en\n"),
    ("metadata", None),
    ("metadata", ["a"]),
    ("metadata", {str(n): n for n in range(51)}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_wrong_value_is_refused_where_it_stands(callers: Callers, path: str, value: Any) -> None:
    """Types are never converted, lengths and alphabets are kept."""
    with callers.books.unchanged():
        problem = expect_refused(start(callers, changed(path, value)), 422, "invalid-request")
        assert pointers(problem) == [f"/{path}"]


@pytest.mark.parametrize("value", [[1], {}, "v" * 1001, {"deep": {"er": None}}])
def test_metadata_holds_plain_values_only(callers: Callers, value: Any) -> None:
    """Lists, objects and long texts are refused."""
    with callers.books.unchanged():
        expect_refused(start(callers, changed("metadata/k", value)), 422, "invalid-request")


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_metadata_names_are_short(callers: Callers, name: str) -> None:
    """An empty or endless name is refused."""
    with callers.books.unchanged():
        answer = start(callers, changed("metadata", {name: 1}))
        expect_refused(answer, 422, "invalid-request")


def resolves(pointer: str, document: Any) -> bool:
    """Whether an RFC 6901 pointer names a value of the document."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and name in document:
            document = document[name]
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return False
    return pointer == "" or pointer.startswith("/")


@pytest.mark.parametrize(
    "body",
    [None, [], changed("metadata/k", [1]), changed("metadata/a~1b", {}),
     changed("metadata", {"": 1}), changed("metadata", {"x" * 65: 1}), changed("ticket", [])],
)  # fmt: skip
def test_pointers_name_a_value_of_what_was_sent(callers: Callers, body: Any) -> None:
    """`errors[].pointer` is an RFC 6901 pointer that a caller can follow into its own body."""
    problem = expect_refused(start(callers, body), 422, "invalid-request")
    assert [pointer for pointer in pointers(problem) if not resolves(pointer, body)] == []


@pytest.mark.parametrize(
    ("article_id", "body", "pointer"),
    [
        ("new", {"title": "T"}, "/content"),
        ("new", {"title": "", "content": "c"}, "/title"),
        ("new", {"title": "T", "content": ""}, "/content"),
        ("new", {"title": "T", "content": "c", "language": "English"}, "/language"),
        ("new", {"title": "T", "content": "c", "author": "me"}, "/author"),
        ("new", {"title": "T", "content": "c" * 200_001}, "/content"),
        ("opening-hours", {"title": ["T"], "content": "c"}, "/title"),
    ],
)
def test_bad_article_is_not_stored(
    callers: Callers, article_id: str, body: Any, pointer: str
) -> None:
    """An article is neither made nor replaced by a body that does not fit."""
    with callers.books.unchanged():
        answer = callers.admin.http.put(f"/v1/articles/{article_id}", json=body)
        assert pointers(expect_refused(answer, 422, "invalid-request")) == [pointer]


@pytest.mark.parametrize("article_id", ["a%20b", "%C3%BC", "x" * 129, "%7F", "a%0A"])
def test_article_id_that_no_address_holds_does_not_exist(callers: Callers, article_id: str) -> None:
    """404 for an id outside printable ASCII, or one too long."""
    path, body = f"/v1/articles/{article_id}", {"title": "T", "content": "c"}
    with callers.books.unchanged():
        expect_refused(callers.admin.http.put(path, json=body), 404, "not-found")
        expect_refused(callers.admin.http.delete(path), 404, "not-found")


@pytest.mark.parametrize("key", [b"", b"x" * 300, b"a b", b"\xc3\xa9", b"\xff", b"caf\xe9"])
def test_bad_idempotency_key_is_refused(callers: Callers, key: bytes) -> None:
    """A key that could not be distinguished from another is no key."""
    with callers.books.unchanged():
        answer = callers.starter.http.post(
            "/v1/runs",
            json=ticket("cus_lou", "What are your opening hours?"),
            headers={b"Idempotency-Key": key},
        )
        problem = expect_refused(answer, 422, "invalid-request")
        assert pointers(problem) == ["header/Idempotency-Key"]


@pytest.mark.parametrize(
    ("path", "value"),
    [("ticket/body", "Another question"), ("ticket/id", "T-2"), ("ticket/customer/id", "cus_eva"),
     ("ticket/channel", "chat"), ("metadata", {"n": 1}), ("metadata", {"n": 1.0})],
)  # fmt: skip
def test_idempotency_key_belongs_to_one_body(callers: Callers, path: str, value: Any) -> None:
    """422 idempotency-key-reused when anything of the body differs; the first run stays."""
    key = {"Idempotency-Key": f"key-{path}-{value!r}".replace(" ", "")}
    first = start(callers, changed("metadata", {"n": True}), **key)
    assert first.status_code == 202, first.text
    callers.starter.run(first.json()["id"])
    with callers.books.unchanged():
        expect_refused(start(callers, changed(path, value), **key), 422, "idempotency-key-reused")
        again = start(callers, changed("metadata", {"n": True}), **key)
        assert again.json()["id"] == first.json()["id"]
