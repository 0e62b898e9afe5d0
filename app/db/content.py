"""The tables of the knowledge base."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
)
from sqlalchemy.dialects.postgresql import REGCONFIG, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, now


class Article(Base):
    """One knowledge-base document."""

    __tablename__ = "articles"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    content: Mapped[str]
    language: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = now()


class ArticleChunk(Base):
    """A part of an article, indexed in the article's language."""

    __tablename__ = "article_chunks"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    article_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    config: Mapped[Any] = mapped_column(REGCONFIG)
    document: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector(config, title), 'A')"
            " || setweight(to_tsvector(config, text), 'C') || to_tsvector('simple', title)",
            persisted=True,
        ),
    )

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "article_id"], ["articles.tenant_id", "articles.id"], ondelete="CASCADE"
        ),
        Index("article_chunks_document", "document", postgresql_using="gin"),
    )
