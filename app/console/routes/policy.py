"""/console/settings/policy: its versions, and a change with what would follow from it."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import BackendDep, Session
from app.console.console_route import ConsoleRoute
from app.console.forms import Form
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, ViewerDep
from app.console.views.policy import beside, changed_lines, rules_of
from app.console.views.policy_form import length_of, policy_of, rules, typed
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import PolicyVersion
from app.db.tenants.policy_changes import waiting_changes
from app.db.tenants.queries import current_policy, newest_policy, policies_of
from app.errors import InvalidRequestError, NotFoundError, StaleVersionError
from app.services.tenants import policy as policies
from app.services.tenants.policy_preview import preview
from graphs.policy import Policy

router = APIRouter(prefix="/console/settings/policy", route_class=ConsoleRoute)

PATH = "/console/settings/policy"
VERSIONS = 20
LATEST = 2**31 - 1
Number = Annotated[int, Query(ge=0, le=LATEST)]
# Every word for what becomes of a plan, in the order of the table.
PLANS = {
    "alone": "carried out without a person",
    "one_person": "a person must agree",
    "two_people": "two people must agree",
    "handed_over": "the ticket goes to a person",
    "answer_only": "answered, nothing to carry out",
    "unknown": "not known: it was never planned",
}
HANDLINGS = {**{name: words[0].upper() + words[1:] for name, words in PLANS.items()},
             "replies_wait": "And the reply waits as a draft"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What another person stored while this one typed."""

    by: str
    lines: list[str]


@router.get("")
async def show(
    request: Request, session: Session, viewer: ViewerDep, before: Number = 0, stored: str = ""
) -> Response:
    """The policy that counts, and who stored which version; `before` leads to older ones."""
    viewer.need("admin", "approvals:decide")
    newest = await newest_policy(session, viewer.tenant_id)
    found = await _versions(session, viewer.tenant_id, before or LATEST)
    shown = found[:VERSIONS]
    bodies = {one.version: one.body for one in found} | {0: {}}
    return page(
        request,
        "policy.html",
        policy=rules_of(newest.body if newest else {}),
        versions=shown,
        after=before,
        older_url=f"{PATH}?before={shown[-1].version}" if len(found) > VERSIONS else "",
        changes={
            one.version: changed_lines(bodies[one.version - 1], one.body)
            for one in shown
            if one.version - 1 in bodies
        },
        stored=stored == "yes",
        pending=await waiting_changes(session, viewer.tenant_id),
    )


async def _versions(session: AsyncSession, tenant_id: str, before: int) -> list[PolicyVersion]:
    """The page's versions, newest first, and the one before them to compare with."""
    older = policies_of(tenant_id).where(PolicyVersion.version < before)
    query = older.order_by(PolicyVersion.version.desc()).limit(VERSIONS + 1)
    return list(await session.scalars(query))


@router.get("/versions/{number}")
async def show_version(
    request: Request, session: Session, viewer: ViewerDep, number: int
) -> Response:
    """One version beside the one that counts now."""
    viewer.need("admin", "approvals:decide")
    row, body = await _version(session, viewer.tenant_id, number)
    newest, now = await current_policy(session, viewer.tenant_id)
    return page(
        request, "policy_version.html", number=number, row=row, newest=newest,
        rows=beside(body, now),
    )  # fmt: skip


async def _version(
    session: AsyncSession, tenant_id: str, number: int
) -> tuple[PolicyVersion | None, dict[str, Any]]:
    """A version and its rules; 0 is the default policy. Raises NotFoundError."""
    if number == 0:
        return None, {}
    query = policies_of(tenant_id).where(PolicyVersion.version == min(max(number, -1), LATEST))
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no policy version {number}.")
    return row, row.body


