"""Refusals over a socket: the other tests of refused requests call the API in process."""

from typing import Any

import pytest

from tests.acceptance.in_process import InProcess
from tests.acceptance.stack import Stack
from tests.conftest import Tenant
from tests.documented import own_document

pytestmark = pytest.mark.no_articles

JSON = {b"Content-Type": b"application/json"}
# What differs by design from one answer to the next, or is the server's own.
OWN = {"date", "server", "x-request-id"}
# Method, address, headers, body and the status of the refusal.
REFUSED: dict[str, tuple[str, str, dict[bytes, bytes], bytes, int]] = {
    "strange key": ("GET", "/v1/runs", {b"Authorization": b"Bearer dg_\xff_\xff"}, b"", 401),
    "missing scope": ("PUT", "/v1/policy", JSON, b"{}", 403),
    "unknown address": ("GET", "/v1/a%20b%3Fc%23d", {}, b"", 404),
    "wrong method": ("DELETE", "/v1/runs", {}, b"", 405),
    "no text in the address": ("GET", "/v1/threads/%ED%A0%80", {}, b"", 400),
    "bad query": ("GET", "/v1/runs?limit=%D9%A3", {}, b"", 422),
    "no JSON": ("POST", "/v1/runs", JSON, b'{"a": "\xed\xa0\x80"}', 400),
    "another media type": ("POST", "/v1/runs", {b"Content-Type": b"text/plain"}, b"{}", 415),
    "bad header": ("POST", "/v1/runs", {**JSON, b"Idempotency-Key": b"caf\xe9"}, b"{}", 422),
    "too large": ("POST", "/v1/runs", JSON, b" " * 300_000, 413),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_is_the_same_over_a_socket(
    stack: Stack, in_process: InProcess, tenant: Tenant, name: str
) -> None:
    """Status, body and headers of the whole service are those of the application alone."""
    method, path, headers, content, status = REFUSED[name]
    seen: list[Any] = []
    for api in (stack, in_process):
        client = api.client(tenant.starter).http
        answer = client.request(method, path, headers=headers, content=content)
        assert answer.status_code == status, answer.text
        kept = {key: value for key, value in answer.headers.items() if key not in OWN}
        seen.append((answer.json(), kept))
    assert seen[0] == seen[1]


def test_document_is_the_same_over_a_socket(stack: Stack, tenant: Tenant) -> None:
    """The OpenAPI document that answers are held against is the one that is served."""
    served = stack.client(tenant.starter).http.get("/openapi.json").json()
    assert served == own_document().document
