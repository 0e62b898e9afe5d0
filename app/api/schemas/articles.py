"""Articles of the knowledge base."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.base import LanguageTag, OutsideId, Request
from app.api.schemas.page import Page

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


class ImportedArticle(PutArticle):
    """An article to store or replace, with its id."""

    id: OutsideId


class ImportArticles(Request):
    """Articles to store or replace, all of them or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "articles": [
                        {
                            "id": "opening-hours",
                            "title": "Opening hours",
                            "content": "We are open 9 to 5.",
                        }
                    ]
                }
            ]
        }
    )

    articles: Annotated[list[ImportedArticle], Field(min_length=1, max_length=100)]


class ImportOut(BaseModel):
    """What became of an import: ids that were stored, and those that were so already."""

    stored: list[str]
    unchanged: list[str]


class ArticleSummary(BaseModel):
    """An article of the knowledge base, without its text."""

    id: str
    title: str
    language: str
    questions: list[str]
    version: int
    updated_at: datetime


class ArticleOut(ArticleSummary):
    """An article of the knowledge base."""

    content: str


class ListedArticle(ArticleSummary):
    """An article in a list: without `expand=content` its text is left out."""

    content: str = ""


ExpandArticle = Literal["content"]


class ArticlePage(Page[ListedArticle]):
    """A page of articles."""
