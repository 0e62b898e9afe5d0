"""What every refusal has in common: its shape, and that the database did not change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg

from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from tests.acceptance.in_process import InProcess
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant, make_tenant
from tests.documented import own_document

MEDIA_TYPE = "application/problem+json"
NOBODY = "00000000-0000-4000-8000-000000000000"

# What a refused request must leave as it was, one list of rows each.
WATCHED = (
    "SELECT id, status, attempt, cancel_requested_at FROM runs WHERE tenant_id = %s ORDER BY seq",
    "SELECT id, run_id FROM messages WHERE tenant_id = %s ORDER BY id",
    "SELECT id, status, decision FROM approvals WHERE tenant_id = %s ORDER BY id",
    "SELECT approval_id, number, key_id FROM decisions WHERE tenant_id = %s ORDER BY 1, 2",
    "SELECT version, body, created_by FROM policies WHERE tenant_id = %s ORDER BY version",
    "SELECT key, status FROM ledger WHERE tenant_id = %s ORDER BY key",
    "SELECT id, version FROM articles WHERE tenant_id = %s ORDER BY id",
    "SELECT id, refunded_minor FROM sandbox_payments WHERE tenant_id = %s ORDER BY id",
)


@cache
def connected(database_url: str) -> psycopg.Connection[Any]:
    """One connection for all tests: to open one takes as long as most of them."""
    return psycopg.connect(database_url, autocommit=True)


@dataclass(frozen=True, slots=True)
class Books:
    """One tenant's rows, read from Postgres past the service."""

    database_url: str
    tenant_id: str

    def read(self) -> list[list[Any]]:
        """Every watched row."""
        connection = connected(self.database_url)
        return [connection.execute(sql.encode(), [self.tenant_id]).fetchall() for sql in WATCHED]

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing is stored, changed or removed inside the block."""
        before = self.read()
        yield
        for sql, old, new in zip(WATCHED, before, self.read(), strict=True):
            assert new == old, sql


@dataclass(frozen=True, slots=True)
class Callers:
    """A tenant's callers, and its books."""

    api: Stack | InProcess
    sessions: Sessions
    tenant: Tenant
    starter: Client
    approver: Client
    admin: Client
    books: Books

    async def key(self, *scopes: str, limits: dict[str, int] | None = None) -> str:
        """A new key of the tenant."""
        async with self.sessions.begin() as session:
            return await issue_key(session, self.tenant.id, "extra", list(scopes), limits)

    async def caller(self, *scopes: str, limits: dict[str, int] | None = None) -> Client:
        """A caller with a new key of the tenant."""
        return self.api.client(await self.key(*scopes, limits=limits))


async def make_callers(
    api: Stack | InProcess, sessions: Sessions, database_url: str, *, articles: bool = False
) -> Callers:
    """A tenant of its own for the tests of one file: refusals change nothing, so they share it."""
    async with sessions.begin() as session:
        tenant = await make_tenant(session, articles=articles)
    return Callers(
        api,
        sessions,
        tenant,
        starter=api.client(tenant.starter),
        approver=api.client(tenant.approver),
        admin=api.client(tenant.admin),
        books=Books(database_url, tenant.id),
    )


def problem_of(answer: httpx.Response, status: int) -> Any:
    """The body, once it is a documented problem with every member of RFC 9457 and our `code`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.headers
    assert answer.headers["x-request-id"], answer.headers
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, f"/problems/{problem['code']}"), problem
    for member in ("title", "detail", "instance"):
        assert isinstance(problem[member], str), member
        assert problem[member], member
    own_document().check(answer)
    return problem


def expect_refused(answer: httpx.Response, status: int, code: str) -> Any:
    """The problem's body, once it has the shape, this status and this code."""
    problem = problem_of(answer, status)
    assert problem["code"] == code, problem
    return problem


def pointers(problem: Any) -> list[str]:
    """Where the problem says the errors are."""
    return [error["pointer"] for error in problem["errors"]]


def connect(stack: Stack) -> HTTPConnection:
    """A connection on which a test decides about every byte."""
    url = urlsplit(stack.url)
    assert url.hostname, stack.url
    return HTTPConnection(url.hostname, url.port, timeout=30)
