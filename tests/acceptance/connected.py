"""What acceptance tests see of a connection over HTTP: its runs and what was delivered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import quote

from app.api.schemas import ExpandRun
from app.services.connections.tickets import ticket_name
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant
from tests.doubles.own_desk import OwnDesk, until
from tests.doubles.server import serving

# A list's items as the runs themselves.
WHOLE = list(get_args(ExpandRun))


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection, and the people of its tenant."""

    id: str
    admin: Client
    approver: Client
    starter: Client

    def runs(self, ticket_id: str) -> Any:
        """The runs of a ticket of the desk, newest first."""
        wanted = {"ticket_id": ticket_name(self.id, ticket_id), "expand": WHOLE}
        answer = self.starter.http.get("/v1/runs", params=wanted)
        return answer.raise_for_status().json()["items"]

    def rested(self, ticket_id: str, count: int = 1) -> Any:
        """The newest run of the ticket, once so many have come to rest."""

        def found() -> Any:
            runs = [run for run in self.runs(ticket_id) if run["merged_into"] is None]
            resting = [r for r in runs if r["status"] not in ("pending", "running")]
            return resting[0] if len(resting) >= count else None

        return until(found)

    def deliveries(self) -> Any:
        """What went to the desk, newest first."""
        answer = self.admin.http.get(f"/v1/connections/{self.id}/deliveries?limit=100")
        return answer.raise_for_status().json()["items"]

    def settled(self, ticket_id: str, kind: str) -> Any:
        """The last delivery of that kind on the ticket, once it has ended."""
        name = ticket_name(self.id, ticket_id)

        def found() -> Any:
            of_kind = [d for d in self.deliveries() if d["kind"] == kind and d["ticket_id"] == name]
            return of_kind[0] if of_kind and of_kind[0]["status"] != "pending" else None

        return until(found)

    def messages(self, ticket_id: str) -> Any:
        """What we keep of the ticket's conversation, oldest first."""
        answer = self.starter.http.get(
            f"/v1/threads/{quote(ticket_name(self.id, ticket_id), safe='')}"
        )
        return answer.raise_for_status().json()["messages"]


@dataclass(frozen=True, slots=True)
class OwnConnected(Connected):
    """With the desk."""

    desk: OwnDesk


@contextmanager
def own_desk_of(stack: Stack, tenant: Tenant) -> Iterator[OwnConnected]:
    """A desk, served while the tenant is connected to it."""
    desk, admin = OwnDesk(), stack.client(tenant.admin)
    with serving(desk.app) as url:
        settings = {
            "url": f"{url}/deskgraph",
            "outcomes": {"answered": {"tags_add": ["bot"], "status": "pending"}},
            "groups": {"complaints": "Second line"},
        }
        asked = {"kind": "webhook", "name": "Own", "settings": settings}
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        body = made.json()
        desk.connect(f"{stack.url}{body['hook_path']}", body["hook_secret"])
        people = (admin, stack.client(tenant.approver), stack.client(tenant.starter))
        yield OwnConnected(body["id"], *people, desk)
