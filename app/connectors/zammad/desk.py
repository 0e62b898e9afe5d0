"""Zammad as a helpdesk.

Our key stands in `preferences` of the article, which no later call can change. A reply and the
ticket's state are one call, which Zammad carries out within one locked transaction. Zammad has no
way to refuse a change of a ticket that changed meanwhile, so the ticket is read just before.
"""

from dataclasses import dataclass
from typing import Any

from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import (
    GONE_VIEW,
    AlreadyPosted,
    Answer,
    Author,
    Change,
    Closed,
    DeskMessage,
    Gone,
    Helpdesk,
    Overtaken,
    Posted,
    Refused,
    Requester,
    TicketView,
)
from app.connectors.zammad.changes import change_ticket
from app.connectors.zammad.rest import KEY, Article, Rest, Ticket, User, refusal
from app.connectors.zammad.settings import ZammadSettings
from tools.errors import UnavailableError

HTML = "text/html"
# What the customer used, and a mail may answer. A chat or an SMS is answered where it came from.
ANSWERED_BY_MAIL = frozenset({"email", "web", "phone", "note", "fax"})
NO_ADDRESS = (
    "The group {group} has no e-mail address, so Zammad cannot send this reply: choose one under"
    " Manage > Groups > {group} > Email."
)
NOT_AN_AGENT = (
    "The token is a customer's, and Zammad would show this note to the customer: use the token of"
    " a user with the role Agent."
)


