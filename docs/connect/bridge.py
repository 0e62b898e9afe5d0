"""A helpdesk of your own beside deskgraph, in one file: docs/connect/webhook.md explains each call.

Tickets are in memory, which is enough to try it; put your own tables behind `Desk`. It needs
fastapi, httpx, standardwebhooks and uvicorn, which deskgraph's own environment has:

    .venv/bin/python docs/connect/bridge.py HOOK_URL HOOK_SECRET
"""

import sys
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from standardwebhooks import Webhook, WebhookVerificationError

Data = dict[str, Any]
PORT = 9400
GROUPS = ("Support", "Finance")
# What `ticket.read` answers beside the version.
SHOWN = ("subject", "status", "closed", "assignee", "requester", "messages")


class Desk:
    """The tickets, what deskgraph may do with them, and what it is sent."""

    def __init__(self, hook_url: str, secret: str) -> None:
        self.hook_url, self.webhook = hook_url, Webhook(secret)
        self.tickets: dict[str, Data] = {}
        # To compare and post is one step; with tables of your own it is a transaction.
        self.lock = threading.Lock()

    # What happens here, and the hook that says so.

    def open(self, ticket_id: str, subject: str, requester: Data, text: str) -> None:
        """A customer writes a new ticket."""
        self.tickets[ticket_id] = {
            "version": 0, "subject": subject, "status": "open", "closed": False, "assignee": None,
            "requester": requester, "messages": [], "tags": [], "done": {},
        }  # fmt: skip
        self.say(ticket_id, "customer", text)

    def say(self, ticket_id: str, author: str, text: str, *, public: bool = True) -> None:
        """A `customer` or a `person` writes."""
        with self.lock:
            message = self._add(self.tickets[ticket_id], author, text, public, None)
        self.hook("message.created", {"ticket": {"id": ticket_id}, "message": message})

    def assign(self, ticket_id: str, person: str | None) -> None:
        """A person takes the ticket; None hands it back to the bot."""
        with self.lock:
            self.tickets[ticket_id]["assignee"] = person
            self.tickets[ticket_id]["version"] += 1
        about: Data = {"ticket": {"id": ticket_id}}
        if person is None:
            self.hook("ticket.handed_back", about)
        else:
            self.hook("ticket.taken", about | {"by": {"id": person, "name": person}})

    def hook(self, kind: str, data: Data) -> None:
        """Sign and post it. Anything but 202: keep it, and send it again under the same id."""
        name, now = f"hook_{uuid4().hex}", datetime.now(UTC)
        said = {"type": kind, "timestamp": now.isoformat(), "data": data}
        body = httpx.Request("POST", self.hook_url, json=said).content
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.webhook.sign(name, now, body.decode()),
        }
        httpx.post(self.hook_url, content=body, headers=headers, timeout=20).raise_for_status()

    # What deskgraph asks for.

    def answer(self, kind: str, data: Data) -> JSONResponse:
        """One call, done at most once for its key."""
        with self.lock:
            if (ticket := self.tickets.get(data["ticket_id"])) is None:
                return JSONResponse({"code": "no-such-ticket"}, 404)
            if kind == "ticket.read":
                shown = {name: ticket[name] for name in SHOWN}
                return JSONResponse(shown | {"version": str(ticket["version"])})
            if data["key"] in ticket["done"]:
                return JSONResponse({"id": ticket["done"][data["key"]], "already": True})
            refused = self._refused(kind, ticket, data)
            return refused or JSONResponse({"id": self._do(kind, ticket, data)})

    def _refused(self, kind: str, ticket: Data, data: Data) -> JSONResponse | None:
        if kind not in ("ticket.reply", "ticket.note", "ticket.change"):
            return JSONResponse({"code": "unknown-type"}, 422)
        if kind == "ticket.reply" and ticket["closed"]:
            return JSONResponse({"code": "closed"}, 422)
        if kind == "ticket.reply" and data["expected_version"] != str(ticket["version"]):
            return JSONResponse({"code": "changed"}, 409)
        if data.get("group") not in (None, *GROUPS):
            return JSONResponse({"code": "no-such-group"}, 422)
        return None

    def _do(self, kind: str, ticket: Data, data: Data) -> str:
        if kind == "ticket.change":
            for name in ("status", "priority", "group", "assignee"):
                ticket[name] = data[name] if data[name] is not None else ticket.get(name)
            tags = {*ticket["tags"], *data["tags_add"]} - set(data["tags_remove"])
            ticket["tags"] = sorted(tags)
            ticket["version"] += 1
            done = f"change_{ticket['version']}"
        else:
            public = kind == "ticket.reply"
            done = self._add(ticket, "bot", data["text"], public, data["key"])["id"]
        ticket["done"][data["key"]] = done
        return done

    @staticmethod
    def _add(ticket: Data, author: str, text: str, public: bool, key: str | None) -> Data:
        message = {
            "id": f"m_{uuid4().hex}", "author": author, "public": public, "text": text, "key": key,
        }  # fmt: skip
        ticket["messages"].append(message)
        ticket["version"] += 1
        return message


def app_of(desk: Desk) -> FastAPI:
    """`/deskgraph` is the setting `url`; the rest is there to try it by curl."""
    app = FastAPI()

    @app.post("/deskgraph")
    async def deskgraph(request: Request) -> JSONResponse:
        try:
            call = desk.webhook.verify(await request.body(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return JSONResponse({"code": "not-signed"}, 401)
        return desk.answer(call["type"], call["data"])

    @app.post("/try/{ticket_id}")
    def happens(ticket_id: str, what: Data) -> Data:
        """`text` and perhaps `subject`, `requester`, `author`; or `assignee`."""
        if "assignee" in what:
            desk.assign(ticket_id, what["assignee"])
        elif ticket_id in desk.tickets:
            desk.say(ticket_id, what.get("author", "customer"), what["text"])
        else:
            who = what.get("requester") or {"id": "ann", "name": "Ann"}
            desk.open(ticket_id, what.get("subject", ""), who, what["text"])
        return desk.tickets[ticket_id]

    @app.get("/try/{ticket_id}")
    def shown(ticket_id: str) -> Data:
        return desk.tickets.get(ticket_id, {})

    return app


if __name__ == "__main__":
    uvicorn.run(app_of(Desk(*sys.argv[1:3])), port=PORT)
