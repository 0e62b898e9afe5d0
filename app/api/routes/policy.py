"""/v1/policy: a tenant's policy (the rules for its runs), and every version of it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import Admin, BackendDep, PolicyReader, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import Responses, documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas import policy_preview
from app.api.views.policy_changes import CHANGES, EXAMPLE, show_change
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import PolicyVersion
from app.db.tenants import queries as tenant_queries
from app.errors import InvalidCursorError, PreconditionRequiredError, StaleVersionError
from app.services.tenants import policy as policies
from app.services.tenants.policy_preview import Handling, preview
from graphs.policy import Policy

router = APIRouter(prefix="/v1/policy", tags=["policy"], route_class=GuardedRoute)

# RFC 9110, 13.1.1: `*`, or entity tags in a list.
TAG = r'(W/)?"[!#-~]*"'
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, pattern=rf"^(\*|{TAG}([ \t]*,[ \t]*{TAG})*)$"),
]

WAITS: Responses = {
    202: {
        "model": schemas.PolicyChangeOut,
        "description": "It loosens limits and waits for a second admin.",
        "content": {"application/json": {"example": EXAMPLE}},
    }
}


@router.get(
    "",
    response_model=schemas.PolicyOut,
    responses=documented_responses(200, openapi_examples.POLICY),
)
async def get_policy(response: Response, session: Session, key: PolicyReader) -> schemas.PolicyOut:
    """The policy that new runs are held to; `ETag` is its version."""
    return show(response, await tenant_queries.newest_policy(session, key.tenant_id))


@router.put(
    "",
    response_model=schemas.PolicyOut,
    responses=WAITS
    | documented_responses(
        200, openapi_examples.POLICY, StaleVersionError, PreconditionRequiredError
    ),
)
async def put_policy(
    body: schemas.PutPolicy,
    response: Response,
    session: Session,
    key: Admin,
    if_match: IfMatch = None,
) -> schemas.PolicyOut | Response:
    """Replace the whole policy that was read, for runs that start from now on.

    What loosens limits waits for a second admin, where there is one: 202 and the change.
    """
    if body.version is None and if_match is None:
        raise PreconditionRequiredError(
            "PUT replaces every field. Send If-Match with the ETag of what you read, `version` in "
            "the body, or `If-Match: *` to replace whatever is there; PATCH changes single fields."
        )
    policy = Policy.model_validate(body.model_dump(include=set(Policy.model_fields)))
    expects = expected(body.version, if_match)
    stored = await policies.replace(session, key.tenant_id, policy, key, expects)
    return answer(response, stored)


@router.patch(
    "",
    response_model=schemas.PolicyOut,
    responses=WAITS | documented_responses(200, openapi_examples.POLICY, StaleVersionError),
)
async def change_policy(
    body: schemas.ChangePolicy,
    response: Response,
    session: Session,
    key: Admin,
    if_match: IfMatch = None,
) -> schemas.PolicyOut | Response:
    """Change the fields that are given, for runs that start from now on; the others stay.

    What loosens limits waits for a second admin, where there is one: 202 and the change.
    """
    given = body.model_dump(include=body.model_fields_set & set(Policy.model_fields))
    expects = expected(body.version, if_match)
    stored = await policies.change(session, key.tenant_id, given, key, expects)
    return answer(response, stored)


@router.post(
    "/preview",
    response_model=policy_preview.PolicyPreviewOut,
    responses=documented_responses(200, policy_preview.PREVIEW, StaleVersionError),
)
async def preview_policy(
    body: schemas.ChangePolicy, backend: BackendDep, key: Admin, if_match: IfMatch = None
) -> policy_preview.PolicyPreviewOut:
    """What last week's runs would have done with these fields changed; nothing is stored."""
    given = body.model_dump(include=body.model_fields_set & set(Policy.model_fields))
    found = await preview(backend.sessions, key.tenant_id, given, expected(body.version, if_match))
    counts = [
        policy_preview.HandlingCounts(
            **{name: count[name] for name in policy_preview.HandlingCounts.model_fields}
        )
        for count in (found.now, found.proposed)
    ]
    return policy_preview.PolicyPreviewOut(
        version=found.version, since=found.since, runs=found.runs, complete=found.complete,
        now=counts[0], proposed=counts[1], differing_total=found.differing_total,
        differing=[
            policy_preview.DifferingRunOut(
                run_id=one.run_id, ticket_id=one.ticket_id, now=handling(one.now),
                proposed=handling(one.proposed),
            )
            for one in found.differing
        ],
    )  # fmt: skip


def handling(one: Handling) -> policy_preview.HandlingOut:
    """What becomes of a run in the API's shape."""
    return policy_preview.HandlingOut(
        plan=one.plan, reply_waits=one.reply_waits, reasons=list(one.reasons)
    )


def expected(version: int | None, if_match: str | None) -> Callable[[int], bool]:
    """Whether a version is one that the caller has seen, by the body and by If-Match."""
    tags = None if if_match in (None, "*") else [tag.strip() for tag in str(if_match).split(",")]

    def expects(newest: int) -> bool:
        seen = version is None or version == newest
        return seen and (tags is None or f'"{newest}"' in tags)

    return expects


@router.get(
    "/versions",
    response_model=schemas.PolicyPage,
    responses=documented_responses(
        200, openapi_examples.page(openapi_examples.POLICY), InvalidCursorError
    ),
)
async def list_versions(
    session: Session,
    backend: BackendDep,
    key: PolicyReader,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> schemas.PolicyPage:
    """Every stored version, newest first."""
    rows, following = await backend.cursors.page(
        session,
        tenant_queries.policies_of(key.tenant_id),
        PolicyVersion.version,
        scope=["policy", key.tenant_id],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=int,
    )
    return schemas.PolicyPage(items=[shape(row) for row in rows], next_cursor=following)


def answer(response: Response, stored: policies.Stored) -> schemas.PolicyOut | Response:
    """The policy that counts now; or 202, and the change that waits for a second admin."""
    if not isinstance(stored, PolicyChange):
        return show(response, stored)
    body = show_change(stored).model_dump(mode="json")
    return JSONResponse(body, 202, {"Location": f"{CHANGES}/{stored.id}"})


def show(response: Response, newest: PolicyVersion | None) -> schemas.PolicyOut:
    """The newest policy in the API's shape, its version as `ETag`."""
    shown = shape(newest)
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


def shape(row: PolicyVersion | None) -> schemas.PolicyOut:
    """A version in the API's shape; None is the default policy, version 0."""
    policy = Policy.model_validate(row.body if row else {}).model_dump()
    if row is None:
        return schemas.PolicyOut(**policy, version=0, created_at=None, created_by=None)
    return schemas.PolicyOut(
        **policy, version=row.version, created_at=row.created_at, created_by=row.created_by
    )
