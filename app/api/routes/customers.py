"""/v1/customers: erase a customer."""

from fastapi import APIRouter

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import ActingSession, Admin
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.db.tables.conversations import Erasure
from app.errors import CustomerHasLiveRunsError
from app.services.conversations import erase_customer as erasure

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=GuardedRoute)


@router.delete(
    "/{customer_id:outside_id}",
    response_model=schemas.ErasureOut,
    responses=documented_responses(200, openapi_examples.ERASURE, CustomerHasLiveRunsError),
)
async def erase_customer(
    customer_id: schemas.OutsideId, session: ActingSession, key: Admin
) -> schemas.ErasureOut:
    """Erase what a customer wrote and who they are; the money ledger keeps a pseudonym."""
    return show(await erasure.erase(session, key.tenant_id, customer_id, key.id))


def show(note: Erasure) -> schemas.ErasureOut:
    """An erasure in the API's shape."""
    counts = dict(note.counts)
    return schemas.ErasureOut(
        id=note.id,
        pseudonym=note.pseudonym,
        erased_by=note.erased_by,
        erased_at=note.created_at,
        pseudonymised={"ledger": counts.pop("ledger")},
        not_recalled={"traces": counts.pop("traces_elsewhere")},
        erased=counts,
    )
