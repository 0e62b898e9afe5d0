"""Ratings of a ticket's answer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from app.api.schemas.base import Request
from app.services.conversations.feedback import Scale

SCORES: dict[Scale, set[int]] = {"stars": {1, 2, 3, 4, 5}, "thumbs": {-1, 1}}


class GiveFeedback(Request):
    """How good the answer to a ticket was, by stars or by thumbs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"score": 2, "comment": "That was not my question."},
                {"score": -1},
                {"score": 1, "scale": "thumbs"},
            ]
        }
    )

    # Before the score, whose check reads it.
    scale: Annotated[
        Scale | None, Field(description="`stars` unless the score is -1, which is a thumb.")
    ] = None
    score: Annotated[
        int, Field(ge=-1, le=5, description="1 (bad) to 5 (good); with thumbs -1 or 1.")
    ]
    comment: Annotated[str, Field(max_length=2000)] = ""

    @field_validator("score")
    @classmethod
    def _fits(cls, score: int, others: ValidationInfo) -> int:
        if score not in SCORES[others.data.get("scale") or scale_of(score)]:
            raise ValueError("must be 1 to 5, or with thumbs -1 or 1")
        return score

    @property
    def read_scale(self) -> Scale:
        """The scale, also when the caller left it out."""
        return self.scale or scale_of(self.score)


def scale_of(score: int) -> Scale:
    """What a score without a scale means."""
    return "thumbs" if score == -1 else "stars"


class FeedbackOut(BaseModel):
    """A stored rating, with the run whose answer it is about."""

    id: UUID
    ticket_id: str
    run_id: UUID
    scale: Scale
    score: int
    comment: str
    created_at: datetime
