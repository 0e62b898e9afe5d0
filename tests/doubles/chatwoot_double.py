"""A stand-in for Chatwoot: the part of its application interface that we call, and a bot's hooks.

What it does is what Chatwoot's source does (docs/connect/chatwoot.md names the files): a bot's
token may not list messages, labels replace all and unknown ones are dropped, outgoing text is run
as Liquid, an assigned person opens a conversation, the bot's assignment makes it pending, and a
hook that is not taken opens the conversation. A client that others wrote works on it
(tests/conformance/test_foreign_clients.py).
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

from tests.doubles.chatwoot_state import (
    ACCOUNT,
    BOT,
    INBOX,
    KINDS,
    ROOT,
    ChatwootConversation,
    ChatwootMessage,
    ChatwootState,
    JsonObject,
    Speaker,
    UnprocessableError,
    person,
)
from tests.doubles.desk_shell import HookTarget, RefusedCallError
from tests.tls import TLS

ATTEMPTS, HOOK_SECONDS = 3, 5
# access_token_auth_helper.rb, since June 2026.
OF_BOTS = ("post_message", "show", "labels", "toggle_status", "toggle_priority", "assign")
CONVERSATION = r"conversations/(\d+)"


class ChatwootDouble(ChatwootState):
    """The state over HTTP; with a `target` it sends the bot's hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.target: HookTarget | None = None
        self.secret = "secret-of-the-bot"
        self.answers: list[int] = []
        # Before June 2026 a bot might not change labels.
        self.old_bots = False
        # Chatwoot's limit of calls is said by a 429 without any header.
        self.limited = 0
        self.emit = self._fire
        self.app = FastAPI()
        methods = ["GET", "POST", "PATCH", "DELETE"]
        self.app.add_api_route("/api/v1/{path:path}", self._rest, methods=methods)

    async def _rest(self, request: Request, path: str) -> Response:
        if self.limited:
            self.limited -= 1
            return Response("Retry later\n", 429, media_type="text/plain")
        token = request.headers.get("api_access_token", "")
        by = next((one for one in (self.bot, *self.users.values()) if one.token == token), None)
        if by is None:
            return said({"error": "Invalid Access Token"}, 401)
        raw = await request.body()
        body = json.loads(raw) if raw else {}
        for method, pattern, name in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                return self._answered(name, request, by, body, found.groups())
        return said({"error": "Resource could not be found"}, 404)

    def _answered(
        self, name: str, request: Request, by: Speaker, body: Any, parts: tuple[str, ...]
    ) -> Response:
        hidden = name not in OF_BOTS or (self.old_bots and name in ("labels", "show"))
        if by.type == "agent_bot" and hidden:
            words = "Access to this endpoint is not authorized for bots"
            return said({"error": words}, 401)
        if parts and parts[0] != str(ACCOUNT):
            words = "You are not authorized to access this account"
            return said({"error": words}, 401)
        answer: Callable[..., Response] = getattr(self, f"_{name}")
        try:
            return answer(request, by, body, *parts[1:])
        except RefusedCallError as error:
            return said({"error": str(error)}, error.status)
        except UnprocessableError as error:
            return said({"error": str(error)}, 422)

    def _get(self, id_: str) -> ChatwootConversation:
        found = self.conversations.get(int(id_))
        if found is None:
            raise RefusedCallError(404, "Resource could not be found")
        return found

    def _profile(self, _request: Request, by: Speaker, _body: Any) -> Response:
        account = {"id": ACCOUNT, "name": "Acme", "role": "agent"}
        shown = {"id": by.id, "name": by.name, "email": by.email, "account_id": ACCOUNT,
                 "role": "agent", "accounts": [account]}  # fmt: skip
        return said(shown)

    def _list(self, request: Request, _by: Speaker, _body: Any) -> Response:
        status = request.query_params.get("status", "open")
        found = [one for one in self.conversations.values() if status in ("all", one.status)]
        payload = [self.show(one) for one in found]
        return said({"data": {"meta": {"all_count": len(payload)}, "payload": payload}})

    def _show(self, _request: Request, _by: Speaker, _body: Any, id_: str) -> Response:
        return said(self.show(self._get(id_)))

    def _destroy(self, _request: Request, by: Speaker, _body: Any, id_: str) -> Response:
        if by.id != ROOT:
            raise RefusedCallError(401, "You are not authorized to do this action")
        del self.conversations[self._get(id_).id]
        return Response(status_code=200)

    def _messages(self, request: Request, _by: Speaker, _body: Any, id_: str) -> Response:
        """As message_finder.rb finds them."""
        found, asked = self.of(self._get(id_).id), request.query_params
        if "after" in asked:
            found = [one for one in found if one.id > int(asked["after"])][:100]
        elif "before" in asked:
            found = [one for one in found if one.id < int(asked["before"])][-20:]
        else:
            found = found[-20:]
        return said({"meta": {"labels": []}, "payload": [self.show_message(one) for one in found]})

    def _post_message(self, _request: Request, by: Speaker, body: JsonObject, id_: str) -> Response:
        kind = body.get("message_type", "outgoing")
        sender = by if kind == "outgoing" else self.contact
        private, attributes = bool(body.get("private")), body.get("content_attributes")
        made = self.add(
            self._get(id_), sender, body["content"], kind=kind, private=private,
            attributes=attributes,
        )  # fmt: skip
        return said(self.show_message(made))

    def _toggle_status(
        self, _request: Request, by: Speaker, body: JsonObject, id_: str
    ) -> Response:
        conversation = self._get(id_)
        self.set_status(conversation, body["status"], by)
        payload = {"success": True, "conversation_id": conversation.id,
                   "current_status": conversation.status, "snoozed_until": None}  # fmt: skip
        return said({"meta": {}, "payload": payload})

    def _toggle_priority(
        self, _request: Request, by: Speaker, body: JsonObject, id_: str
    ) -> Response:
        conversation = self._get(id_)
        if body["priority"] not in (None, "low", "medium", "high", "urgent"):
            raise UnprocessableError(f"'{body['priority']}' is not a valid priority")
        changed = [{"priority": {"previous_value": conversation.priority}}]
        conversation.priority = body["priority"]
        self.emit(self.conversation_hook(conversation, "conversation_updated", by, changed))
        return Response(status_code=200)

    def _labels(self, request: Request, _by: Speaker, body: JsonObject, id_: str) -> Response:
        conversation = self._get(id_)
        if request.method == "POST":
            conversation.labels = [one for one in body["labels"] if one in self.known_labels]
        return said({"payload": conversation.labels})

    def _assign(self, _request: Request, by: Speaker, body: JsonObject, id_: str) -> Response:
        conversation = self._get(id_)
        if body.get("assignee_type") == "AgentBot":
            if body["assignee_id"] == BOT:
                self.assign_bot(conversation, by)
            return said(person(self.bot))
        if "assignee_id" in body:
            agent = self.users.get(body["assignee_id"])
            if agent:
                self.assign(conversation, agent, by)
            return said(person(agent))
        conversation.team_id = body["team_id"]
        return said({"id": body["team_id"], "name": self.teams[body["team_id"]]})

    def _teams(self, *_: Any) -> Response:
        return said([{"id": id_, "name": name} for id_, name in self.teams.items()])

    def _agents(self, *_: Any) -> Response:
        return said([{**(person(one) or {}), "account_id": ACCOUNT, "role": "agent"}
                     for one in self.users.values()])  # fmt: skip

    def _inboxes(self, *_: Any) -> Response:
        inbox = {"id": INBOX, "channel_id": 1, "name": "Website",
                 "channel_type": "Channel::WebWidget"}  # fmt: skip
        return said({"payload": [inbox]})

    def _agent_bot(self, _request: Request, _by: Speaker, _body: Any, id_: str) -> Response:
        bot = {"id": BOT, "name": self.bot.name} if id_ == str(INBOX) else None
        return said({"agent_bot": bot})

    # What Chatwoot shows.

    def show(self, conversation: ChatwootConversation) -> JsonObject:
        """A conversation."""
        last = [self.show_message(one) for one in self.of(conversation.id)[-1:]]
        return {
            **self.webhook_data(conversation), "account_id": ACCOUNT, "messages": last,
            "additional_attributes": {"mail_subject": conversation.subject},
            "created_at": 1_700_000_000, "timestamp": 1_700_000_000, "muted": False,
            "agent_last_seen_at": 0, "contact_last_seen_at": 0, "unread_count": 0,
        }  # fmt: skip

    def show_message(self, message: ChatwootMessage) -> JsonObject:
        """A message; one without a sender has no such field."""
        shown: JsonObject = {
            "id": message.id, "content": message.content, "inbox_id": INBOX,
            "conversation_id": message.conversation_id, "message_type": KINDS[message.kind],
            "content_type": "text", "status": message.status, "private": message.private,
            "content_attributes": message.content_attributes, "source_id": None,
            "created_at": message.created_at,
        }  # fmt: skip
        return shown | ({"sender": person(message.sender)} if message.sender else {})

    # Hooks.

    def _fire(self, document: JsonObject) -> None:
        if self.target is not None:
            target = self.target
            threading.Thread(target=self.post, args=(target, document), daemon=True).start()

    def post(self, target: HookTarget, document: JsonObject) -> int:
        """Send a hook; one that is not taken leaves the conversation to people."""
        delivery, status = str(uuid4()), 0
        for attempt in range(ATTEMPTS):
            time.sleep(attempt / 10)
            status = self._sent(target, document, delivery)
            self.answers.append(status)
            if status not in (429, 500):
                break
        conversation = document.get("conversation") or document
        known = self.conversations.get(conversation.get("id", 0))
        if status >= 400 and known and known.status == "pending":
            self.set_status(known, "open", self.bot)
        return status

    def _sent(self, target: HookTarget, document: JsonObject, delivery: str) -> int:
        body, at = json.dumps(document).encode(), str(int(time.time()))
        signed = hmac.new(target.secret.encode(), at.encode() + b"." + body, hashlib.sha256)
        headers = {
            "X-Chatwoot-Signature": f"sha256={signed.hexdigest()}", "X-Chatwoot-Timestamp": at,
            "X-Chatwoot-Delivery": delivery, "Content-Type": "application/json",
        }  # fmt: skip
        answer = httpx.post(
            target.url, content=body, headers=headers, timeout=HOOK_SECONDS, verify=TLS
        )
        return answer.status_code


IN_ACCOUNT = r"accounts/(\d+)/"
ROUTES = [
    ("GET", r"profile", "profile"),
    *((method, IN_ACCOUNT + pattern, name) for method, pattern, name in (
        ("GET", r"conversations", "list"),
        ("GET", CONVERSATION, "show"),
        ("DELETE", CONVERSATION, "destroy"),
        ("GET", rf"{CONVERSATION}/messages", "messages"),
        ("POST", rf"{CONVERSATION}/messages", "post_message"),
        ("POST", rf"{CONVERSATION}/toggle_status", "toggle_status"),
        ("POST", rf"{CONVERSATION}/toggle_priority", "toggle_priority"),
        ("GET", rf"{CONVERSATION}/labels", "labels"),
        ("POST", rf"{CONVERSATION}/labels", "labels"),
        ("POST", rf"{CONVERSATION}/assignments", "assign"),
        ("GET", r"teams", "teams"),
        ("GET", r"agents", "agents"),
        ("GET", r"inboxes", "inboxes"),
        ("GET", r"inboxes/(\d+)/agent_bot", "agent_bot"),
    )),
]  # fmt: skip


def said(data: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(data), status, media_type="application/json; charset=utf-8")
