"""/v1/admin/pause: hold back the tenant's replies and effects."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.db.audit.actor import act_as, by_key
from app.db.tables.tenants import EVERYONE
from app.db.tenants.pauses import in_flight, pauses_of
from app.services.tenants import pause as pause_cases

router = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=GuardedRoute)


@router.get(
    "/pause",
    response_model=schemas.PauseOut,
    responses=documented_responses(200, openapi_examples.PAUSE),
)
async def get_pause(session: Session, key: Admin) -> schemas.PauseOut:
    """Whether the tenant is paused, by its own switch or by that for everyone."""
    return await show(session, key.tenant_id)


@router.post(
    "/pause",
    response_model=schemas.PauseOut,
    responses=documented_responses(200, openapi_examples.PAUSE),
)
async def set_pause(body: schemas.PutPause, backend: BackendDep, key: Admin) -> schemas.PauseOut:
    """Switch the tenant's replies and effects off or on; from the answer on none leaves."""
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(key.id))
        if body.paused:
            await pause_cases.pause(session, key.tenant_id, key.name)
        else:
            await pause_cases.unpause(session, backend.enqueue, key.tenant_id)
    if body.paused:
        await pause_cases.wait_for_in_flight_effects(backend.sessions, key.tenant_id)
    async with backend.sessions() as session:
        return await show(session, key.tenant_id)


async def show(session: AsyncSession, tenant_id: str) -> schemas.PauseOut:
    """The switches that are on."""
    entries = [
        schemas.PauseEntry(
            scope="everyone" if pause.tenant_id == EVERYONE else "tenant",
            paused_at=pause.paused_at,
            paused_by=pause.paused_by,
        )
        for pause in await pauses_of(session, tenant_id)
    ]
    return schemas.PauseOut(
        paused=bool(entries), pauses=entries, in_flight=await in_flight(session, tenant_id)
    )
