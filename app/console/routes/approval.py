"""/console/approvals/{id}: read one approval, and answer it. No GET changes anything."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import Backend, BackendDep, Session
from app.console.console_route import ConsoleRoute
from app.console.forms import Form
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, Viewer, ViewerDep
from app.console.views.answers import asks_for_total, given_answer
from app.console.views.inbox import rows_of
from app.console.views.load_card import Card, load_card
from app.db.audit.actor import act_as, by_key
from app.db.console.inbox import Wanted, waiting_items
from app.db.effects.approvals import get_approval
from app.errors import DeskgraphError, MissingScopeError, NotFoundError, UnavailableError
from app.services.approvals import decide
from app.services.conversations import takeover

router = APIRouter(prefix="/console/approvals", route_class=ConsoleRoute)

LOOKED_AT = 25
Digest = Annotated[str, Query(max_length=64)]


@router.get("/{approval_id}")
async def show_card(
    request: Request,
    session: Session,
    viewer: ViewerDep,
    approval_id: UUID,
    answered: UUID | None = None,
) -> Response:
    """The card."""
    before = await get_approval(session, viewer.tenant_id, answered) if answered else None
    return await _page(request, session, viewer, approval_id, answered=before)


async def _page(
    request: Request,
    session: AsyncSession,
    viewer: Viewer,
    approval_id: UUID,
    *,
    status: int = 200,
    problem: str = "",
    typed: Form | None = None,
    answered: object = None,
) -> Response:
    card = await load_card(session, viewer, approval_id)
    return page(
        request,
        "card.html",
        status,
        card=card,
        problem=problem,
        typed=typed or {},
        type_total=asks_for_total(card.approval),
        changed=_changed_since(card, (typed or {}).get("digest", "")),
        answered=answered,
        shown_digest=card.approval.digest,
        fragment=False,
    )


@router.get("/{approval_id}/state")
async def card_state(
    request: Request, session: Session, viewer: ViewerDep, approval_id: UUID, digest: Digest = ""
) -> Response:
    """How the approval stands now, for a page that shows it already."""
    card = await load_card(session, viewer, approval_id)
    return page(
        request,
        "card_state.html",
        card=card,
        changed=_changed_since(card, digest),
        shown_digest=digest,
        fragment=True,
    )


def _changed_since(card: Card, digest: str) -> bool:
    """Whether the page that sent this digest shows another plan than the one that waits now."""
    return card.pending and bool(digest) and digest != card.approval.digest


@router.post("/{approval_id}")
async def answer(
    request: Request, backend: BackendDep, viewer: ViewerDep, form: FormDep, approval_id: UUID
) -> Response:
    """Take the person's answer, once, and show what waits next."""
    try:
        await _decide(backend, viewer, approval_id, form)
    except (NotFoundError, UnavailableError):
        raise
    except DeskgraphError as error:
        async with backend.sessions() as session:
            return await _page(
                request,
                session,
                viewer,
                approval_id,
                status=error.status,
                problem=error.detail,
                typed=form,
            )
    async with backend.sessions() as session:
        following = await next_url(session, viewer, approval_id)
    return RedirectResponse(f"{following}?answered={approval_id}", 303, HEADERS)


async def _decide(backend: Backend, viewer: Viewer, approval_id: UUID, form: Form) -> None:
    if not viewer.can("approvals:decide"):
        raise MissingScopeError("Your key may look at approvals, and not decide them.")
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        approval = await get_approval(session, viewer.tenant_id, approval_id)
        if approval is None:
            raise NotFoundError(f"There is no approval {approval_id}.")
        given = given_answer(approval, form)
        # The run's lock is taken before anything that this transaction read counts.
        session.expunge(approval)
        await decide.resume(session, backend.enqueue, viewer.key, approval.run_id, given)
        if form.get("takeover") == "yes" and given.verdict == "reject":
            name = viewer.key.name
            await takeover.take_over(session, viewer.tenant_id, approval.ticket_id, name)


async def next_url(session: AsyncSession, viewer: Viewer, approval_id: UUID) -> str:
    """The next approval that the person may answer, else the inbox."""
    wanted = Wanted(viewer.tenant_id, viewer.key.id)
    items = await waiting_items(session, wanted, LOOKED_AT)
    others = [item for item in items if item.id != approval_id and item.kind != "handoff"]
    free = [row for row in await rows_of(session, viewer, others) if not row.blocked]
    return next((row.url for row in free if row.mine or not row.claim), "/console")
