"""What all tables share: Python types to column types. Times are UTC."""

from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    LargeBinary,
    Numeric,
    Table,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.core.types import EnumText, SafeJson, SafeText
from app.lifecycle import ApprovalStatus, RunStatus


class Base(DeclarativeBase):
    """Python types to column types."""

    type_annotation_map = {  # noqa: RUF012  # read by SQLAlchemy only
        str: SafeText(),
        dict[str, Any]: SafeJson(),
        list[Any]: SafeJson(),
        list[str]: ARRAY(SafeText()),
        datetime: DateTime(timezone=True),
        int: BigInteger(),
        bytes: LargeBinary(),
        Decimal: Numeric(18, 9),
        UUID: Uuid(),
        bool: Boolean(),
        RunStatus: EnumText(RunStatus),
        ApprovalStatus: EnumText(ApprovalStatus),
    }


def sql_table(entity: type[Base]) -> Table:
    """The table of a class, for statements that return no objects."""
    return cast("Table", entity.__table__)


def now() -> Mapped[datetime]:
    """A column with the time at which the row was inserted."""
    return mapped_column(server_default=func.now())


def found_by_key(tenant_id: Mapped[str]) -> ColumnElement[str]:
    """The tenant of a row that another key finds, written as no index has it.

    While a table is nearly empty every index looks the same: a plan of that time may read all of
    the tenant's rows for one, and stays until the next ANALYZE. Postgres 18 also skips through an
    index of the tenant that ends in the id.
    """
    return func.coalesce(tenant_id, "")
