"""What a ticket's audits say: our keys, who did what last, and how busy we were.

Our key is in the metadata of the update that brought the comment, where only the API writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from app.connectors.zendesk.shapes import Audit

# Zendesk takes 30 updates of one user on one ticket in this time.
LIMIT_TIME, LIMIT_UPDATES = timedelta(minutes=10), 28


@dataclass(frozen=True)
class History:
    """The audits of a ticket, newest first."""

    audits: Sequence[Audit]
    bot_id: str

    @property
    def last_id(self) -> str:
        """Of the newest update."""
        return self.audits[0].id if self.audits else ""

    @cached_property
    def keys(self) -> dict[str, str]:
        """Our keys, by the id of the comment; what others wrote into metadata is none of ours."""
        return {
            audit.comment_id: audit.metadata.custom.deskgraph_key
            for audit in self.audits
            if audit.author_id == self.bot_id
            and audit.metadata.custom.deskgraph_key
            and audit.comment_id
        }

    @cached_property
    def ids(self) -> frozenset[str]:
        """Of all updates that were read."""
        return frozenset(audit.id for audit in self.audits)

    def find(self, key: str) -> str | None:
        """The comment with the key, as it is stored."""
        return next((comment for comment, known in self.keys.items() if known == key), None)

    def is_busy(self, now: datetime | None) -> bool:
        """Whether Zendesk would soon refuse the bot's updates of this ticket, and of it alone."""
        if now is None:
            return False
        recent = [
            audit
            for audit in self.audits
            if audit.author_id == self.bot_id and now - audit.created_at < LIMIT_TIME
        ]
        return len(recent) >= LIMIT_UPDATES
