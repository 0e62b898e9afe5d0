"""What happens within our stand-in for Zammad: users, tickets, articles, tags, mails."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

JsonObject = dict[str, Any]
SYSTEM, ROOT, EMMA, BOT, ANN, EVE, CLERK = 1, 2, 3, 4, 5, 6, 7
STATES = {1: "new", 2: "open", 3: "pending reminder", 4: "closed", 5: "merged", 7: "pending close"}
PRIORITIES = {1: "1 low", 2: "2 normal", 3: "3 high"}
TYPES = {1: "email", 2: "sms", 5: "phone", 10: "note", 11: "web"}
SENDERS = {1: "Agent", 2: "Customer", 3: "System"}


class UnprocessableError(Exception):
    """What Zammad answers 422 to, in its words."""


class NoAddressError(Exception):
    """A group without an address: Zammad raises, and answers 500."""


@dataclass(slots=True)
class ZammadUser:
    """A user; `token` is theirs, `extra` the attributes that the tenant added."""

    id: int
    login: str
    role: str = ""
    token: str = ""
    extra: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class ZammadArticle:
    """An article."""

    id: int
    ticket_id: int
    type: str
    sender: str
    internal: bool
    body: str
    content_type: str
    created_by_id: int
    created_at: str
    origin_by_id: int | None = None
    to: str | None = None
    subject: str | None = None
    in_reply_to: str | None = None
    preferences: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class ZammadTicket:
    """A ticket."""

    id: int
    number: str
    title: str
    customer_id: int
    group_id: int = 1
    state_id: int = 1
    priority_id: int = 2
    owner_id: int = SYSTEM
    created_at: str = ""
    updated_at: str = ""
    pending_time: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ZammadMail:
    """What Zammad sent to a customer."""

    ticket_id: int
    to: str
    text: str


@dataclass(slots=True)
class ZammadGroup:
    """A group; without an address it sends no mail."""

    id: int
    name: str
    email_address_id: int | None
    follow_up_possible: str = "yes"


class ZammadState:
    """One Zammad. Agents have all groups but the clerk, who has none."""

    def __init__(self) -> None:
        people = (
            (SYSTEM, "-", ""), (ROOT, "root@desk.test", "Admin"), (EMMA, "emma@desk.test", "Agent"),
            (BOT, "deskgraph@desk.test", "Agent"), (ANN, "ann@customer.test", "Customer"),
            (EVE, "eve@evil.test", "Customer"), (CLERK, "clerk@desk.test", "Agent"),
        )  # fmt: skip
        self.users = {
            id_: ZammadUser(id_, login, role, f"token-of-{id_}") for id_, login, role in people
        }
        self.groups = {
            1: ZammadGroup(1, "Users", 1),
            2: ZammadGroup(2, "Finance", 1),
            3: ZammadGroup(3, "Letters", None),
        }
        self.tickets: dict[int, ZammadTicket] = {}
        self.articles: dict[int, ZammadArticle] = {}
        self.mails: list[ZammadMail] = []
        # A Zammad that drops unknown preferences of an article.
        self.keeps_preferences = True
        self._ids = itertools.count(101)
        self._latest = datetime.now(UTC)

    @property
    def token(self) -> str:
        """The bot's."""
        return self.users[BOT].token

    def create(self, user: ZammadUser, body: JsonObject) -> ZammadTicket:
        """A new ticket with its first article; a customer's is their own."""
        customer = self._customer(user, body)
        now = self._now()
        id_ = len(self.tickets) + 1
        ticket = ZammadTicket(id_, f"{22000 + id_}", body["title"], customer, created_at=now)
        ticket.group_id = lookup("group", self.group_names, body.get("group", "Users"))
        self.tickets[id_] = ticket
        try:
            self.add_article(user, ticket, body["article"])
        except (UnprocessableError, NoAddressError):
            del self.tickets[id_]
            raise
        return ticket

    def _customer(self, user: ZammadUser, body: JsonObject) -> int:
        if user.role == "Customer":
            return user.id
        login = str(body.get("customer", "")).removeprefix("guess:")
        return lookup("customer", {one.id: one.login for one in self.users.values()}, login)

    def update(
        self, user: ZammadUser, ticket: ZammadTicket, body: JsonObject
    ) -> ZammadArticle | None:
        """Fields and an article, all or nothing; the article made."""
        closed = STATES[ticket.state_id] == "closed" and user.role == "Customer"
        if closed and self.groups[ticket.group_id].follow_up_possible == "new_ticket":
            raise UnprocessableError(
                "Cannot follow-up on a closed ticket. Please create a new ticket."
            )
        changes = self._changes(user, ticket, body)
        made = self.add_article(user, ticket, body["article"]) if body.get("article") else None
        for name, value in changes.items():
            setattr(ticket, name, value)
        if made and closed and "state_id" not in changes:
            ticket.state_id = 2
        ticket.updated_at = self._now()
        return made

    def _changes(self, user: ZammadUser, ticket: ZammadTicket, body: JsonObject) -> JsonObject:
        names = {
            "group": self.group_names, "state": STATES, "priority": PRIORITIES,
            "owner": {one.id: one.login for one in self.users.values()},
        }  # fmt: skip
        changes = {
            f"{name}_id": lookup(name, known, body[name])
            for name, known in names.items()
            if name in body
        }
        changes |= {name: body[name] for name in ("owner_id", "title") if name in body}
        if STATES[changes.get("state_id", 1)].startswith("pending"):
            if "pending_time" not in body:
                raise UnprocessableError("Missing required value for field 'pending_time'!")
            changes["pending_time"] = body["pending_time"]
        # Zammad takes an owner without rights on the group and keeps the one that was.
        if changes.get("owner_id") == CLERK or user.role == "Customer":
            changes.pop("owner_id", None)
        return changes

    def add_article(
        self, user: ZammadUser, ticket: ZammadTicket, given: JsonObject
    ) -> ZammadArticle:
        """As creates_ticket_articles.rb does, a customer's token included."""
        if not given.get("body"):
            raise UnprocessableError('Need at least article: { body: "some text" }')
        customer = user.role == "Customer"
        type_ = given.get("type", "note")
        lookup("type", TYPES, type_)
        article = ZammadArticle(
            id=next(self._ids),
            ticket_id=ticket.id,
            type=type_ if not customer or type_ in ("note", "web", "email", "sms") else "note",
            sender="Customer" if customer else given.get("sender", "Agent"),
            internal=False if customer else bool(given.get("internal", False)),
            body=given["body"],
            content_type=given.get("content_type", "text/plain"),
            created_by_id=user.id,
            created_at=self._now(),
            origin_by_id=None if customer else given.get("origin_by_id"),
            to=given.get("to"),
            subject=given.get("subject"),
            in_reply_to=given.get("in_reply_to"),
            preferences=dict(given.get("preferences") or {}) if self.keeps_preferences else {},
        )
        if article.type == "email" and article.sender == "Agent":
            if self.groups[ticket.group_id].email_address_id is None:
                raise NoAddressError
            self.mails.append(ZammadMail(ticket.id, article.to or "", article.body))
        self.articles[article.id] = article
        ticket.updated_at = article.created_at
        return article

    def merge(self, source: ZammadTicket, target: ZammadTicket) -> None:
        """The articles move to the target, and the source is over."""
        for article in self.articles_of(source.id):
            article.ticket_id = target.id
        source.state_id = 5
        source.updated_at = target.updated_at = self._now()

    def tag(self, ticket: ZammadTicket, item: str, *, add: bool) -> None:
        """Add or remove one tag; either may be repeated."""
        if add and item not in ticket.tags:
            ticket.tags.append(item)
        if not add and item in ticket.tags:
            ticket.tags.remove(item)
        ticket.updated_at = self._now()

    def articles_of(self, ticket_id: int) -> list[ZammadArticle]:
        """Oldest first."""
        return [one for one in self.articles.values() if one.ticket_id == ticket_id]

    @property
    def group_names(self) -> dict[int, str]:
        """By id."""
        return {group.id: group.name for group in self.groups.values()}

    def _now(self) -> str:
        """A later moment each time, as Zammad writes it."""
        # Zammad keeps milliseconds, and two changes may come within one.
        moment = max(datetime.now(UTC), self._latest + timedelta(milliseconds=1))
        self._latest = moment
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lookup(what: str, names: dict[int, str], name: str) -> int:
    """The id of a name, whatever its case."""
    for id_, known in names.items():
        if known.casefold() == str(name).casefold():
            return id_
    raise UnprocessableError(f"No lookup value found for '{what}': {name!r}")
