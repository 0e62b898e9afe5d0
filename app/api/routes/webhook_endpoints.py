"""/v1/webhooks/endpoints: where all of a tenant's chosen events go."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Response, status
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.http.callback_url import check_callback_url
from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.callbacks import CALLBACK
from app.api.routes.runs import Cursor, Limit
from app.api.schemas import Request
from app.api.schemas.callbacks import CALLBACK_EVENTS, CallbackOut
from app.api.schemas.page import Page
from app.api.views.callbacks import show_callback
from app.db.tables.webhooks import WebhookEndpoint
from app.db.webhooks import endpoints as endpoint_queries
from app.errors import InvalidCursorError
from app.services.webhooks import endpoints

router = APIRouter(prefix="/v1/webhooks/endpoints", tags=["webhooks"], route_class=GuardedRoute)

EventName = Literal["run.interrupted", "run.finished", "approval.reminder", "approval.expired"]
ENDPOINT: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d0b",
    "url": "https://helpdesk.example/hooks/deskgraph",
    "events": ["run.finished"],
    "enabled": True,
    "created_at": "2026-11-22T09:00:01Z",
}
TEST = CALLBACK | {
    "run_id": None,
    "endpoint_id": ENDPOINT["id"],
    "sequence": 0,
    "event": endpoints.TEST_EVENT,
    "status": "pending",
    "attempts": 0,
    "last_error": None,
    "payload": {
        "type": endpoints.TEST_EVENT,
        "timestamp": "2026-11-22T09:00:01+00:00",
        "data": {"endpoint_id": ENDPOINT["id"]},
    },
}


def each_once(events: list[str]) -> list[str]:
    """The events, each once, in the order of the document."""
    return [name for name in CALLBACK_EVENTS if name in events]


Events = Annotated[list[EventName], Field(min_length=1, max_length=20), AfterValidator(each_once)]
Url = Annotated[str, Field(max_length=2048, description="`https`; see `callback_url` of a run.")]


class AddEndpoint(Request):
    """Send the tenant's events there."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": ENDPOINT["url"], "events": ["run.finished"]}]}
    )

    url: Url
    events: Events = Field(default_factory=lambda: [*get_args(EventName)])


class ChangeEndpoint(Request):
    """What is given is changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    url: Url | None = None
    events: Events | None = None
    enabled: Annotated[
        bool | None, Field(description="`true` also after the URL answered 410.")
    ] = None


class EndpointOut(BaseModel):
    """Where chosen events go; not `enabled` after 410, or when it was switched off."""

    id: UUID
    url: str
    events: list[str]
    enabled: bool
    created_at: datetime


class EndpointPage(Page[EndpointOut]):
    """A page of endpoints."""


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=EndpointOut,
    responses=documented_responses(201, ENDPOINT),
)
async def add_endpoint(
    body: AddEndpoint, session: Session, backend: BackendDep, key: Admin
) -> EndpointOut:
    """Send the chosen events of all the tenant's runs to a URL, from now on."""
    await check_callback_url(backend.settings, body.url, "/url")
    made = await endpoints.add(session, key.tenant_id, body.url, list(body.events))
    [shown] = await show_all(session, [made])
    return shown


@router.get(
    "",
    response_model=EndpointPage,
    responses=documented_responses(
        200, {"items": [ENDPOINT], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_endpoints(
    session: Session, backend: BackendDep, key: Admin, cursor: Cursor = None, limit: Limit = 20
) -> EndpointPage:
    """The tenant's endpoints, oldest first; what they got is under `/v1/callbacks`."""
    rows, following = await backend.cursors.page(
        session,
        endpoint_queries.endpoints_of_tenant(key.tenant_id),
        WebhookEndpoint.id,
        scope=["webhook-endpoints", key.tenant_id],
        cursor=cursor,
        limit=limit,
        read=UUID,
    )
    return EndpointPage(items=await show_all(session, rows), next_cursor=following)


@router.patch(
    "/{endpoint_id}", response_model=EndpointOut, responses=documented_responses(200, ENDPOINT)
)
async def change_endpoint(
    endpoint_id: UUID, body: ChangeEndpoint, session: Session, backend: BackendDep, key: Admin
) -> EndpointOut:
    """Change the URL or the events, or switch it off and on."""
    if body.url is not None:
        await check_callback_url(backend.settings, body.url, "/url")
    events: list[str] | None = None if body.events is None else [*body.events]
    changed = await endpoints.change(
        session, key.tenant_id, endpoint_id, url=body.url, events=events, enabled=body.enabled
    )
    [shown] = await show_all(session, [changed])
    return shown


@router.delete("/{endpoint_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_endpoint(endpoint_id: UUID, session: Session, key: Admin) -> Response:
    """Send nothing there any more; what waits for it is not sent either."""
    endpoint = await endpoints.found(session, key.tenant_id, endpoint_id)
    await endpoints.remove(session, endpoint)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/{endpoint_id}/test",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=CallbackOut,
    responses=documented_responses(202, TEST),
)
async def test_endpoint(endpoint_id: UUID, session: Session, key: Admin) -> CallbackOut:
    """Send `webhook.test` there; the callback says how that went."""
    return show_callback(await endpoints.send_test(session, key.tenant_id, endpoint_id))


async def show_all(session: Session, rows: list[WebhookEndpoint]) -> list[EndpointOut]:
    """Endpoints of one tenant in the API's shape."""
    if not rows:
        return []
    urls = [row.url for row in rows]
    off = await endpoint_queries.disabled_urls(session, rows[0].tenant_id, urls)
    return [
        EndpointOut(
            id=row.id,
            url=row.url,
            events=row.events,
            enabled=row.url not in off,
            created_at=row.created_at,
        )
        for row in rows
    ]
