"""/v1/agents: the people who take hand-offs."""

from fastapi import APIRouter, Response, status

from app.api import schemas
from app.api.http.dependencies import Admin, AgentReader, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas.agents import AGENT, AgentOut, AgentPage, PutAgent
from app.db.effects import handoffs
from app.db.tables.sandbox import Agent
from app.errors import InvalidCursorError, NotFoundError

router = APIRouter(prefix="/v1/agents", tags=["handoffs"], route_class=GuardedRoute)


@router.get(
    "",
    response_model=AgentPage,
    responses=documented_responses(
        200, {"items": [AGENT], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_agents(
    session: Session,
    backend: BackendDep,
    key: AgentReader,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> AgentPage:
    """Who takes hand-offs, by id, with how many are open."""
    rows, following = await backend.cursors.page(
        session,
        handoffs.agents_of_tenant(key.tenant_id),
        Agent.id,
        scope=["agents", key.tenant_id],
        cursor=cursor,
        limit=limit,
    )
    known = {agent["id"]: agent for agent in await handoffs.agents_of(session, key.tenant_id)}
    items = [AgentOut(**known[row.id]) for row in rows if row.id in known]
    return AgentPage(items=items, next_cursor=following)


@router.put(
    "/{agent_id:outside_id}",
    response_model=AgentOut,
    responses=documented_responses(200, AGENT),
)
async def put_agent(
    agent_id: schemas.OutsideId, body: PutAgent, session: Session, key: Admin
) -> AgentOut:
    """Store or replace a person; what they have open stays theirs."""
    row = {"tenant_id": key.tenant_id, "id": agent_id, **body.model_dump()}
    await handoffs.put_agents(session, [row])
    agents = await handoffs.agents_of(session, key.tenant_id)
    return AgentOut(**next(agent for agent in agents if agent["id"] == agent_id))


@router.delete("/{agent_id:outside_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_agent(agent_id: schemas.OutsideId, session: Session, key: Admin) -> Response:
    """Remove a person; what they have open goes back to the queue."""
    if not await handoffs.delete_agent(session, key.tenant_id, agent_id):
        raise NotFoundError(f"There is no agent {agent_id}.")
    return Response(status_code=status.HTTP_204_NO_CONTENT)
