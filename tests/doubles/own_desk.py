"""A helpdesk of the tenant's own, as docs/connect/webhook.md describes one: signed JSON, both ways.

Faults are asked for by name; each is spent by one call.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from standardwebhooks import Webhook, WebhookVerificationError

from tests.tls import TLS

PATIENCE_SECONDS = 60
# Each look is a call: to look more often takes the time that is waited for.
LOOK_SECONDS = 0.05
GROUPS = ("Support", "Finance", "Second line")


@dataclass(slots=True)
class Ticket:
    """One ticket; `version` counts everything that was done to it."""

    subject: str
    requester: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    fields: dict[str, Any] = field(default_factory=dict)
    assignee: str | None = None
    closed: bool = False
    version: int = 1

    @property
    def last_speaker(self) -> str:
        """Who wrote the last public message."""
        return str(next(m["author"] for m in reversed(self.messages) if m["public"]))


class OwnDesk:
    """The desk's tickets, its side of the calls, and its hooks."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.secret = ""
        self.hooks = ""
        # Names of faults that the next calls meet: lose, later, refuse, garbage, and hold, which
        # does what is asked, sets `held`, and answers once `released` is set.
        self.faults: list[str] = []
        # The same for calls that read.
        self.read_faults: list[str] = []
        self.calls: list[str] = []
        self.unsigned = 0
        # Keys of replies that it took although a person had the ticket, or had spoken last.
        self.over_person: list[str] = []
        self.held, self.released = threading.Event(), threading.Event()
        # Customers and people write from another thread than the server's.
        self._lock = threading.RLock()

    @property
    def app(self) -> FastAPI:
        """What a server serves."""
        app = FastAPI()
        app.add_api_route("/deskgraph", self._take, methods=["POST"])
        return app

    def connect(self, hooks: str, secret: str) -> None:
        """Where its hooks go, and what both sides sign with."""
        self.hooks, self.secret = hooks, secret

    def public(self, ticket_id: str) -> list[str]:
        """What the customer sees of us and of people."""
        said = self.tickets[ticket_id].messages
        return [m["text"] for m in said if m["public"] and m["author"] in ("bot", "person")]

    def notes(self, ticket_id: str) -> list[str]:
        """What only people see."""
        return [m["text"] for m in self.tickets[ticket_id].messages if not m["public"]]

    def open(self, ticket_id: str, text: str, *, hook: bool = True, **requester: Any) -> None:
        """A customer writes a new ticket."""
        who = {"id": f"person-{ticket_id}", "name": "Ann", **requester}
        self.tickets[ticket_id] = Ticket("Help", who)
        self.write(ticket_id, "customer", text, hook=hook)

    def write(
        self,
        ticket_id: str,
        author: str,
        text: str,
        *,
        public: bool = True,
        key: str | None = None,
        hook: bool = True,
    ) -> dict[str, Any]:
        """A person writes, and the hook says so."""
        message = {
            "id": f"m{uuid4().hex[:8]}",
            "author": author,
            "public": public,
            "text": text,
            "key": key,
            "by": "Emma" if author == "person" else None,
        }
        with self._lock:
            ticket = self.tickets[ticket_id]
            ticket.messages.append(message)
            ticket.version += 1
        if hook:
            self.post("message.created", {"ticket": {"id": ticket_id}, "message": message})
        return message

    def take(self, ticket_id: str, who: str | None) -> None:
        """A person takes the ticket, or gives it back, and the hook says so."""
        self.assign(ticket_id, who)
        by = {"id": who or "", "name": who}
        kind = "ticket.taken" if who else "ticket.handed_back"
        self.post(kind, {"ticket": {"id": ticket_id}} | ({"by": by} if who else {}))

    def assign(self, ticket_id: str, who: str | None) -> None:
        """The ticket is that person's, or the bot's."""
        with self._lock:
            self.tickets[ticket_id].assignee = who
            self.tickets[ticket_id].version += 1

    def post(
        self,
        kind: str,
        data: dict[str, Any],
        delivery: str | None = None,
        at: datetime | None = None,
    ) -> httpx.Response:
        """Send a hook about what happened `at`, or just now, signed as Standard Webhooks."""
        said = {"type": kind, "timestamp": (at or datetime.now(UTC)).isoformat(), "data": data}
        body = httpx.Request("POST", "http://x", json=said).content
        return httpx.post(self.hooks, content=body, headers=self.signed(body, delivery), verify=TLS)

    def signed(self, body: bytes, delivery: str | None = None) -> dict[str, str]:
        """The headers of a hook."""
        name, now = delivery or f"d{uuid4().hex}", datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(name, now, body.decode()),
        }

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        try:
            call = Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.unsigned += 1
            return JSONResponse({}, 401)
        with self._lock:
            self.calls.append(call["type"])
            writes = call["type"] != "ticket.read"
            faults = self.faults if writes else self.read_faults
            fault = faults.pop(0) if faults else None
            match fault:
                case "later":
                    return JSONResponse({}, 429, headers={"Retry-After": "1"})
                case "refuse":
                    return JSONResponse({}, 403)
            answer = self._answer(call["type"], call["data"])
        match fault:
            # It was done; the answer says nothing of it.
            case "lose":
                return Response(status_code=502)
            case "garbage":
                return Response(b'{"id": [', 200, media_type="application/json")
            case "hold":
                self.held.set()
                await asyncio.to_thread(self.released.wait, PATIENCE_SECONDS)
        return answer

    def _answer(self, kind: str, data: dict[str, Any]) -> Response:
        if (ticket := self.tickets.get(data["ticket_id"])) is None:
            return JSONResponse({}, 404)
        if kind == "ticket.read":
            return JSONResponse(self._shown(ticket))
        for message in ticket.messages:
            if message["key"] == data["key"]:
                return JSONResponse({"id": message["id"], "already": True})
        if kind == "ticket.change":
            return self._change(ticket, data)
        return self._post(kind, data, ticket)

    def _post(self, kind: str, data: dict[str, Any], ticket: Ticket) -> Response:
        if ticket.closed and kind == "ticket.reply":
            return JSONResponse({"code": "closed"}, 422)
        if data.get("expected_version", str(ticket.version)) != str(ticket.version):
            return JSONResponse({"version": str(ticket.version)}, 409)
        public = kind == "ticket.reply"
        if public and (ticket.assignee or ticket.last_speaker == "person"):
            self.over_person.append(data["key"])
        message = self.write(
            data["ticket_id"], "bot", data["text"], public=public, key=data["key"], hook=False
        )
        return JSONResponse({"id": message["id"], "version": str(ticket.version)})

    def _change(self, ticket: Ticket, data: dict[str, Any]) -> Response:
        if data["group"] is not None and data["group"] not in GROUPS:
            return JSONResponse({"code": "no-such-group"}, 422)
        ticket.tags = (ticket.tags | set(data["tags_add"])) - set(data["tags_remove"])
        if data["assignee"] is not None:
            ticket.assignee = data["assignee"]
        names = ("status", "priority", "group")
        ticket.fields |= {name: data[name] for name in names if data[name] is not None}
        ticket.version += 1
        return JSONResponse({"id": "", "version": str(ticket.version)})

    def _shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "version": str(ticket.version),
            "subject": ticket.subject,
            "status": ticket.fields.get("status", "open"),
            "closed": ticket.closed,
            "assignee": ticket.assignee,
            "requester": ticket.requester,
            "messages": ticket.messages,
        }


def until(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """What the condition answers, once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(LOOK_SECONDS)
    return found
