"""A stand-in for Zendesk: OAuth, the part of the Ticketing API that we call, and webhooks.

Its rules are those of Zendesk's documentation and of the reports of others about it; no one here
ran Zendesk itself, which docs/connect/zendesk.md says. A client that others wrote, zenpy, takes its
answers for Zendesk's (tests/real_world/test_zenpy.py).
"""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Response

from tests.doubles.zendesk_hooks import ZdWebhook, post_hook
from tests.doubles.zendesk_records import ZdAudit, ZdComment, ZdTicket
from tests.doubles.zendesk_state import (
    BOT,
    JsonObject,
    RefusedUpdateError,
    ZendeskState,
    stamp,
)

CLIENT, CLIENT_SECRET = "deskgraph", "af3t24tfj34h43s0123456789"
MIN_SECONDS, MAX_SECONDS = 300, 172_800
MIN_REFRESH_SECONDS, MAX_REFRESH_SECONDS = 604_800, 7_776_000


@dataclass(slots=True)
class ZdToken:
    """An access token, and the refresh token that ends it."""

    user: int
    scopes: frozenset[str]
    ends: datetime
    refresh: str | None = None


class ZendeskDouble(ZendeskState):
    """The state over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.client_secret = CLIENT_SECRET
        self.tokens: dict[str, ZdToken] = {}
        # Refresh tokens that are alive, and whose they are.
        self.refreshable: dict[str, int] = {}
        self.grants: list[str] = []
        self.webhooks: list[ZdWebhook] = []
        # Newest first is what is asked for; a list may come as it likes.
        self.ignores_sort = False
        self.says_expiry = True
        # What happens just before the next call whose method and path begin so.
        self.meanwhile: tuple[str, Callable[[], object]] | None = None
        self.app = FastAPI()
        self.app.add_api_route("/oauth/tokens", self._oauth, methods=["POST"])
        methods = ["GET", "POST", "PUT", "DELETE"]
        self.app.add_api_route("/api/v2/{path:path}", self._api, methods=methods)

    def authorize(self, user: int = BOT) -> str:
        """What the authorization code flow ends with: the first refresh token."""
        refresh = secrets.token_hex(16)
        self.refreshable[refresh] = user
        return refresh

    def grant(self, user: int, scope: str = "read write", seconds: int = 7200) -> str:
        """An access token of that user."""
        access = secrets.token_hex(20)
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        self.tokens[access] = ZdToken(user, frozenset(scope.split()), ends)
        return access

    def end_tokens(self) -> None:
        """Every access token is over."""
        self.tokens.clear()

    def deliver(self, order: Callable[[list[JsonObject]], Sequence[JsonObject]] = list) -> None:
        """Post what happened to the webhooks that are subscribed to it; each must be taken."""
        events, self.events = self.events, []
        for event in order(events):
            for hook in self.webhooks:
                if hook.status == "active" and event["type"] in hook.subscriptions:
                    post_hook(hook.endpoint, event).raise_for_status()

    async def _oauth(self, request: Request) -> Response:
        asked = await request.json()
        if asked.get("client_id") != CLIENT or asked.get("client_secret") != self.client_secret:
            return said({"error": "invalid_client", "error_description": "Unknown client"}, 401)
        seconds = asked.get("expires_in", 1800)
        if not MIN_SECONDS < seconds < MAX_SECONDS:
            return said({"error": "invalid_request", "error_description": "expires_in"}, 400)
        lives = asked.get("refresh_token_expires_in", MAX_REFRESH_SECONDS)
        if not MIN_REFRESH_SECONDS <= lives <= MAX_REFRESH_SECONDS:
            return said({"error": "invalid_request", "error_description": "refresh"}, 400)
        kind, scope = asked.get("grant_type"), asked.get("scope", "read write")
        self.grants.append(kind)
        more: JsonObject = {"expires_in": seconds} if "expires_in" in asked else {}
        if kind == "client_credentials":
            access = self.grant(BOT, scope, seconds)
        elif kind == "refresh_token" and asked.get("refresh_token") in self.refreshable:
            old = asked["refresh_token"]
            # The pair before it is over.
            user = self.refreshable.pop(old)
            self.tokens = {a: t for a, t in self.tokens.items() if t.refresh != old}
            access, refresh = self.grant(user, scope, seconds), self.authorize(user)
            self.tokens[access].refresh = refresh
            more["refresh_token"] = refresh
            if "refresh_token_expires_in" in asked:
                more["refresh_token_expires_in"] = lives
        else:
            return said({"error": "invalid_grant", "error_description": "Grant is dead"}, 400)
        if not self.says_expiry:
            more = {name: said for name, said in more.items() if not name.endswith("expires_in")}
        return said({"access_token": access, "token_type": "bearer", "scope": scope, **more})

    async def _api(self, request: Request, path: str) -> Response:
        token = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None or token.ends < datetime.now(UTC):
            error = {"error": "invalid_token", "error_description": "The access token is expired"}
            return said(error, 401)
        resource = path.split("/", 1)[0].removesuffix(".json")
        access = "read" if request.method == "GET" else "write"
        if not {access, f"{resource}:{access}"} & token.scopes:
            error = {"error": "Forbidden", "description": f"Missing scope {resource}:{access}"}
            return said(error, 403)
        raw = await request.body()
        if self.meanwhile and f"{request.method} {path}".startswith(self.meanwhile[0]):
            (_, happens), self.meanwhile = self.meanwhile, None
            happens()
        try:
            body = json.loads(raw) if raw else {}
            for pattern, answer in self._routes():
                if found := re.fullmatch(rf"{pattern}(?:\.json)?", path):
                    return answer(request, token.user, body, *map(int, found.groups()))
        except RefusedUpdateError as refused:
            return said(refused.body, refused.status, refused.headers)
        except ValueError:
            return said({"error": "Unprocessable", "message": "malformed JSON"}, 422)
        return said({"error": "InvalidEndpoint", "description": "Not found"}, 404)

    def _routes(self) -> list[tuple[str, Callable[..., Response]]]:
        return [
            (r"users/me", self._me),
            (r"users/(\d+)", self._show_user),
            (r"groups", self._groups),
            (r"search", self._search),
            (r"webhooks", self._webhooks),
            (r"tickets", self._tickets),
            (r"tickets/(\d+)", self._ticket),
            (r"tickets/(\d+)/comments", self._comments),
            (r"tickets/(\d+)/audits", self._audits),
            (r"tickets/(\d+)/tags", self._tag_call),
        ]

    def _me(self, _request: Request, user: int, _body: Any) -> Response:
        return said({"user": self._user(user)})

    def _show_user(self, _request: Request, _user: int, _body: Any, id_: int) -> Response:
        if id_ not in self.users:
            raise RefusedUpdateError(404, "RecordNotFound", "Not found")
        return said({"user": self._user(id_)})

    def _user(self, id_: int) -> JsonObject:
        user = self.users[id_]
        return {
            "id": id_,
            "name": user.name,
            "email": f"{user.name.lower()}@example.test",
            "role": user.role,
            "external_id": user.external_id,
            "verified": True,
            "suspended": user.suspended,
            "active": True,
            "created_at": stamp(self._began),
            "updated_at": stamp(self._began),
        }

    def _groups(self, request: Request, _user: int, _body: Any) -> Response:
        groups = [{"id": id_, "name": name} for id_, name in self.groups.items()]
        return self._listed(request, "groups", groups)

    def _search(self, request: Request, _user: int, _body: Any) -> Response:
        found = re.fullmatch(r"type:ticket commenter:(\d+)", request.query_params["query"])
        who = int(found[1]) if found else 0
        results = [
            {**self._show(ticket), "result_type": "ticket"}
            for ticket in self.tickets.values()
            if any(comment.author_id == who for comment in ticket.comments)
        ]
        return said({"results": results[::-1], "count": len(results), "next_page": None})

    def _webhooks(self, request: Request, user: int, _body: Any) -> Response:
        if self.users[user].role != "admin":
            raise RefusedUpdateError(403, "Forbidden", "You do not have access to this page")
        hooks = [
            {"id": str(at), "name": "deskgraph", "endpoint": hook.endpoint, "status": hook.status,
             "http_method": "POST", "request_format": "json", "subscriptions": hook.subscriptions}
            for at, hook in enumerate(self.webhooks)
        ]  # fmt: skip
        return self._listed(request, "webhooks", hooks)

    def _tickets(self, request: Request, user: int, body: Any) -> Response:
        if request.method == "POST":
            return self._create(request, user, body["ticket"])
        found = [t for t in self.tickets.values() if t.id not in self.deleted]
        if external := request.query_params.get("external_id"):
            found = [ticket for ticket in found if ticket.external_id == external]
        newest = sorted(found, key=lambda ticket: ticket.updated_at)
        return self._listed(request, "tickets", [self._show(ticket) for ticket in newest])

    def _create(self, request: Request, user: int, given: JsonObject) -> Response:
        key = request.headers.get("idempotency-key")
        if key and key in self.created:
            before, ticket_id = self.created[key]
            if before != given:
                raise RefusedUpdateError(400, "IdempotentRequestError", "Another request's key")
            shown = {"ticket": self._show(self.tickets[ticket_id])}
            return said(shown, 201, {"x-idempotency-lookup": "hit"})
        ticket = self.create(user, given)
        if key:
            self.created[key] = (given, ticket.id)
        shown = {"ticket": self._show(ticket), "audit": self._audit(ticket, ticket.audits[-1])}
        return said(shown, 201, {"x-idempotency-lookup": "miss"})

    def _ticket(self, request: Request, user: int, body: Any, id_: int) -> Response:
        ticket = self.ticket(id_)
        if request.method == "DELETE":
            self.deleted.add(id_)
            return Response(status_code=204)
        if request.method == "PUT":
            audit = self.update(user, id_, body["ticket"])
            shown = audit and self._audit(ticket, audit)
            headers = {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "690"}
            return said({"ticket": self._show(ticket), "audit": shown}, 200, headers)
        more: JsonObject = {}
        if request.query_params.get("include") == "users":
            ids = {ticket.requester_id, ticket.assignee_id} & set(self.users)
            more["users"] = [self._user(one) for one in sorted(filter(None, ids))]
        return said({"ticket": self._show(ticket), **more})

    def _tag_call(self, _request: Request, user: int, body: Any, id_: int) -> Response:
        """A call of its own, so no `safe_update` of a ticket covers it."""
        self.update(user, id_, {"additional_tags": body["tags"]})
        return said({"tags": self.ticket(id_).tags})

    def _show(self, ticket: ZdTicket) -> JsonObject:
        return {
            "id": ticket.id,
            "url": f"https://desk.zendesk.test/api/v2/tickets/{ticket.id}.json",
            "subject": ticket.subject,
            "raw_subject": ticket.subject,
            "description": ticket.comments[0].body if ticket.comments else "",
            "status": ticket.status,
            "priority": ticket.priority,
            "requester_id": ticket.requester_id,
            "submitter_id": ticket.requester_id,
            "assignee_id": ticket.assignee_id,
            "group_id": ticket.group_id,
            "external_id": ticket.external_id,
            "tags": sorted(ticket.tags),
            "created_at": stamp(self._began),
            "updated_at": stamp(ticket.updated_at),
            "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}},
        }

    def _comments(self, request: Request, _user: int, _body: Any, id_: int) -> Response:
        ticket = self.ticket(id_)
        authors = sorted({one.author_id for one in ticket.comments} & set(self.users))
        users = {"users": [self._user(one) for one in authors]}
        more = users if request.query_params.get("include") == "users" else {}
        return self._listed(request, "comments", [_comment(c) for c in ticket.comments], more)

    def _audits(self, request: Request, _user: int, _body: Any, id_: int) -> Response:
        ticket = self.ticket(id_)
        return self._listed(request, "audits", [self._audit(ticket, a) for a in ticket.audits])

    def _audit(self, ticket: ZdTicket, audit: ZdAudit) -> JsonObject:
        return {
            "id": audit.id,
            "ticket_id": ticket.id,
            "author_id": audit.author_id,
            "created_at": stamp(audit.created_at),
            "metadata": {"system": {"client": "deskgraph"}, "custom": audit.custom},
            "events": audit.events,
            "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}},
        }

    def _listed(
        self, request: Request, name: str, items: list[JsonObject], more: JsonObject | None = None
    ) -> Response:
        """A page by cursor, in the order that was asked for; without a size, all of the list."""
        asked = request.query_params
        descending = asked.get("sort", "").startswith("-") and not self.ignores_sort
        ordered = items[::-1] if descending else items
        if "page[size]" not in asked:
            return said({name: ordered, "count": len(items), "next_page": None, **(more or {})})
        first, size = int(asked.get("page[after]", 0)), min(int(asked["page[size]"]), 100)
        has_more = first + size < len(ordered)
        after = str(first + size) if has_more else None
        next_page = request.url.include_query_params(**{"page[after]": after or ""})
        return said(
            {
                name: ordered[first : first + size],
                "meta": {"has_more": has_more, "after_cursor": after, "before_cursor": None},
                "links": {"next": str(next_page) if has_more else None, "prev": None},
                **(more or {}),
            }
        )


def _comment(comment: ZdComment) -> JsonObject:
    flags = {} if comment.trusted else {"flags": [2], "trusted": False}
    return {
        "id": comment.id,
        "type": "Comment",
        "author_id": comment.author_id,
        "body": comment.body,
        "html_body": f'<div class="zd-comment" dir="auto">{comment.html_body}</div>',
        "plain_body": comment.body,
        "public": comment.public,
        "attachments": [],
        "audit_id": comment.audit_id,
        "via": {"channel": comment.channel, "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": comment.created_at,
        "metadata": {"system": {}, "custom": {}, **flags},
    }


def said(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(document), status, headers, "application/json; charset=utf-8")
