"""An existing helpdesk beside deskgraph over its API: docs/connect/your_own.md explains each call.

Write the three methods of `Desk` for your helpdesk, and call `Bridge` where things happen there.
It needs fastapi, httpx and standardwebhooks, which deskgraph's own environment has.
"""

from typing import Any, Protocol
from urllib.parse import quote

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from standardwebhooks import Webhook, WebhookVerificationError

Data = dict[str, Any]
EVENTS = ["run.finished", "run.interrupted"]


class Desk(Protocol):
    """What the bridge does in your helpdesk; each may come twice and then does nothing."""

    def reply(self, ticket_id: str, run_id: str, text: str) -> None:
        """Post the bot's answer, once for its run, unless a person answered meanwhile."""

    def note(self, ticket_id: str, run_id: str, text: str) -> None:
        """Post a private note, once for its run and text."""

    def assign(self, ticket_id: str, run_id: str, skill: str) -> None:
        """Give the ticket to the people with that skill."""


class Bridge:
    """What your helpdesk says to deskgraph, and what is done with what deskgraph says."""

    def __init__(self, url: str, key: str, desk: Desk, secret: str | None = None) -> None:
        """`key` has the scopes runs:write, runs:read, approvals:decide and admin.

        `secret` is what `connect` answered; without it no event is taken.
        """
        headers = {"Authorization": f"Bearer {key}"}
        self.api = httpx.Client(base_url=url, headers=headers, timeout=40)
        self.desk = desk
        self.webhook = Webhook(secret) if secret else None

    def connect(self, own_url: str) -> str:
        """Once, at the first start: where events go. Keep the secret that it answers."""
        self._post("/v1/webhooks/endpoints", {"url": own_url, "events": EVENTS})
        secret: str = self._post("/v1/webhooks/secrets", {})["secret"]
        self.webhook = Webhook(secret)
        return secret

    # What happens in your helpdesk. Repeat a call that fails, as it is: each does its work once.

    def customer_wrote(self, ticket: Data, message_id: str) -> Data:
        """Start a run: `ticket` has id, subject, body and customer as POST /v1/runs takes them."""
        return self._post("/v1/runs", {"ticket": ticket}, message_id)

    def person_wrote(self, ticket_id: str, message_id: str, name: str, text: str) -> None:
        """A person answered the customer: the bot is silent from now on."""
        body = {"author_name": name, "text": text}
        self._post(f"{thread(ticket_id)}/messages", body, message_id)

    def person_took(self, ticket_id: str, name: str) -> None:
        """A person was assigned."""
        self._post(f"{thread(ticket_id)}/takeover", {"handled_by": name})

    def handed_back(self, ticket_id: str) -> None:
        """The bot answers the next message again."""
        self._post(f"{thread(ticket_id)}/handback")

    def closed(self, ticket_id: str) -> None:
        """The ticket is done: nothing of it goes on."""
        self._post(f"{thread(ticket_id)}/close")

    def erase(self, customer_id: str) -> Data:
        """The customer asks to be forgotten. Close their open tickets first."""
        return self._checked(self.api.delete(f"/v1/customers/{quote(customer_id, safe='')}"))

    # What deskgraph says.

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        """Act on one event. Raises WebhookVerificationError for one that deskgraph did not sign."""
        if self.webhook is None:
            raise WebhookVerificationError("connect first")
        event = self.webhook.verify(body, headers)
        if event["type"] not in EVENTS:
            return
        # The event is thin: what the link answers is true now.
        run = self._checked(self.api.get(event["data"]["links"]["run"]))
        if run["status"] == "interrupted":
            asked = "; ".join(step["risk"] for step in run["plan"])
            self.desk.note(run["ticket_id"], run["id"], f"Waits for a person's approval: {asked}")
        elif run["reply"] and run["reply"]["public"]:
            self.desk.reply(run["ticket_id"], run["id"], run["reply"]["text"])
        if handoff := run["handoff"]:
            suggestion = handoff.get("suggestion") or {}
            self.desk.note(run["ticket_id"], run["id"], suggestion.get("text") or "No suggestion.")
            self.desk.assign(run["ticket_id"], run["id"], handoff["skill"])

    def _post(self, path: str, body: Data | None = None, key: str | None = None) -> Data:
        headers = {"Idempotency-Key": key} if key else {}
        return self._checked(self.api.post(path, json=body, headers=headers))

    @staticmethod
    def _checked(answer: httpx.Response) -> Data:
        answer.raise_for_status()
        return dict(answer.json())


def thread(ticket_id: str) -> str:
    """The address of a ticket, whatever its id holds."""
    return f"/v1/threads/{quote(ticket_id, safe='')}"


def app_of(bridge: Bridge) -> FastAPI:
    """One address, which `connect` names. Anything but 2xx is sent again."""
    app = FastAPI()

    @app.post("/deskgraph")
    async def deskgraph(request: Request) -> Response:
        body = await request.body()
        try:
            await run_in_threadpool(bridge.take, body, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return Response(status_code=401)
        return Response(status_code=204)

    return app
