"""What happens within our stand-in for Zendesk: tickets, comments, audits, events, mails."""

import html
import itertools
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

JsonObject = dict[str, Any]
SYSTEM, BOT, PERSON, CUSTOMER, STRANGER = -1, 1000, 2000, 3000, 3001
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = (None, "low", "normal", "high", "urgent")
TYPE = "zen:event-type:ticket."
MAX_METADATA, MAX_COMMENTS = 1024, 5000
LIMIT_TIME, LIMIT_UPDATES = timedelta(minutes=10), 30


class RefusedUpdateError(Exception):
    """What a call is answered instead of 2xx."""

    def __init__(self, status: int, error: str, description: str, **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "description": description, **more}
        self.headers: dict[str, str] = {}


@dataclass(slots=True)
class ZdUser:
    """A user of any role."""

    id: int
    name: str
    role: str = "end-user"
    external_id: str | None = None
    suspended: bool = False


@dataclass(slots=True)
class ZdComment:
    """A comment as it stands now."""

    id: int
    author_id: int
    body: str
    html_body: str
    public: bool
    audit_id: int
    created_at: str
    channel: str = "api"
    trusted: bool = True


@dataclass(slots=True)
class ZdAudit:
    """One update."""

    id: int
    author_id: int
    created_at: datetime
    custom: JsonObject
    events: list[JsonObject]


@dataclass(slots=True)
class ZdTicket:
    """A ticket with all that is within it."""

    id: int
    subject: str
    requester_id: int
    updated_at: datetime
    status: str = "new"
    priority: str | None = None
    group_id: int | None = 1
    assignee_id: int | None = None
    tags: list[str] = field(default_factory=list)
    external_id: str | None = None
    followup_of: int | None = None
    comments: list[ZdComment] = field(default_factory=list)
    audits: list[ZdAudit] = field(default_factory=list)


@dataclass(slots=True)
class ZdMail:
    """What reached the requester."""

    to: int
    ticket_id: int
    text: str


