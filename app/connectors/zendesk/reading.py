"""A ticket of Zendesk in the words of the port: who wrote what, who asks, who has it."""

from collections.abc import Mapping, Sequence

from app.connectors.helpdesk import Author, DeskMessage, Requester, TicketView
from app.connectors.zendesk.history import History
from app.connectors.zendesk.settings import ZendeskSettings
from app.connectors.zendesk.shapes import Comment, Ticket, User

# Triggers, automations and Zendesk itself.
BY_RULE = ("rule", "system")
STATUSES = {"new": "open"}


def view_of(
    settings: ZendeskSettings,
    ticket: Ticket,
    users: Mapping[str, User],
    history: History,
    comments: Sequence[Comment],
) -> TicketView:
    """The view; `users` are those of the ticket and of its comments, by id."""
    messages = tuple(
        DeskMessage(
            id=comment.id,
            author=author_of(settings, ticket, history, comment),
            public=comment.public,
            text=comment.body or "",
            key=history.keys.get(comment.id),
        )
        for comment in comments
    )
    return TicketView(
        stamp=stamp_of(ticket, history),
        subject=ticket.subject or "",
        requester=_requester(settings, ticket, users, comments),
        messages=messages,
        status=STATUSES.get(ticket.status, ticket.status),
        assignee=None if ticket.assignee_id == settings.bot_id else ticket.assignee_id,
        closed=ticket.is_closed,
    )


def stamp_of(ticket: Ticket, history: History) -> str:
    """Changes with everything: `updated_at` has whole seconds, so the newest update joins it."""
    return f"{ticket.updated_at}/{history.last_id}"


def author_of(
    settings: ZendeskSettings, ticket: Ticket, history: History, comment: Comment
) -> Author:
    """Who wrote it.

    The bot's user without our key is a person who works with its account. An end user who is not
    the requester, such as one in copy, is no customer whose account is read: people look at it.
    """
    if comment.author_id.startswith("-") or comment.via.channel in BY_RULE:
        return "system"
    if comment.author_id == settings.bot_id:
        is_by_hand = comment.audit_id in history.ids and comment.id not in history.keys
        return "person" if is_by_hand else "bot"
    return "customer" if comment.author_id == ticket.requester_id else "person"


def _requester(
    settings: ZendeskSettings,
    ticket: Ticket,
    users: Mapping[str, User],
    comments: Sequence[Comment],
) -> Requester:
    """Verified when the tenant gave the user an external id, and each of their comments came by a
    channel that proves who wrote, with no doubt of Zendesk's."""
    user = users.get(ticket.requester_id)
    known = ((user and user.external_id) or "").strip()
    wrote = [comment for comment in comments if comment.author_id == ticket.requester_id]
    proved = bool(wrote) and all(
        comment.via.channel in settings.proven_channels and comment.metadata.trusted is not False
        for comment in wrote
    )
    return Requester(
        id=ticket.requester_id,
        external_id=known or None,
        name=user.name if user else None,
        verified=bool(known) and proved,
    )
