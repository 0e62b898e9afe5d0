"""Articles of the knowledge base."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.api.http.pagination import Page
from app.api.schemas.base import LanguageTag, Request

# As a customer would ask it; a longer text is never asked again in the same words.
DeclaredQuestion = Annotated[str, Field(min_length=1, max_length=300)]


class PutArticle(Request):
    """An article to store or replace; `questions` are those that it answers, as customers ask."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Opening hours",
                    "content": "We are open 9 to 5.",
                    "language": "en",
                    "questions": ["When are you open?"],
                }
            ]
        }
    )

    title: Annotated[str, Field(min_length=1, max_length=500)]
    content: Annotated[str, Field(min_length=1, max_length=200_000)]
    language: LanguageTag = "en"
    questions: Annotated[list[DeclaredQuestion], Field(max_length=50)] = Field(default_factory=list)


class ArticleOut(BaseModel):
    """An article of the knowledge base."""

    id: str
    title: str
    content: str
    language: str
    questions: list[str]
    version: int
    updated_at: datetime


ArticlePage = Page[ArticleOut]