@router.get("/edit")
async def edit(
    request: Request,
    session: Session,
    viewer: ViewerDep,
    source: Annotated[int | None, Query(ge=0, le=LATEST)] = None,
) -> Response:
    """The policy as a form; with `source` that version, to restore it."""
    viewer.need("admin")
    newest, now = await current_policy(session, viewer.tenant_id)
    body = now if source is None else (await _version(session, viewer.tenant_id, source))[1]
    return _form(request, newest, typed(body), source=source)


@router.post("/edit")
async def edit_again(
    request: Request, session: Session, viewer: ViewerDep, form: FormDep
) -> Response:
    """The form with what was typed before."""
    viewer.need("admin")
    return _form(request, await _seen(session, viewer.tenant_id, form), _known(form))


async def _seen(session: AsyncSession, tenant_id: str, form: Form) -> int:
    """The version that the form was made from, or the newest when it does not say."""
    version = form.get("version", "")
    if version.isascii() and version.isdecimal() and len(version) < 10:
        return int(version)
    return (await current_policy(session, tenant_id))[0]


def _known(form: Form) -> Form:
    """The form's fields that a policy has; one that is missing is empty."""
    return {leaf.name: form.get(leaf.name, "") for rule in rules() for leaf in rule.leaves}


def _form(request: Request, version: int, form: Form, status: int = 200, **more: Any) -> Response:
    shown = {"source": None, "wrong": "", "meanwhile": None, **more}
    return page(
        request, "policy_edit.html", status, version=version, form=form, rules=rules(),
        length_of=length_of, **shown,
    )  # fmt: skip


@router.post("/preview")
async def look(request: Request, backend: BackendDep, viewer: ViewerDep, form: FormDep) -> Response:
    """What would change, and what last week's runs would have done; nothing is stored."""
    viewer.need("admin")
    known = _known(form)
    async with backend.sessions() as session:
        seen = await _seen(session, viewer.tenant_id, form)
        newest, now = await current_policy(session, viewer.tenant_id)
        if newest != seen:
            return await _overtaken(request, session, viewer.tenant_id, known, seen)
    try:
        policy = policy_of(known)
    except InvalidRequestError as error:
        return _form(request, seen, known, error.status, wrong=error.detail)
    found = await preview(backend.sessions, viewer.tenant_id, policy.model_dump())
    rows = [one for one in beside(now, policy.model_dump(mode="json")) if one.differs]
    return page(
        request, "policy_preview.html", preview=found, rows=rows, form=known,
        handlings=HANDLINGS, plans=PLANS,
    )  # fmt: skip


@router.post("")
async def store(request: Request, session: Session, viewer: ViewerDep, form: FormDep) -> Response:
    """Store it as a new version, unless another was stored since the form was opened."""
    viewer.need("admin")
    seen, known = await _seen(session, viewer.tenant_id, form), _known(form)
    try:
        policy = policy_of(known)
        stored = await policies.replace(
            session, viewer.tenant_id, policy, viewer.key, lambda version: version == seen
        )
    except StaleVersionError:
        return await _overtaken(request, session, viewer.tenant_id, known, seen)
    except InvalidRequestError as error:
        return _form(request, seen, known, error.status, wrong=error.detail)
    if isinstance(stored, PolicyChange):
        return RedirectResponse(f"/console/policy-changes/{stored.id}", 303, HEADERS)
    return RedirectResponse(f"{PATH}?stored=yes", 303, HEADERS)


async def _overtaken(
    request: Request, session: AsyncSession, tenant_id: str, form: Form, seen: int
) -> Response:
    """The form again, with what others stored since it was opened."""
    newest = await newest_policy(session, tenant_id)
    try:
        before = (await _version(session, tenant_id, seen))[1]
    except NotFoundError:
        before = {}
    lines = changed_lines(before, newest.body if newest else Policy().model_dump(mode="json"))
    meanwhile = Meanwhile(newest.created_by if newest else "", lines)
    return _form(
        request, newest.version if newest else 0, form, StaleVersionError.status,
        meanwhile=meanwhile,
    )  # fmt: skip
