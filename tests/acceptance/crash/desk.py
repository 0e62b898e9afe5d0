"""The callers of a campaign: they ask again until they are answered, as a good client does."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from tests.acceptance.crash.world import World
from tests.acceptance.stack import ticket

FINAL = ("success", "error", "timeout", "cancelled")
PAUSE_SECONDS = 0.1
# How long a run may take once no process is killed any more.
PATIENCE_SECONDS = 120


class StuckError(Exception):
    """A run did not come to rest in time, or not where its story goes on."""


@dataclass
class Desk:
    """A helpdesk, its reviewers and a marketing desk, with what the API answered them."""

    http: httpx.AsyncClient
    dsn: str
    world: World
    # Where the helpdesk wants to be notified, and who wants to know that it asks for something.
    hook: str
    asking: Callable[[], None]
    statuses: Counter[str] = field(default_factory=Counter)
    # What no client should ever see.
    complaints: list[str] = field(default_factory=list)
    # When the last process was killed; until then every wait may be in vain.
    calm_since: float = float("inf")

    async def ask(self, method: str, path: str, key: str, **more: Any) -> httpx.Response:
        """One answer that is neither a lost connection nor 503."""
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        while True:
            if method == "POST":
                self.asking()
            try:
                answer = await self.http.request(method, path, headers=headers, **more)
            except httpx.TransportError as error:
                self.statuses[type(error).__name__] += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.statuses[str(answer.status_code)] += 1
            if answer.status_code < 500:
                return answer
            if answer.status_code != 503 or "Retry-After" not in answer.headers:
                self.complaints.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def start(self, number: int, body: str, *, key: str = "", part: str = "1") -> str:
        """Hand a message of customer `number` over; the same Idempotency-Key until it is taken."""
        answer = await self.ask(
            "POST",
            "/v1/runs",
            key or self.world.starter,
            json={
                **ticket(f"cus_{number}", body, ticket_id=f"T-{number}"),
                "callback_url": self.hook,
            },
            headers={"Idempotency-Key": f"{number}-{part}"},
        )
        if answer.status_code != 202:
            self.complaints.append(f"start of {number}: {answer.status_code} {answer.text[:300]}")
        return str(answer.json()["id"])

    async def rest(self, run_id: str) -> Any:
        """The run, once it is final or waits for a person. Raises StuckError."""
        return await self._until(run_id, (*FINAL, "interrupted"))

    async def end(self, run_id: str) -> Any:
        """The run, once it is final. Raises StuckError."""
        return await self._until(run_id, FINAL)

    async def _until(self, run_id: str, statuses: tuple[str, ...]) -> Any:
        while True:
            answer = await self.ask("GET", f"/v1/runs/{run_id}?wait=5", self.world.starter)
            run = answer.json()
            if answer.status_code != 200:
                self.complaints.append(f"run {run_id}, accepted before: {answer.text[:300]}")
            elif run["status"] in statuses:
                return run
            await asyncio.sleep(PAUSE_SECONDS)
            if time.monotonic() > self.calm_since + PATIENCE_SECONDS:
                raise StuckError(f"run {run_id} is {run.get('status')}: {answer.text[:500]}")

    async def decide(self, run: Any, verdict: str, **more: Any) -> None:
        """Answer the run's question; if the API says that it was decided before, it was us.

        Raises StuckError when the run asks nothing.
        """
        if run["status"] != "interrupted":
            known = {key: run[key] for key in ("id", "status", "outcome", "escalation", "error")}
            raise StuckError(f"asks nothing: {known}")
        [approval] = [a for a in run["approvals"] if a["status"] == "pending"]
        body = {"approval_id": approval["id"], "digest": approval["digest"], "verdict": verdict}
        path = f"/v1/runs/{run['id']}/resume"
        answer = await self.ask("POST", path, self.world.approver, json={**body, **more})
        ours = answer.status_code == 409 and answer.json()["decision"]["verdict"] == verdict
        if answer.status_code != 202 and not ours:
            self.complaints.append(f"{verdict} {run['id']}: {answer.status_code} {answer.text}")

    async def cancel(self, run_id: str) -> None:
        """Stop a run; it may have ended meanwhile."""
        answer = await self.ask("POST", f"/v1/runs/{run_id}/cancel", self.world.starter)
        if answer.status_code not in (202, 409):
            self.complaints.append(f"cancel {run_id}: {answer.status_code} {answer.text}")

    async def replay(self, run: Any) -> str:
        """The run again from where it began to act, or from the next step that is written down."""
        steps = await self.ask("GET", f"/v1/runs/{run['id']}/steps", self.world.starter)
        later = ("act", "respond", "check", "send", "escalate")
        at = next(s["checkpoint_id"] for s in steps.json()["items"] if s["node"] in later)
        answer = await self.ask(
            "POST",
            f"/v1/runs/{run['id']}/replay",
            self.world.starter,
            json={"checkpoint_id": at},
            headers={"Idempotency-Key": f"replay-{run['id']}"},
        )
        if answer.status_code != 202:
            self.complaints.append(f"replay of {run['id']}: {answer.status_code} {answer.text}")
        return str(answer.json()["id"])

    async def let_expire(self, run_id: str) -> None:
        """Let the time of the run's question be over."""
        query = "UPDATE approvals SET expires_at = now() WHERE run_id = %s AND status = 'pending'"
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
                    await connection.execute(query, [run_id])
                return
            except psycopg.OperationalError:
                await asyncio.sleep(PAUSE_SECONDS)