class ZendeskState:
    """One account: the bot, emma, ann who asks, and eve. Times have whole seconds, as there."""

    def __init__(self) -> None:
        self.users = {
            BOT: ZdUser(BOT, "deskgraph", "agent"),
            PERSON: ZdUser(PERSON, "Emma", "agent"),
            CUSTOMER: ZdUser(CUSTOMER, "Ann"),
            STRANGER: ZdUser(STRANGER, "Eve"),
        }
        self.groups = {1: "Support", 2: "Finance"}
        self.tickets: dict[int, ZdTicket] = {}
        self.deleted: set[int] = set()
        self.mails: list[ZdMail] = []
        # What no webhook has posted yet.
        self.events: list[JsonObject] = []
        # The answers to these creations, by their key.
        self.created: dict[str, tuple[JsonObject, int]] = {}
        self.max_comments = MAX_COMMENTS
        # The next updates are refused by the database itself.
        self.database_conflicts = 0
        # An update that no field shows, such as a rule of the tenant that takes tags away.
        self.drops_tags = False
        # False: an hour ago and one second more with each update, so that no stamp is a recent one.
        self.real_clock = False
        self._began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=10)
        self._seconds = itertools.count(1)
        self._ids = itertools.count(50_001)

    def now(self) -> datetime:
        """The time of an update."""
        if self.real_clock:
            return datetime.now(UTC).replace(microsecond=0)
        return self._began + timedelta(seconds=next(self._seconds))

    def ticket(self, ticket_id: int) -> ZdTicket:
        """The ticket. Raises RefusedUpdateError."""
        if ticket_id not in self.tickets or ticket_id in self.deleted:
            raise RefusedUpdateError(404, "RecordNotFound", "Not found")
        return self.tickets[ticket_id]

    def create(self, actor: int, given: JsonObject, channel: str = "api") -> ZdTicket:
        """A new ticket; a follow-up inherits the tags unless it brings its own."""
        source = given.get("via_followup_source_id")
        parent = self.tickets.get(source) if source else None
        if parent is not None and parent.status != "closed":
            parent = None
        requester = given.get("requester_id") or actor
        ticket = ZdTicket(
            id=len(self.tickets) + 1,
            subject=given.get("subject") or (parent.subject if parent else ""),
            requester_id=requester,
            updated_at=self.now(),
            tags=list(given.get("tags") or (parent.tags if parent else [])),
            external_id=given.get("external_id"),
            followup_of=parent.id if parent else None,
        )
        self.tickets[ticket.id] = ticket
        self._emit("created", ticket, actor, {})
        self.update(actor, ticket.id, {**given, "tags": ticket.tags}, channel)
        return ticket

    def update(
        self, actor: int, ticket_id: int, given: JsonObject, channel: str = "api"
    ) -> ZdAudit | None:
        """One update, all of it or nothing; None when it changes nothing, and keeps nothing."""
        ticket = self.ticket(ticket_id)
        self._refuse(actor, ticket, given)
        at, audit_id = self.now(), next(self._ids)
        events = self._set_fields(actor, ticket, given)
        if comment := given.get("comment"):
            events.insert(0, self._comment(actor, ticket, comment, audit_id, at, channel))
        if not events:
            return None
        ticket.updated_at = at
        custom = given.get("metadata") or {}
        audit = ZdAudit(audit_id, actor, at, custom, events)
        ticket.audits.append(audit)
        return audit

    def _refuse(self, actor: int, ticket: ZdTicket, given: JsonObject) -> None:
        """Raise for what Zendesk does not take, in its order."""
        if self.database_conflicts:
            self.database_conflicts -= 1
            raise RefusedUpdateError(409, "DatabaseConflict", "Database collision")
        safe = str(given.get("safe_update", "")).lower() == "true"
        if safe and given.get("updated_stamp") != stamp(ticket.updated_at):
            raise RefusedUpdateError(409, "UpdateConflict", "The ticket was updated meanwhile")
        if ticket.status == "closed":
            raise invalid("status", "Status: closed prevents ticket update")
        if given.get("comment") and len(ticket.comments) >= self.max_comments:
            raise invalid("base", f"Ticket has more than {self.max_comments} comments")
        if given.get("group_id") not in (None, *self.groups):
            raise invalid("group", "Group is invalid")
        if given.get("status") not in (None, *STATUSES):
            raise invalid("status", "Status is invalid")
        if given.get("priority") not in PRIORITIES:
            raise invalid("priority", "Priority is invalid")
        assignee = given.get("assignee_id")
        if assignee is not None and self.users.get(assignee, ZdUser(0, "")).role == "end-user":
            raise invalid("assignee", "Assignee is not an agent")
        if len(str(given.get("metadata") or "")) > MAX_METADATA:
            raise invalid("metadata", "Metadata is too long")
        self._limit(actor, ticket)

    def _limit(self, actor: int, ticket: ZdTicket) -> None:
        if actor not in self.users or self.users[actor].role == "end-user":
            return
        now = ticket.audits[-1].created_at if ticket.audits else ticket.updated_at
        recent = [
            audit
            for audit in ticket.audits
            if audit.author_id == actor and now - audit.created_at < LIMIT_TIME
        ]
        if len(recent) >= LIMIT_UPDATES:
            error = RefusedUpdateError(429, "TooManyRequests", "Ticket update limit reached")
            # Of this ticket alone: the account's own limit is far away.
            error.headers = {"Retry-After": "480", "X-Rate-Limit-Remaining": "690"}
            raise error

    def _set_fields(self, actor: int, ticket: ZdTicket, given: JsonObject) -> list[JsonObject]:
        before = (ticket.status, ticket.assignee_id, ticket.group_id, list(ticket.tags))
        events: list[JsonObject] = []
        wanted: JsonObject = {
            name: given[name]
            for name in ("status", "priority", "group_id", "assignee_id", "subject")
            if name in given
        }
        if wanted.get("status") == "solved" and not ticket.assignee_id and self._is_staff(actor):
            wanted.setdefault("assignee_id", actor)
        wanted["tags"] = self._tags(ticket, given)
        for name, value in wanted.items():
            if getattr(ticket, name) != value:
                previous = getattr(ticket, name)
                setattr(ticket, name, value)
                events.append(
                    {"id": next(self._ids), "type": "Change", "field_name": name,
                     "value": value, "previous_value": previous}
                )  # fmt: skip
        self._emit_changes(actor, ticket, before)
        return events

    def _emit_changes(self, actor: int, ticket: ZdTicket, before: tuple[Any, ...]) -> None:
        status, assignee, group, tags = before
        if ticket.status != status:
            both = {"current": ticket.status.upper(), "previous": status.upper()}
            self._emit("status_changed", ticket, actor, both)
        if ticket.assignee_id != assignee:
            both = {"current": as_text(ticket.assignee_id), "previous": as_text(assignee)}
            self._emit("agent_assignment_changed", ticket, actor, both)
        if ticket.group_id != group:
            both = {"current": as_text(ticket.group_id), "previous": as_text(group)}
            self._emit("group_assignment_changed", ticket, actor, both)
        if added := [tag for tag in ticket.tags if tag not in tags]:
            self._emit("tags_changed", ticket, actor, {"tags_added": added, "tags_removed": []})

    def _tags(self, ticket: ZdTicket, given: JsonObject) -> list[str]:
        """A blank ends a tag, and tags are small."""
        if self.drops_tags:
            return ticket.tags
        tags = _split(given["tags"]) if "tags" in given else list(ticket.tags)
        tags += [tag for tag in _split(given.get("additional_tags") or ()) if tag not in tags]
        return [tag for tag in tags if tag not in _split(given.get("remove_tags") or ())]

    def _comment(
        self,
        actor: int,
        ticket: ZdTicket,
        given: JsonObject,
        audit_id: int,
        at: datetime,
        channel: str,
    ) -> JsonObject:
        author = given.get("author_id") or actor
        raw = given.get("html_body") or html.escape(given.get("body") or "", quote=False)
        # Agents' comments may hold placeholders.
        shown = raw.replace("{{ticket.id}}", str(ticket.id)) if self._is_staff(author) else raw
        public = given.get("public", True)
        comment = ZdComment(
            next(self._ids), author, plain(shown), shown, public, audit_id, stamp(at), channel,
            given.get("trusted", True),
        )  # fmt: skip
        ticket.comments.append(comment)
        if public and author == ticket.requester_id and ticket.status in ("pending", "solved"):
            ticket.status = "open"
            both = {"current": "OPEN", "previous": "PENDING"}
            self._emit("status_changed", ticket, actor, both)
        if public and author != ticket.requester_id:
            self.mails.append(ZdMail(ticket.requester_id, ticket.id, comment.body))
        self._emit("comment_added", ticket, actor, {"comment": self._said(comment)})
        return {"id": comment.id, "type": "Comment", "body": comment.body,
                "public": public, "author_id": author}  # fmt: skip

    def _said(self, comment: ZdComment) -> JsonObject:
        author = self.users.get(comment.author_id)
        return {
            "id": comment.id,
            "body": comment.body,
            "is_public": comment.public,
            "author": {
                "id": comment.author_id,
                "is_staff": self._is_staff(comment.author_id),
                "name": author.name if author else None,
            },
        }

    def _is_staff(self, user: int) -> bool:
        return user in self.users and self.users[user].role in ("agent", "admin")

    def _emit(self, name: str, ticket: ZdTicket, actor: int, event: JsonObject) -> None:
        """An event as a webhook posts it; ids are texts there, words are capitals."""
        self.events.append(
            {
                "account_id": 22129848,
                "id": str(uuid.uuid4()),
                "type": f"{TYPE}{name}",
                "zendesk_event_version": "2022-11-06",
                "subject": f"zen:ticket:{ticket.id}",
                "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                "detail": {
                    "id": str(ticket.id),
                    "subject": ticket.subject,
                    "status": ticket.status.upper(),
                    "priority": ticket.priority and ticket.priority.upper(),
                    "requester_id": str(ticket.requester_id),
                    "assignee_id": as_text(ticket.assignee_id),
                    "group_id": as_text(ticket.group_id),
                    "external_id": ticket.external_id,
                    "tags": list(ticket.tags),
                    "actor_id": str(actor),
                    "is_public": True,
                    "via": {"channel": "web"},
                },
                "event": event,
            }
        )


def invalid(name: str, description: str) -> RefusedUpdateError:
    """The answer to a record that is not valid."""
    details = {name: [{"description": description}]}
    return RefusedUpdateError(422, "RecordInvalid", "Record validation errors", details=details)


def stamp(at: datetime) -> str:
    """A time as Zendesk writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text(id_: int | None) -> str | None:
    """An id as events have it."""
    return None if id_ is None else str(id_)


def plain(raw: str) -> str:
    """HTML as text."""
    lines = re.sub(r"<br>\n?", "\n", raw)
    return html.unescape(re.sub(r"<[^<>]+>", "", lines))


def _split(tags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for tag in tags for word in tag.lower().split()))
