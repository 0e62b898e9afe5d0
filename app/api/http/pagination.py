"""Signed pages: a cursor only works on the list, tenant and filters it was made for."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.errors import InvalidCursorError

Row = TypeVar("Row")


class Cursors:
    """Signs and reads cursors with the service's secret key."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def signer(self, scope: list[Any]) -> URLSafeSerializer:
        """What signs and reads the cursors of one list."""
        return URLSafeSerializer(self._secret_key, salt=json.dumps(scope))

    def timed_signer(self, scope: list[Any]) -> URLSafeTimedSerializer:
        """What signs a value with the time, so that it may be refused once it is old."""
        return URLSafeTimedSerializer(self._secret_key, salt=json.dumps(scope))

    async def page(
        self,
        session: AsyncSession,
        query: Select[Row],
        column: InstrumentedAttribute[Any],
        *,
        scope: list[Any],
        cursor: str | None,
        limit: int,
        newest_first: bool = False,
        read: Callable[[str], Any] = str,
    ) -> tuple[list[Row], str | None]:
        """Up to `limit` rows after the cursor, and the next cursor.

        Raises:
            InvalidCursorError: forged, or made for another list.
        """
        signer = self.signer(scope)
        if cursor is not None:
            try:
                after = read(signer.loads(cursor))
            except (BadData, ValueError):
                raise InvalidCursorError("Start the list again without a cursor.") from None
            query = query.where(column < after if newest_first else column > after)
        order = column.desc() if newest_first else column.asc()
        rows = list(await session.scalars(query.order_by(order).limit(limit + 1)))
        if len(rows) <= limit:
            return rows, None
        last = getattr(rows[limit - 1], column.key)
        return rows[:limit], str(signer.dumps(str(last)))
