"""What a user of zenpy does with a Zendesk, run by an environment that has zenpy alone.

It says what it saw; the test beside it compares that with the double.
"""

from zenpy import Zenpy  # type: ignore[import-not-found]  # it is in another environment
from zenpy.lib.api_objects import (  # type: ignore[import-not-found]  # the same
    Comment,
    Ticket,
    User,
)
from zenpy.lib.exception import (  # type: ignore[import-not-found]  # the same
    APIException,
    RecordNotFoundException,
)


def main(token: str, requester: int, agent: int) -> dict[str, object]:
    """Read, create, answer, collide, tag, list and delete."""
    zenpy = Zenpy(subdomain="desk", oauth_token=token, disable_cache=True)
    seen: dict[str, object] = {"me": [zenpy.users.me().name, zenpy.users.me().role]}
    made = zenpy.tickets.create(
        Ticket(subject="Help", requester_id=requester, comment=Comment(body="It fails."))
    ).ticket
    seen["made"] = [made.subject, made.requester_id, made.status]

    answered = zenpy.tickets(id=made.id)
    answered.comment = Comment(html_body="<div>Try again.</div>", public=True)
    answered.status, answered.assignee_id = "pending", agent
    done = zenpy.tickets.update(answered)
    seen["audit"] = [type(done.audit).__name__, done.audit.author_id, done.ticket.status]
    seen["types"] = [event["type"] for event in done.audit.events]

    stale = zenpy.tickets(id=made.id)
    stale.safe_update, stale.updated_stamp = True, "2020-01-01T00:00:00Z"
    stale.priority = "high"
    try:
        zenpy.tickets.update(stale)
    except APIException as error:
        seen["collision"] = [error.response.status_code, error.response.json()["error"]]

    seen["tags"] = sorted(zenpy.tickets.add_tags(made.id, ["vip", "refund"]))
    comments = list(zenpy.tickets.comments(made.id))
    seen["comments"] = [[comment.body, comment.public] for comment in comments]
    seen["authors"] = [comment.author.name for comment in comments]
    seen["audits"] = [audit.author_id for audit in zenpy.tickets.audits(made.id)]
    seen["groups"] = [group.name for group in zenpy.groups()]
    # By pages, with a cursor.
    seen["tickets"] = len(list(zenpy.tickets()))
    seen["user"] = isinstance(zenpy.users(id=requester), User)
    zenpy.tickets.delete(zenpy.tickets(id=made.id))
    try:
        zenpy.tickets(id=made.id)
    except RecordNotFoundException as error:
        seen["deleted"] = error.response.status_code
    return seen
