"""/v1/me: whose key this is, and what it may do."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.http.dependencies import AnyKey, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.db.tables.tenants import Tenant
from app.errors import NotFoundError

router = APIRouter(prefix="/v1", tags=["index"], route_class=GuardedRoute)

ME: dict[str, Any] = {
    "tenant": {"id": "acme", "name": "Acme"},
    "key": {
        "id": "e155576094d0",
        "name": "Helpdesk",
        "scopes": ["runs:read", "runs:write"],
        "approve_limits": None,
        "created_at": "2026-11-22T09:00:00Z",
    },
}


class TenantOut(BaseModel):
    """The company that the key belongs to."""

    id: str
    name: str


class KeyOut(BaseModel):
    """The key that made the call, without its secret."""

    id: str
    name: str
    scopes: list[str]
    approve_limits: Annotated[
        dict[str, int] | None,
        Field(description="Minor units by currency that it may approve; null: no limit."),
    ]
    created_at: datetime


class MeOut(BaseModel):
    """Who calls."""

    tenant: TenantOut
    key: KeyOut


@router.get("/me", response_model=MeOut, responses=documented_responses(200, ME))
async def get_me(session: Session, key: AnyKey) -> MeOut:
    """The tenant and the key of this call; any key may ask."""
    tenant = await session.get(Tenant, key.tenant_id)
    if tenant is None:
        raise NotFoundError("The key's tenant is gone.")
    shown = {name: getattr(key, name) for name in KeyOut.model_fields}
    return MeOut(tenant=TenantOut(id=tenant.id, name=tenant.name), key=KeyOut(**shown))
