"""Articles of the knowledge base."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.api.http.pagination import Page
from app.api.schemas.base import LanguageTag, Request


class PutArticle(Request):
    """An article to store or replace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"title": "Opening hours", "content": "We are open 9 to 5.", "language": "en"}
            ]
        }
    )

    title: Annotated[str, Field(min_length=1, max_length=500)]
    content: Annotated[str, Field(min_length=1, max_length=200_000)]
    language: LanguageTag = "en"


class ArticleOut(BaseModel):
    """An article of the knowledge base."""

    id: str
    title: str
    content: str
    language: str
    version: int
    updated_at: datetime


ArticlePage = Page[ArticleOut]
