"""Callbacks in the API's shape."""

import json

from app.api.schemas.callbacks import CallbackOut
from app.db.tables.webhooks import Callback


def show_callback(row: Callback) -> CallbackOut:
    """A callback in the API's shape."""
    fields = {name: getattr(row, name) for name in CallbackOut.model_fields if hasattr(row, name)}
    return CallbackOut(
        **fields | {"next_at": row.next_at if row.status == "pending" else None},
        sequence=row.number,
        payload=json.loads(row.body),
    )
