"""A stand-in for Zammad: the part of its REST interface that we call, and its two webhooks.

What it does is what Zammad's source does (docs/connect/zammad.md names the files): fields and
article are one call, a customer's token makes every note public, a mail from a group without an
address is 500, pending states want a date, names that are not there are 422. A client that others
wrote works on it (tests/conformance/test_foreign_clients.py).
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request, Response

from tests.doubles.desk_shell import HookTarget, RefusedCallError
from tests.doubles.zammad_state import (
    PRIORITIES,
    SENDERS,
    STATES,
    TYPES,
    JsonObject,
    NoAddressError,
    UnprocessableError,
    ZammadArticle,
    ZammadState,
    ZammadTicket,
    ZammadUser,
)
from tests.tls import TLS

BASE = "/api/v1"
ATTEMPTS = 5


class ZammadDouble(ZammadState):
    """The state over HTTP; with a `target` it sends the webhooks of docs/connect/zammad.md."""

    def __init__(self) -> None:
        super().__init__()
        self.target: HookTarget | None = None
        # Gets each webhook.
        self.emit: Callable[[JsonObject], None] = self._fire
        self.answers: list[int] = []
        self.app = FastAPI()
        methods = ["GET", "POST", "PUT", "DELETE"]
        self.app.add_api_route(f"{BASE}/{{path:path}}", self._rest, methods=methods)

    async def _rest(self, request: Request, path: str) -> Response:
        user = self._user(request.headers.get("authorization", ""))
        if user is None:
            return failed(401, "Invalid token!")
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return failed(400, "Invalid JSON")
        for method, pattern, answer in self._routes():
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                return self._answered(answer, request, user, body, found.groups())
        return failed(404, "No route matches")

    def _answered(
        self, answer: Callable[..., Response], request: Request, user: ZammadUser, body: Any,
        parts: tuple[str, ...],
    ) -> Response:  # fmt: skip
        try:
            return answer(request, user, body, *parts)
        except RefusedCallError as error:
            return failed(error.status, str(error))
        except UnprocessableError as error:
            return failed(422, str(error))
        except NoAddressError:
            return failed(500, "Error ID Wq2Zyp3r: Please contact your administrator.")

    def _routes(self) -> list[tuple[str, str, Callable[..., Response]]]:
        return [
            ("GET", r"users/me", lambda _r, user, _b: said(self.show_user(user))),
            ("GET", r"users/search", self._search_users),
            ("GET", r"users/(\d+)", self._get_user),
            ("GET", r"ticket_states", lambda *_: said(named(STATES))),
            ("GET", r"ticket_priorities", lambda *_: said(named(PRIORITIES))),
            ("GET", r"groups", self._groups),
            ("GET", r"tickets/search", self._search_tickets),
            ("POST", r"tickets", self._create),
            ("GET", r"tickets/(\d+)", self._show),
            ("PUT", r"tickets/(\d+)", self._update),
            ("DELETE", r"tickets/(\d+)", self._destroy),
            ("PUT", r"ticket_merge/(\d+)/(\d+)", self._merge),
            ("GET", r"ticket_articles/by_ticket/(\d+)", self._articles),
            ("GET", r"ticket_articles/(\d+)", self._article),
            ("POST", r"ticket_articles", self._add_article),
            ("GET", r"tags", self._tags),
            ("POST", r"tags/add", lambda *asked: self._tag(*asked, add=True)),
            ("DELETE", r"tags/remove", lambda *asked: self._tag(*asked, add=False)),
        ]

    def _user(self, authorization: str) -> ZammadUser | None:
        known = {f"Token token={one.token}": one for one in self.users.values() if one.role}
        return known.get(authorization)

    def _ticket(self, user: ZammadUser, id_: str | int) -> ZammadTicket:
        ticket = self.tickets.get(int(id_))
        if ticket is None:
            raise RefusedCallError(404, f"Couldn't find Ticket with 'id'={id_}")
        own = ticket.customer_id == user.id
        if user.login.startswith("clerk") or (user.role == "Customer" and not own):
            raise RefusedCallError(403, "Not authorized")
        return ticket

    def _create(self, request: Request, user: ZammadUser, body: JsonObject) -> Response:
        ticket = self.create(user, body)
        self.emit(self.article_hook(self.articles_of(ticket.id)[-1]))
        return said(self.show(ticket, names=expanded(request)), 201)

    def _show(self, request: Request, user: ZammadUser, _body: Any, id_: str) -> Response:
        ticket = self._ticket(user, id_)
        if request.query_params.get("all") == "true":
            mails = self.groups[ticket.group_id].email_address_id is not None
            types = [10, 5, *([1] if mails and user.role != "Customer" else [])]
            meta = {"filter": {"type_id": types}}
            return said({"ticket_id": ticket.id, "form_meta": meta, "tags": ticket.tags})
        return said(self.show(ticket, names=expanded(request)))

    def _update(self, request: Request, user: ZammadUser, body: JsonObject, id_: str) -> Response:
        ticket = self._ticket(user, id_)
        owner = ticket.owner_id
        article = self.update(user, ticket, body)
        if article:
            self.emit(self.article_hook(article))
        if ticket.owner_id != owner:
            self.emit(self.owner_hook(ticket))
        return said(self.show(ticket, names=expanded(request)))

    def _destroy(self, _request: Request, user: ZammadUser, _body: Any, id_: str) -> Response:
        ticket = self._ticket(user, id_)
        if user.role != "Admin":
            raise RefusedCallError(403, "admin permission required")
        del self.tickets[ticket.id]
        return Response(status_code=200)

    def _merge(
        self, _request: Request, user: ZammadUser, _body: Any, id_: str, number: str
    ) -> Response:
        target = next((one for one in self.tickets.values() if one.number == number), None)
        if target is None:
            return said({"result": "failed", "message": "The target ticket could not be found."})
        self.merge(self._ticket(user, id_), target)
        return said({"result": "success"})

    def _articles(self, _request: Request, user: ZammadUser, _body: Any, id_: str) -> Response:
        ticket = self._ticket(user, id_)
        shown = [one for one in self.articles_of(ticket.id)
                 if not (user.role == "Customer" and one.internal)]  # fmt: skip
        return said([self.show_article(one) for one in shown])

    def _article(self, _request: Request, user: ZammadUser, _body: Any, id_: str) -> Response:
        article = self.articles[int(id_)]
        self._ticket(user, article.ticket_id)
        return said(self.show_article(article))

    def _add_article(self, _request: Request, user: ZammadUser, body: JsonObject) -> Response:
        article = self.update(user, self._ticket(user, body.pop("ticket_id")), {"article": body})
        assert article is not None
        self.emit(self.article_hook(article))
        return said(self.show_article(article), 201)

    def _tags(self, request: Request, user: ZammadUser, _body: Any) -> Response:
        return said({"tags": self._ticket(user, request.query_params["o_id"]).tags})

    def _tag(self, _request: Request, user: ZammadUser, body: JsonObject, *, add: bool) -> Response:
        self.tag(self._ticket(user, body["o_id"]), body["item"], add=add)
        return said(data=True, status=201 if add else 200)

    def _search_users(self, request: Request, user: ZammadUser, _body: Any) -> Response:
        if user.role == "Customer":
            raise RefusedCallError(403, "Not authorized")
        found = [one for one in self.users.values() if one.role]
        return said(
            [self.show_user(one) for one in found][: int(request.query_params.get("limit", 50))]
        )

    def _get_user(self, _request: Request, user: ZammadUser, _body: Any, id_: str) -> Response:
        if int(id_) not in self.users:
            raise RefusedCallError(404, f"Couldn't find User with 'id'={id_}")
        if user.role == "Customer" and int(id_) != user.id:
            raise RefusedCallError(403, "Not authorized")
        return said(self.show_user(self.users[int(id_)]))

    def _groups(self, _request: Request, user: ZammadUser, _body: Any) -> Response:
        if user.role != "Admin":
            raise RefusedCallError(403, "Not authorized")
        groups = self.groups.values()
        return said([{"id": g.id, "name": g.name, "email_address_id": g.email_address_id}
                     for g in groups])  # fmt: skip

    def _search_tickets(self, request: Request, user: ZammadUser, _body: Any) -> Response:
        query = request.query_params["query"]
        found = [one for one in self.tickets.values() if query in ("*", one.title)]
        if user.login.startswith("clerk"):
            found = []
        return said([self.show(one, names=True) for one in found[::-1]])

    # What Zammad shows.

    def show(self, ticket: ZammadTicket, *, names: bool) -> JsonObject:
        """A ticket, with the names of what it points to when that was asked for."""
        ids = [one.id for one in self.articles_of(ticket.id)]
        shown: JsonObject = {
            "id": ticket.id, "number": ticket.number, "title": ticket.title, "note": None,
            "group_id": ticket.group_id, "state_id": ticket.state_id,
            "priority_id": ticket.priority_id, "owner_id": ticket.owner_id,
            "customer_id": ticket.customer_id, "organization_id": None, "escalation_at": None,
            "article_count": len(ids), "article_ids": ids, "pending_time": ticket.pending_time,
            "created_at": ticket.created_at, "updated_at": ticket.updated_at, "preferences": {},
        }  # fmt: skip
        if names:
            shown |= {
                "group": self.groups[ticket.group_id].name, "state": STATES[ticket.state_id],
                "priority": PRIORITIES[ticket.priority_id],
                "owner": self.users[ticket.owner_id].login,
                "customer": self.users[ticket.customer_id].login,
            }  # fmt: skip
        return shown

    def show_article(self, article: ZammadArticle) -> JsonObject:
        """An article, with names, as every answer of Zammad has them."""
        origin = article.origin_by_id
        return {
            "id": article.id, "ticket_id": article.ticket_id, "type": article.type,
            "type_id": next(id_ for id_, name in TYPES.items() if name == article.type),
            "sender": article.sender,
            "sender_id": next(id_ for id_, name in SENDERS.items() if name == article.sender),
            "internal": article.internal, "body": article.body, "cc": None, "to": article.to,
            "content_type": article.content_type, "subject": article.subject,
            "message_id": f"<{article.id}@desk.test>" if article.type == "email" else None,
            "in_reply_to": article.in_reply_to, "preferences": article.preferences,
            "created_by_id": article.created_by_id,
            "created_by": self.users[article.created_by_id].login, "origin_by_id": origin,
            "origin_by": self.users[origin].login if origin else None,
            "created_at": article.created_at, "attachments": [],
        }  # fmt: skip

    def show_user(self, user: ZammadUser) -> JsonObject:
        """A user."""
        first, _, last = user.login.partition("@")
        return {
            "id": user.id, "login": user.login, "email": user.login if "@" in user.login else "",
            "firstname": first, "lastname": last, "roles": [user.role], "organization_id": None,
            "note": None, "customer_number": None, **user.extra,
        }  # fmt: skip

    # Webhooks.

    def article_hook(self, article: ZammadArticle) -> JsonObject:
        """The default payload: objects where an answer of the interface has names."""
        ticket = self.tickets[article.ticket_id]
        return {
            "ticket": {
                **self.show(ticket, names=False), "state": STATES[ticket.state_id],
                "owner": self.show_user(self.users[ticket.owner_id]),
                "customer": self.show_user(self.users[ticket.customer_id]),
                "group": {"id": ticket.group_id, "name": self.groups[ticket.group_id].name},
            },
            "article": {
                **self.show_article(article), "accounted_time": 0,
                "created_by": self.show_user(self.users[article.created_by_id]),
            },
        }  # fmt: skip

    def owner_hook(self, ticket: ZammadTicket) -> JsonObject:
        """The custom payload of docs/connect/zammad.md."""
        return {
            "deskgraph": "owner", "ticket": str(ticket.id), "at": ticket.updated_at,
            "owner": self.users[ticket.owner_id].login, "tags": ", ".join(ticket.tags),
        }  # fmt: skip

    def _fire(self, document: JsonObject) -> None:
        if self.target is not None:
            sending = threading.Thread(target=self.post, args=(self.target, document), daemon=True)
            sending.start()

    def post(self, target: HookTarget, document: JsonObject) -> int:
        """Send a webhook, up to five times until it is taken; the last status."""
        body = json.dumps(document).encode()
        signature = hmac.new(target.secret.encode(), body, hashlib.sha1).hexdigest()
        headers = {
            "X-Hub-Signature": f"sha1={signature}", "X-Zammad-Delivery": str(uuid4()),
            "X-Zammad-Trigger": "deskgraph", "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zammad User Agent",
        }  # fmt: skip
        status = 0
        for attempt in range(ATTEMPTS):
            # Zammad waits ten seconds longer each time.
            time.sleep(attempt / 10)
            status = httpx.post(target.url, content=body, headers=headers, verify=TLS).status_code
            self.answers.append(status)
            if status < 400:
                break
        return status


def expanded(request: Request) -> bool:
    """Whether names were asked for."""
    return request.query_params.get("expand") == "true"


def named(names: dict[int, str]) -> list[JsonObject]:
    """A list of states or priorities."""
    return [{"id": id_, "name": name, "active": True, "note": None} for id_, name in names.items()]


def said(data: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(data), status, media_type="application/json; charset=utf-8")


def failed(status: int, words: str) -> Response:
    """An error as handles_errors.rb words it."""
    return said({"error": words, "error_human": words}, status)
