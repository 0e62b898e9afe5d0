"""/v1/threads/{ticket_id}/feedback: how good an answer was found."""

from fastapi import APIRouter, status

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import Session, Writer
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.views.runs import show_rating
from app.services.conversations import feedback
from app.services.conversations.feedback import Rating

router = APIRouter(prefix="/v1/threads", tags=["runs"], route_class=GuardedRoute)


@router.post(
    "/{ticket_id:path}/feedback",
    status_code=status.HTTP_201_CREATED,
    response_model=schemas.FeedbackOut,
    responses=documented_responses(201, openapi_examples.FEEDBACK),
)
async def give_feedback(
    ticket_id: schemas.OutsideId, body: schemas.GiveFeedback, session: Session, key: Writer
) -> schemas.FeedbackOut:
    """Rate what a ticket was answered; after a bad rating no other customer gets that answer."""
    rating = Rating(ticket_id, body.read_scale, body.score, body.comment)
    return show_rating(await feedback.rate(session, key.tenant_id, key.id, rating))