@dataclass(frozen=True, slots=True)
class Zammad(Helpdesk):
    """One Zammad, as the bot sees it."""

    rest: Rest

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it is now. The stamp is older than the messages, never newer.

        Raises:
            SettingsError: Zammad does not let the bot see it.
        """
        ticket = await self.rest.ticket(ticket_id)
        articles = await self.rest.articles(ticket_id) if isinstance(ticket, Ticket) else ticket
        if isinstance(ticket, Gone) or isinstance(articles, Gone):
            return GONE_VIEW
        if isinstance(ticket, Refused) or isinstance(articles, Refused):
            why = ticket.why if isinstance(ticket, Refused) else "its articles are hidden"
            raise SettingsError(f"Zammad does not show the ticket: {why}")
        messages = tuple(self._message(ticket, one) for one in articles)
        return TicketView(
            stamp=ticket.stamp,
            subject=ticket.title,
            requester=self._requester(await self.rest.user(ticket.customer_id)),
            messages=messages,
            status=self.settings.our_status(ticket.state),
            assignee=self.settings.person(ticket.owner),
            closed=ticket.state in self.settings.closed_states,
        )

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """The article with the key."""
        articles = await self.rest.articles(ticket_id)
        return None if isinstance(articles, Gone | Refused) else self._ours(articles, key, None)

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Mail the customer, and open a ticket that is new."""
        articles = await self._unposted(ticket_id, text, key)
        if not isinstance(articles, list):
            return articles
        seen = await self.rest.ticket(ticket_id)
        if isinstance(seen, Gone | Refused):
            return seen
        customer = await self.rest.user(seen.customer_id)
        # Read once more, so that nothing but the call itself comes between.
        ticket = await self.rest.ticket(ticket_id)
        if isinstance(ticket, Gone | Refused):
            return ticket
        if (no := self._obstacle(ticket, expect, articles, customer)) is not None:
            return no
        article: dict[str, Any] = {"type": "email", "internal": False, "to": customer.email}
        # So that the customer's mail program shows it with theirs.
        if mails := [one.message_id for one in articles if one.sender == "Customer"]:
            article |= {"in_reply_to": mails[-1]} if mails[-1] else {}
        state = {"state": self.settings.state_of("open")} if ticket.state == "new" else {}
        return await self._post(ticket, state, article | {"subject": ticket.title}, text, key)

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """An internal note. A token that would make it public posts nothing."""
        articles = await self._unposted(ticket_id, text, key)
        if not isinstance(articles, list):
            return articles
        ticket = await self.rest.ticket(ticket_id)
        if isinstance(ticket, Gone | Refused):
            return ticket
        if not await self.rest.is_agent():
            return Refused(NOT_AN_AGENT)
        return await self._post(ticket, {}, {"type": "note", "internal": True}, text, key)

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Change fields; Zammad is asked only for what is not so already."""
        return await change_ticket(self.rest, ticket_id, change)

    @property
    def settings(self) -> ZammadSettings:
        """The connection's settings."""
        return self.rest.settings

    def _obstacle(
        self, ticket: Ticket, expect: str, articles: list[Article], customer: User
    ) -> Answer | None:
        """Why no reply may be posted now; None when it may."""
        if ticket.state in self.settings.closed_states:
            return Closed()
        if ticket.stamp != expect:
            return Overtaken()
        why = _unmailable(articles, customer)
        return Refused(why) if why else None

    def _author(self, ticket: Ticket, article: Article) -> Author:
        """Who speaks. A stranger's mail into the ticket is no customer's: people look at it."""
        if article.sender == "Customer":
            known = article.speaker_id == ticket.customer_id
            return "customer" if known or article.created_by in self.settings.intake else "person"
        if article.sender == "System":
            return "system"
        return "bot" if self.settings.is_bot(article.created_by) else "person"

    def _message(self, ticket: Ticket, article: Article) -> DeskMessage:
        automatic = bool(article.preferences.get("is-auto-response"))
        return DeskMessage(
            id=str(article.id),
            author=self._author(ticket, article),
            public=not article.internal,
            text=article.body,
            html=article.content_type == HTML,
            key=article.key,
            headers={"auto-submitted": "auto-replied"} if automatic else {},
        )

    def _requester(self, user: User) -> Requester:
        """The ticket's customer; verified when the tenant's attribute holds an id of them."""
        field = self.settings.external_id_field
        said = (user.model_extra or {}).get(field) if field else None
        known = str(said).strip() if isinstance(said, str | int) else ""
        name = f"{user.firstname} {user.lastname}".strip()
        return Requester(str(user.id), known or None, name or None, verified=bool(known))

    def _ours(self, articles: list[Article], key: str, text: str | None) -> str | None:
        """Our article with the key, or the bot's own with the text and no key at all."""
        for article in articles:
            if article.key == key:
                return str(article.id)
        for article in articles:
            bare = self.settings.is_bot(article.created_by) and article.key is None
            if text is not None and bare and article.body.split() == text.split():
                return str(article.id)
        return None

    async def _unposted(self, ticket_id: str, text: str, key: str) -> list[Article] | Answer:
        """The articles, none of which is what shall be posted; else what became of that."""
        articles = await self.rest.articles(ticket_id)
        if isinstance(articles, Gone | Refused):
            return articles
        found = self._ours(articles, key, text)
        return AlreadyPosted(found) if found else articles

    async def _post(
        self, ticket: Ticket, fields: dict[str, str], article: dict[str, Any], text: str, key: str
    ) -> Answer:
        """Post plain text, which needs no escaping and arrives as it was written."""
        article |= {"body": text, "content_type": "text/plain", "sender": "Agent"}
        body = {**fields, "article": {**article, "preferences": {KEY: key}}}
        try:
            answer = await self.rest.call("PUT", f"/tickets/{ticket.id}", body=body)
        except UnavailableError:
            # Zammad answers 500 to every mail of a group without an address, now and for ever.
            if article["type"] == "email" and not await self.rest.may_mail(str(ticket.id)):
                return Refused(NO_ADDRESS.format(group=ticket.group))
            raise
        if not answer.ok:
            return refusal(answer)
        articles = await self.rest.articles(str(ticket.id))
        if isinstance(articles, Gone | Refused):
            return articles
        if found := self._ours(articles, key, text):
            return Posted(found)
        raise UnavailableError("Zammad took the message and does not show it")


def _unmailable(articles: list[Article], customer: User) -> str | None:
    """Why a mail is no answer to the customer; None when it is one."""
    kinds = [one.type for one in articles if one.sender == "Customer" and not one.internal]
    if kinds and kinds[-1] not in ANSWERED_BY_MAIL:
        return f"The customer wrote by {kinds[-1]}, and the bot answers by mail only."
    if not customer.email:
        return "The ticket's customer has no e-mail address in Zammad."
    return None


def desk(opened: Opened) -> Zammad:
    """The desk of a connection."""
    return Zammad(Rest(opened))
