"""Whatever anybody sends, the answer is never a failure of ours."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db.core.connections import Sessions
from tests.acceptance.refusals import NOBODY, Callers, make_callers, problem_of
from tests.acceptance.stack import Client, Stack, ticket

JSON = {"Content-Type": "application/json"}
same_each_run = settings(
    derandomize=True, database=None, deadline=None, max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip

texts = st.text(max_size=20) | st.sampled_from(["\x00", "\ud800", "T-1", "cus_ann", "approve", "é"])
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 2**63, 10**29, 10**40, 1e308])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
async def callers(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(stack, sessions, database_url)


@pytest.fixture(scope="module")
async def reviewer(callers: Callers) -> Client:
    """A key that may say no more than `reject`, so that no example decides by chance."""
    return await callers.caller("approvals:decide", limits={})


@pytest.fixture(scope="module")
def run(callers: Callers) -> Any:
    """A run that waits for a decision."""
    paused = callers.starter.start("cus_bob", "Please refund my annual plan.", "T-bob")
    assert paused["status"] == "interrupted"
    return paused


def never_ours(answer: httpx.Response) -> None:
    """A success, or a problem that is the caller's."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem_of(answer, answer.status_code)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside a document."""
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    for name, item in items:
        yield (*path, name)
        yield from places(item, (*path, name))


@st.composite
def mutations(draw: st.DrawFn, document: Any) -> Any:
    """The document with one value replaced or removed, or one added beside it."""
    changed = copy.deepcopy(document)
    *parents, name = draw(st.sampled_from(list(places(document))))
    at = changed
    for parent in parents:
        at = at[parent]
    match draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            at[name] = draw(values)
        case "remove":
            del at[name]
        case _:
            at[draw(texts) if isinstance(at, dict) else name] = draw(values)
    return changed


START = {
    "ticket": {
        "id": "T-1",
        "subject": "Hi",
        "body": "What are your opening hours?",
        "channel": "email",
        "language": "en",
        "customer": {"id": "cus_lou", "email": "lou@example.com", "name": "Lou"},
    },
    "metadata": {"source": "web", "n": 1},
}


@same_each_run
@given(body=values | mutations(START), wait=st.none() | texts)
def test_any_body_starts_a_run_or_is_refused(callers: Callers, body: Any, wait: Any) -> None:
    """POST /v1/runs."""
    params = {} if wait is None else {"wait": wait.encode("utf-8", "replace").decode()}
    sent = json.dumps(body)
    never_ours(callers.starter.http.post("/v1/runs", content=sent, headers=JSON, params=params))


@same_each_run
@given(data=st.data())
def test_any_answer_to_an_approval_is_judged(
    callers: Callers, reviewer: Client, run: Any, data: st.DataObject
) -> None:
    """POST /v1/runs/{id}/resume: nothing but the right answer is taken."""
    [approval] = run["approvals"]
    right = {
        "approval_id": approval["id"],
        "digest": approval["digest"],
        "verdict": "edit",
        "steps": [{"id": run["plan"][0]["id"], "args": {"amount_minor": 100}, "drop": False}],
        "comment": "seen",
    }
    body = data.draw(values | mutations(right))
    path = f"/v1/runs/{run['id']}/resume"
    answer = reviewer.http.post(path, content=json.dumps(body), headers=JSON)
    never_ours(answer)
    assert answer.status_code >= 400, body


def test_question_is_open_after_all_answers(callers: Callers, run: Any) -> None:
    """None of the answers above changed anything."""
    after = callers.starter.run(run["id"])
    assert [a["status"] for a in after["approvals"]] == ["pending"]
    assert after["effects"] == []


# Every byte that HTTP allows in a header's value.
header_values = st.binary(max_size=60).map(
    lambda raw: bytes(byte for byte in raw if byte > 0x20 and byte != 0x7F)
)
names = st.sampled_from(
    ["status", "ticket_id", "customer_id", "cursor", "limit", "q", "wait", "", "limit[]", "%"]
)
queries = st.lists(st.tuples(names, st.binary(max_size=30)), max_size=4)


@same_each_run
@given(
    query=queries,
    path=st.sampled_from(["/v1/runs", "/v1/approvals", "/v1/articles", f"/v1/runs/{NOBODY}"]),
    headers=st.dictionaries(
        st.sampled_from(["X-Request-Id", "Idempotency-Key", "Accept", "Cookie", "If-Match",
                         "Last-Event-ID", "X-Forwarded-For", "traceparent", "Content-Type"]),
        header_values,
        max_size=3,
    ),
)  # fmt: skip
def test_any_query_and_header_is_answered(
    callers: Callers, query: list[tuple[str, bytes]], path: str, headers: dict[str, bytes]
) -> None:
    """GET of every list, with any text after the question mark."""
    asked = "&".join(
        f"{quote_from_bytes(name.encode())}={quote_from_bytes(v)}" for name, v in query
    )
    sent = {name.encode(): value for name, value in headers.items()}
    never_ours(callers.starter.http.get(f"{path}?{asked}", headers=sent))


@same_each_run
@given(authorization=header_values, after_scheme=st.booleans())
def test_any_authorization_is_refused(
    callers: Callers, authorization: bytes, after_scheme: bool
) -> None:
    """No guess opens anything, none breaks anything."""
    value = b"Bearer dg_" + authorization if after_scheme else authorization
    answer = callers.starter.http.get("/v1/runs", headers={b"Authorization": value})
    problem_of(answer, 401)


@same_each_run
@given(segments=st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4))
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_any_path_is_answered(callers: Callers, method: str, segments: list[bytes]) -> None:
    """Below /v1, with any bytes percent-encoded."""
    path = "/".join(quote_from_bytes(segment, safe="") for segment in segments)
    never_ours(callers.admin.http.request(method, f"/v1/threads/{path}"))
    never_ours(callers.admin.http.request(method, f"/v1/{path}"))


storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@settings(same_each_run, max_examples=25)
@given(text=storable.filter(bool), subject=storable)
def test_any_text_that_is_taken_is_handled(callers: Callers, text: str, subject: str) -> None:
    """A run never ends in an error because of what a customer wrote."""
    body = ticket("cus_lou", text, subject=subject)
    answer = callers.starter.http.post("/v1/runs?wait=20", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] in ("success", "interrupted"), answer.text
