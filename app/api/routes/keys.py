"""/v1/keys: the tenant's API keys. A secret is in the answer that makes it, and nowhere else."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response, status
from pydantic import BaseModel, ConfigDict, Field

from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas import PersonName, Request
from app.api.schemas.page import Page
from app.db.tables.tenants import ApiKey
from app.db.tenants.keys import keys_of_tenant
from app.errors import GrantError, InvalidCursorError
from app.services.tenants import keys
from app.services.tenants.keys import NewKey
from tools.rules import LimitMinor
from tools.tool import Currency

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=GuardedRoute)

# Those of app/api/http/dependencies.py; a test compares them.
Scope = Literal[
    "runs:write",
    "runs:read",
    "approvals:decide",
    "approvals:on_behalf_of",
    "articles:write",
    "mail:send",
    "traces:join",
    "admin",
]
KEY: dict[str, Any] = {
    "id": "7c1f0a3be1d9",
    "name": "Ann",
    "person": "ann@example.com",
    "scopes": ["approvals:decide", "runs:read"],
    "approve_limits": {"USD": 50000},
    "created_at": "2026-11-22T09:00:00Z",
    "issued_by": "e155576094d0",
    "last_used_at": "2026-11-23T08:55:00Z",
    "revoked_at": None,
}
ISSUED = KEY | {
    "last_used_at": None,
    "key": "dg_7c1f0a3be1d9_AYi3QXyRkSgJ0Qb2cWJ2o6mPL5V3u0sXcQm4n0sZf1E",
}


class IssueKey(Request):
    """A key to make; it may do no more than the one that makes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Ann", "scopes": ["approvals:decide", "runs:read"]}]
        }
    )

    name: Annotated[PersonName, Field(description="Who holds it; decisions stand under it.")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20)]
    approve_limits: Annotated[
        dict[Currency, LimitMinor] | None,
        Field(max_length=200, description="Minor units it may approve; null: no limit."),
    ] = None
    person: Annotated[
        PersonName | None,
        Field(description="Whose key it is, such as an e-mail address; theirs are one person's."),
    ] = None


class ApiKeyOut(BaseModel):
    """A key without its secret."""

    id: Annotated[str, Field(description="The part of the key between `dg_` and the next `_`.")]
    name: str
    person: str | None
    scopes: list[str]
    approve_limits: dict[str, int] | None
    created_at: datetime
    issued_by: Annotated[
        str | None, Field(description="The id of the key that made it; null: a command did.")
    ]
    last_used_at: Annotated[
        datetime | None, Field(description="Its last request or sign-in, to five minutes.")
    ]
    revoked_at: datetime | None


class ApiKeyIssued(ApiKeyOut):
    """A new key, with its secret, once."""

    key: str


class ApiKeyPage(Page[ApiKeyOut]):
    """A page of keys."""


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=ApiKeyIssued,
    responses=documented_responses(201, ISSUED, GrantError),
)
async def issue_key(body: IssueKey, session: Session, key: Admin) -> ApiKeyIssued:
    """Make a key with scopes and limits that the calling key holds itself."""
    scopes = sorted(set(body.scopes))
    new = NewKey(body.name, [*scopes], body.approve_limits, body.person)
    row, token = await keys.issue(session, key, new)
    return ApiKeyIssued(**show(row).model_dump(), key=token)


@router.get(
    "",
    response_model=ApiKeyPage,
    responses=documented_responses(200, {"items": [KEY], "next_cursor": None}, InvalidCursorError),
)
async def list_keys(
    session: Session, backend: BackendDep, key: Admin, cursor: Cursor = None, limit: Limit = 20
) -> Page[ApiKeyOut]:
    """The tenant's keys by id, revoked ones included, and those of people and of connections."""
    rows, following = await backend.cursors.page(
        session,
        keys_of_tenant(key.tenant_id),
        ApiKey.id,
        scope=["keys", key.tenant_id],
        cursor=cursor,
        limit=limit,
    )
    return ApiKeyPage(items=[show(row) for row in rows], next_cursor=following)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_key(key_id: str, session: Session, key: Admin) -> Response:
    """Refuse a key from its next request on; its sessions in the console end as well."""
    await keys.revoke(session, key, key_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def show(row: ApiKey) -> ApiKeyOut:
    """A key in the API's shape."""
    return ApiKeyOut(**{name: getattr(row, name) for name in ApiKeyOut.model_fields})
