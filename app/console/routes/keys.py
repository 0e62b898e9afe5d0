"""/console/settings/keys: the tenant's API keys: a list, a new one, and an end to each."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import SCOPES, Session
from app.api.schemas import PersonName
from app.console.console_route import ConsoleRoute
from app.console.forms import Form
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, Viewer, ViewerDep
from app.console.views.answers import typed_sums
from app.db.tables.tenants import ApiKey
from app.db.tenants.keys import newest_keys
from app.errors import GrantError, InvalidRequestError
from app.services.tenants import keys
from app.services.tenants.keys import NewKey, new_key_id

router = APIRouter(prefix="/console/settings/keys", route_class=ConsoleRoute)

PATH = "/console/settings/keys"
KEYS = 50
KEY_ID = re.compile(r"[0-9a-f]{12}", re.ASCII)
NAME: TypeAdapter[str] = TypeAdapter(PersonName)
# What each scope is for, as the form says it.
MEANING = {
    "runs:write": "start and cancel runs",
    "runs:read": "read runs, and what customers wrote",
    "approvals:decide": "decide approvals, take tickets over",
    "approvals:on_behalf_of": "name the person who decides",
    "articles:write": "store and delete articles",
    "mail:send": "let its runs propose mailings",
    "traces:join": "put the traces of its runs under its own",
    "admin": "policy, keys, connections, the pause switch",
}


@router.get("")
async def show(
    request: Request,
    session: Session,
    viewer: ViewerDep,
    revoked: bool = False,
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The keys that live, or those that were revoked, newest first; and a form for a new one."""
    viewer.need("admin")
    return await _page(request, session, viewer, revoked=revoked, before=before)


async def _page(
    request: Request,
    session: AsyncSession,
    viewer: Viewer,
    status: int = 200,
    *,
    revoked: bool = False,
    before: str = "",
    typed: Form | None = None,
    wrong: str = "",
) -> Response:
    found = await newest_keys(session, viewer.tenant_id, KEYS + 1, revoked=revoked, before=before)
    shown = found[:KEYS]
    older = _older(shown[-1], revoked=revoked) if len(found) > KEYS else ""
    return page(
        request, "api_keys.html", status, keys=shown, revoked=revoked, older_url=older,
        scopes=_held(viewer), new_id=new_key_id(), typed=typed or {}, wrong=wrong,
    )  # fmt: skip


def _older(last: ApiKey, *, revoked: bool) -> str:
    """The address of the keys behind the last one shown."""
    return f"{PATH}?before={last.id}{'&revoked=true' if revoked else ''}"


def _held(viewer: Viewer) -> dict[str, str]:
    """The scopes that the person may grant, each with what it is for."""
    return {scope: MEANING[scope] for scope in SCOPES if viewer.can(scope)}


@router.post("")
async def issue(request: Request, session: Session, viewer: ViewerDep, form: FormDep) -> Response:
    """Make a key and show its secret, once; the form sent again makes no second one."""
    viewer.need("admin")
    try:
        row, token = await keys.issue(session, viewer.key, _new_key(form))
    except (InvalidRequestError, GrantError) as error:
        return await _page(request, session, viewer, error.status, typed=form, wrong=error.detail)
    return page(request, "api_key_issued.html", key=row, token=token)


def _new_key(form: Form) -> NewKey:
    """The key that a form asks for. Raises InvalidRequestError with a sentence for the page."""
    scopes = [scope for scope in SCOPES if form.get(f"scope-{scope}") == "yes"]
    if not scopes:
        raise InvalidRequestError("Choose what the key may do.")
    limits = form.get("limits", "").strip()
    if not KEY_ID.fullmatch(form.get("id", "")):
        raise InvalidRequestError("Load the form again.")
    person = form.get("person", "").strip()
    return NewKey(
        name=_name(form.get("name", "").strip(), "Name"),
        scopes=scopes,
        approve_limits=_limits(limits) if limits else None,
        person=_name(person, "Person") if person else None,
        id=form["id"],
    )


def _limits(text: str) -> dict[str, int]:
    """Limits by currency; "none" is a key that approves no sum. Raises InvalidRequestError."""
    return {} if text == "none" else typed_sums(text, "Limits")


def _name(text: str, what: str) -> str:
    """The name as the API takes it. Raises InvalidRequestError."""
    try:
        return NAME.validate_python(text)
    except ValidationError:
        raise InvalidRequestError(f"{what}: type 1 to 200 characters.") from None


@router.post("/{key_id}/revoke")
async def revoke(session: Session, viewer: ViewerDep, key_id: str) -> Response:
    """Refuse the key from its next request on."""
    viewer.need("admin")
    await keys.revoke(session, viewer.key, key_id)
    return RedirectResponse(PATH, 303, HEADERS)
