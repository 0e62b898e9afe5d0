"""The table of what is noted on traces after they ended: feedback, and the end of a lost one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class TraceNote(Base):
    """One note on its way to LangSmith. The id is that of the trace and the key, so that a repeat
    is the same note.

    It holds no text: `subject_id` names the approval or the rating, which is read when the note is
    sent. `attempts` counts all of them and fences; `tries` those since it was last written.
    """

    __tablename__ = "trace_notes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    trace_id: Mapped[UUID]
    key: Mapped[str]
    subject_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime] = now()
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = now()

    __table_args__ = (
        Index("trace_notes_due", "next_at", postgresql_where=sql("status = 'pending'")),
        Index("trace_notes_by_age", "tenant_id", "created_at"),
        CheckConstraint("status IN ('pending','sent','dead')", name="trace_notes_status_known"),
        CheckConstraint(
            "key IN ('approval','csat','escalated','grounding','lost')",
            name="trace_notes_key_known",
        ),
    )
