"""A stand-in for Request Tracker 5: its mail gateway and the part of REST 2 that we call.

Its oddities are those of RT 5.0.3, seen in its source or by running it: `correspond` and `comment`
answer sentences and take no If-Match (412), PUT answers 200 with sentences among which are
refusals, a deleted ticket still shows and takes replies, malformed JSON is 500, and so is "Parent"
among the fields of attachments. The conformance tests run against RT itself too (tests/real_world).
"""

import base64
import email
import email.policy
import json
import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, unquote

from fastapi import FastAPI, Request, Response

from tests.doubles.request_tracker_state import Done, RequestTrackerState, RtTicket

JsonObject = dict[str, Any]
BASE = "/REST/2.0"
SUBJECT_ID = re.compile(r"\[desk\.test #(\d+)\]")


class RequestTrackerDouble(RequestTrackerState):
    """The state over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.app = FastAPI()
        self.app.add_api_route("/REST/1.0/NoAuth/mail-gateway", self._mail, methods=["POST"])
        methods = ["GET", "POST", "PUT", "DELETE"]
        self.app.add_api_route(f"{BASE}/{{path:path}}", self._rest, methods=methods)

    async def _mail(self, request: Request) -> Response:
        [message] = parse_qs((await request.body()).decode())["message"]
        mail = email.message_from_string(message, policy=email.policy.default)
        sender, subject = str(mail["From"]), str(mail["Subject"])
        parts = [part for part in mail.walk() if part.get_content_maintype() != "multipart"]
        first, *more = [
            (part.get_content_type(), _text_of(part), part.get_filename() or "") for part in parts
        ]
        if known := SUBJECT_ID.search(subject):
            done = self.correspond(int(known[1]), sender, first[1], first[0])
        else:
            done = self.create(subject, sender, first[1], first[0])
        self.parts[-1].headers = "".join(f"{name}: {value}\n" for name, value in mail.items())
        for content_type, content, filename in more:
            self.attach(done, content_type, content, filename)
        return Response("ok\n")

    async def _rest(self, request: Request, path: str) -> Response:
        user = self._user(request.headers.get("authorization", ""))
        if user is None:
            return said({"message": "Unauthorized"}, 401)
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return said({"message": "Internal Server Error"}, 500)
        for pattern, answer in self._routes():
            if found := re.fullmatch(pattern, path):
                return answer(request, user, body, *found.groups())
        return said({"message": "Not Found"}, 404)

    def _routes(self) -> list[tuple[str, Callable[..., Response]]]:
        return [
            (r"rt", lambda *_: said({"Version": "5.0.3"})),
            (r"user/([^/]+)", self._show_user),
            (r"queues/all", lambda *_: page([ref(id_, "queue") for id_ in self.queues])),
            (r"queue/(\d+)", self._show_queue),
            (r"tickets", self._find_tickets),
            (r"transactions", self._transactions),
            (r"attachments", self._attachments),
            (r"ticket/(\d+)/attachments", self._attachments),
            (r"ticket/(\d+)/(correspond|comment)", self._message),
            (r"ticket/(\d+)", self._ticket),
        ]

    def _user(self, authorization: str) -> str | None:
        if authorization == f"token {self.token}":
            return "deskgraph"
        if authorization == f"token {self.clerk_token}":
            return "clerk"
        if authorization.startswith("Basic "):
            name, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
            return name if password == "password" and self.users.get(name) else None
        return None

    def _ticket(self, request: Request, user: str, body: JsonObject, id_: str) -> Response:
        ticket = self.tickets.get(int(id_))
        if ticket is not None and ticket.merged_into:
            ticket = self.tickets[ticket.merged_into]
        if ticket is None:
            return said({"message": "Not Found"}, 404)
        if user == "clerk":
            return said({"message": "Forbidden"}, 403)
        tag = f'"{self.stamp(ticket.id)}"'
        if request.headers.get("if-match", tag) != tag:
            return said({"message": "Precondition Failed"}, 412)
        if request.method == "GET":
            return said(self._show(ticket), headers={"ETag": tag})
        if request.method == "DELETE":
            self.set(ticket, user, "Status", "deleted")
            return Response(status_code=204)
        return said(self.update(ticket, user, body))

    def _message(
        self, request: Request, user: str, body: JsonObject, id_: str, kind: str
    ) -> Response:
        if "if-match" in request.headers:
            return said({"message": "Precondition Failed"}, 412)
        if int(id_) not in self.tickets:
            return said({"message": "Message could not be recorded"}, 400)
        if "ContentType" not in body:
            message = "ContentType is a required field for application/json"
            return said({"message": message}, 400)
        sentences = ["Correspondence added" if kind == "correspond" else "Comments added"]
        add = self.correspond if kind == "correspond" else self.comment
        done = add(int(id_), user, body["Content"], body["ContentType"])
        for name, key in body.get("TxnCustomFields", {}).items():
            if name != self.key_field:
                sentences.append(f"Unable to load transaction custom field: {name}")
            elif self.keeps_keys:
                done.key = key
                sentences.append("Custom fields updated")
        return said(sentences, 201, {"Location": f"{BASE}/transaction/{done.id}"})

    def _show(self, ticket: RtTicket) -> JsonObject:
        queue_id = next(id_ for id_, name in self.queues.items() if name == ticket.queue)
        return {
            "id": ticket.id,
            "Subject": ticket.subject,
            "Status": ticket.status,
            "Owner": ref(ticket.owner, "user"),
            "Requestor": [ref(name, "user") for name in ticket.requestors],
            "Queue": {**ref(queue_id, "queue"), "Name": ticket.queue},
            "Priority": str(ticket.priority),
            "CustomFields": [{**ref("3", "customfield"), "name": "Tags", "values": ticket.tags}],
            "_hyperlinks": [{"ref": name} for name in ("self", *self.links)],
        }

    def _show_user(self, request: Request, asked_by: str, body: Any, name: str) -> Response:
        if request.method == "PUT":
            self.customer_ids[unquote(name)] = body["CustomFields"]["CustomerId"]
            return said(["CustomerId changed"])
        if name not in self.users:
            return said({"message": "Not Found"}, 404)
        own: JsonObject = {"Memberships": []} if name == asked_by else {}
        return said({"Name": name, "Privileged": self.users[name], **own})

    def _show_queue(self, _request: Request, _user: str, _body: Any, id_: str) -> Response:
        fields = [{**ref("2", "customfield"), "name": self.key_field}] if self.key_field else []
        queue = {"id": int(id_), "Name": self.queues[id_], "TicketTransactionCustomFields": fields}
        return said(queue)

    def _find_tickets(self, request: Request, _user: str, _body: Any) -> Response:
        query = request.query_params["query"]
        found = list(self.tickets.values())
        if subject := re.fullmatch(r"Subject = '(.*)'", query):
            found = [ticket for ticket in found if ticket.subject == subject[1]]
        elif number := re.fullmatch(r"id=(\d+)", query):
            found = [self.tickets[int(number[1])]]
        return page([self._listed(ticket) for ticket in found[::-1]])

    def _listed(self, ticket: RtTicket) -> JsonObject:
        people = []
        for name in ticket.requestors:
            values = [self.customer_ids[name]] if name in self.customer_ids else []
            # RT says "" for fields that a user has none of.
            fields = [{**ref("4", "customfield"), "name": "CustomerId", "values": values}]
            people.append({**ref(name, "user"), "CustomFields": fields if values else ""})
        return {**ref(str(ticket.id), "ticket"), "Requestor": people}

    def _transactions(self, request: Request, _user: str, _body: Any) -> Response:
        query = request.query_params["query"]
        parts = re.fullmatch(r"ObjectType='RT::Ticket' AND ObjectId=(\d+) AND (.*)", query)
        if parts is None:
            return said({"message": "Incomplete query"}, 400)
        done = [one for one in self.done if one.ticket_id == int(parts[1])]
        if after := re.fullmatch(r"id > (\d+)", parts[2]):
            done = [one for one in done if one.id > int(after[1])]
        else:
            types = re.findall(r"Type='(\w+)'", parts[2])
            done = [one for one in done if one.type in types]
        return paged(request, [self._show_done(one) for one in done])

    def _show_done(self, one: Done) -> JsonObject:
        values = [one.key] if one.key else []
        fields = [{**ref("2", "customfield"), "name": self.key_field, "values": values}]
        return {
            **ref(str(one.id), "transaction"),
            "Type": one.type,
            "Field": one.field,
            "Creator": ref(one.creator, "user"),
            "CustomFields": fields if self.key_field else "",
        }

    def _attachments(
        self, request: Request, _user: str, body: Any, ticket_id: str | None = None
    ) -> Response:
        fields = request.query_params["fields"].split(",")
        if "Parent" in fields:
            return Response(status_code=500)
        found = self.parts
        if ticket_id is not None:
            ours = {one.id for one in self.done if one.ticket_id == int(ticket_id)}
            found = [part for part in found if part.transaction_id in ours]
        conditions = body or []
        if any(condition["field"] == "ContentType" for condition in conditions):
            found = [part for part in found if part.content_type.startswith("text/")]
        if any(condition["field"] == "Parent" for condition in conditions):
            found = [part for part in found if part.headers is not None]
        wanted = {int(c["value"]) for c in conditions if c["field"] == "id"}
        first = [int(c["value"]) for c in conditions if c["field"] == "TransactionId"]
        found = [part for part in found if not wanted or part.id in wanted]
        found = [part for part in found if not first or part.transaction_id > first[0]]
        shown = []
        for part in found:
            values = {
                "TransactionId": str(part.transaction_id),
                "ContentType": part.content_type,
                "Filename": part.filename,
                "ContentLength": str(len(part.content.encode())),
                "Content": part.content,
                "Headers": part.headers or "",
            }
            some = {name: values[name] for name in fields}
            shown.append({**ref(str(part.id), "attachment"), **some})
        return paged(request, shown)


def _text_of(part: EmailMessage) -> str:
    """RT shows other files as text as well, which nothing reads."""
    content = part.get_content()
    return content if isinstance(content, str) else repr(content)


def ref(id_: str, type_: str) -> JsonObject:
    """How RT names a thing."""
    return {"id": id_, "type": type_, "_url": f"http://rt.test{BASE}/{type_}/{id_}"}


def said(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(document), status, headers, "application/json; charset=utf-8")


def page(items: list[JsonObject]) -> Response:
    """A list of one page."""
    return said({"count": len(items), "total": None, "pages": None, "items": items})


def paged(request: Request, items: list[JsonObject]) -> Response:
    """The page of a list that was asked for, in the order that was asked for."""
    ordered = items[::-1] if request.query_params.get("order") == "DESC" else items
    size = min(int(request.query_params.get("per_page", 20)), 100)
    first = (int(request.query_params.get("page", 1)) - 1) * size
    return page(ordered[first : first + size])
