"""The tables of the knowledge base and of the answers it gave."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, REGCONFIG
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now

# So many customers must ask before others are answered from the cache: one alone must not decide.
CUSTOMERS = 2


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
    # What customers ask when this article is the answer, in their words.
    questions: Mapped[list[str]] = mapped_column(server_default="{}")


class ArticleChunk(Base):
    """A part of an article. Its id names exactly this text: an edit makes new chunks."""

    __tablename__ = "article_chunks"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    article_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    title: Mapped[str]
    text: Mapped[str]
    config: Mapped[Any] = mapped_column(REGCONFIG)
    # Until then a worker embeds it, or waits after a failure of the embedding server.
    embed_not_before: Mapped[datetime | None]
    # The model of its vector; NULL: none yet. The vectors' table needs pgvector.
    embedded_with: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "article_id"], ["articles.tenant_id", "articles.id"], ondelete="CASCADE"
        ),
        Index("article_chunks_by_config", "tenant_id", "config"),
        Index("article_chunks_embedded", "embedded_with", "id"),
    )


class ArticleTerm(Base):
    """A word of a chunk, stemmed by Postgres, or a pair of them; how much the chunk is about it."""

    __tablename__ = "article_terms"

    tenant_id: Mapped[str]
    term: Mapped[str]
    chunk_id: Mapped[int] = mapped_column(
        ForeignKey("article_chunks.id", ondelete="CASCADE"), index=True
    )
    weight: Mapped[float] = mapped_column(REAL)

    __table_args__ = (
        # With the weight in it a search reads the index alone.
        PrimaryKeyConstraint("tenant_id", "term", "chunk_id", postgresql_include=["weight"]),
    )


class ArticleNgram(Base):
    """Four characters of a word, and how much the chunk is about them."""

    __tablename__ = "article_ngrams"

    tenant_id: Mapped[str]
    ngram: Mapped[str]
    chunk_id: Mapped[int] = mapped_column(
        ForeignKey("article_chunks.id", ondelete="CASCADE"), index=True
    )
    weight: Mapped[float] = mapped_column(REAL)

    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "ngram", "chunk_id", postgresql_include=["weight"]),
    )


class CachedAnswerRow(Base):
    """The newest checked reply to a question. `customers` are digests of the first who asked."""

    __tablename__ = "answers"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    question_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    kb_version: Mapped[int] = mapped_column(primary_key=True)
    policy_version: Mapped[int] = mapped_column(primary_key=True)
    answer: Mapped[dict[str, Any]]
    customers: Mapped[list[bytes]] = mapped_column(ARRAY(BYTEA))
    updated_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("answers_expiring", "expires_at"),
        CheckConstraint(
            f"cardinality(customers) BETWEEN 1 AND {CUSTOMERS}", name="answers_have_customers"
        ),
    )
