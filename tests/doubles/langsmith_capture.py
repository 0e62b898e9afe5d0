"""A stand-in for LangSmith: takes what the langsmith client sends and merges it into runs.

It proves what leaves our process, not what the hosted product shows.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

JsonObject = dict[str, Any]

PATIENCE_SECONDS = 30
PROJECT_ID = "5b1f0a34-92f8-4a4e-8d0e-2f3a8a6f1c11"
WORKSPACE_ID = "8c2d6f10-1b7e-4a57-9a55-6f1d0e9b7c22"


class LangSmithCapture:
    """`runs` by id as sent, `sent` as bytes; `status` and `delay_seconds` are its manners."""

    def __init__(self) -> None:
        self.runs: dict[str, JsonObject] = {}
        self.requests: list[str] = []
        # The parts that were taken, by their names: `post.<id>`, `patch.<id>.outputs`.
        self.operations: list[str] = []
        self.keys: set[str | None] = set()
        self.sent = b""
        self.status = 202
        self.info_status: int | None = None
        # Whether it takes traces and then does not know them.
        self.forgets = False
        self.delay_seconds = 0.0
        # Projects appear with the first trace, as in LangSmith; feedback by id.
        self.feedback: dict[str, JsonObject] = {}
        self.app = FastAPI()
        self.app.add_api_route("/sessions", self._projects, methods=["GET"])
        self.app.add_api_route("/runs/{run_id}", self._run, methods=["GET"])
        self.app.add_api_route("/runs/{run_id}", self._patch, methods=["PATCH"])
        self.app.add_api_route("/feedback", self._feedback, methods=["POST"])
        self.app.add_api_route("/{path:path}", self._other, methods=["GET", "PATCH", "DELETE"])
        self.app.add_api_route("/runs/multipart", self._multipart, methods=["POST"])

    def root(self, trace_id: str) -> JsonObject | None:
        """The trace's root, once it has arrived whole."""
        run = self.runs.get(trace_id)
        return run if run and run.get("end_time") else None

    def wait_for_root(self, trace_id: str) -> JsonObject:
        """The trace's root; it arrives in the background, after the run."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (run := self.root(trace_id)):
            assert time.monotonic() < deadline, f"trace {trace_id} did not arrive"
            time.sleep(0.02)
        return run

    def children(self, root: JsonObject) -> list[JsonObject]:
        """The runs right under the root, in the order they began."""
        found = [run for run in self.runs.values() if run.get("parent_run_id") == root["id"]]
        return sorted(found, key=lambda run: str(run["dotted_order"]))

    def feedback_on(self, trace_id: str) -> dict[str, JsonObject]:
        """The feedback on a run, by its key."""
        found = [one for one in list(self.feedback.values()) if one["run_id"] == trace_id]
        return {one["key"]: one for one in found}

    async def _projects(self, request: Request) -> JSONResponse:
        self._note(request)
        name = request.query_params["name"]
        known = {run.get("session_name") for run in list(self.runs.values())}
        there = [{"id": PROJECT_ID, "tenant_id": WORKSPACE_ID, "name": name}]
        return self._answer(there if name in known else [])

    async def _run(self, request: Request, run_id: str) -> JSONResponse:
        self._note(request)
        run = None if self.forgets else self.runs.get(run_id)
        return self._answer(run) if run else JSONResponse({"detail": "not found"}, 404)

    async def _patch(self, request: Request, run_id: str) -> JSONResponse:
        self._note(request)
        if self.status == 202:
            self.sent += await request.body()
            self._merge([(run_id, await request.json())])
        return self._answer({})

    async def _feedback(self, request: Request) -> JSONResponse:
        self._note(request)
        if self.status == 202:
            self.sent += await request.body()
            sent = await request.json()
            self.feedback[sent["id"]] = sent
        return self._answer({})

    def _answer(self, content: Any) -> JSONResponse:
        refused = JSONResponse({"detail": "injected fault"}, self.status)
        return JSONResponse(content) if self.status == 202 else refused

    async def _other(self, request: Request) -> JSONResponse:
        self._note(request)
        return JSONResponse({}, self.info_status or self.status)

    async def _multipart(self, request: Request) -> JSONResponse:
        self._note(request)
        body = await request.body()
        await asyncio.sleep(self.delay_seconds)
        if self.status != 202:
            return JSONResponse({"detail": "injected fault"}, self.status)
        self.sent += body
        of_runs = []
        for name, data in parts(body, request.headers["content-type"]):
            self.operations.append(name)
            operation, run_id, *field = name.split(".", 2)
            if operation == "feedback":
                self.feedback[run_id] = json.loads(data)
            elif operation in ("post", "patch"):
                value = json.loads(data)
                of_runs.append((run_id, {field[0]: value} if field else value))
        self._merge(of_runs)
        return JSONResponse({}, 202)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url.path)
        self.keys.add(request.headers.get("x-api-key"))

    def _merge(self, sent: Iterable[tuple[str, JsonObject]]) -> None:
        """Posts and patches come in any order.

        What one request brings is there at once: a test looks at the runs from another thread.
        """
        merged: dict[str, JsonObject] = {}
        for run_id, fields in sent:
            known = self.runs.get(run_id, {"id": run_id, "extra": {"metadata": {}}})
            unite(merged.setdefault(run_id, {**known}), fields)
        self.runs |= merged


def unite(run: JsonObject, fields: JsonObject) -> None:
    """Add fields to a run: null never overwrites, metadata is united."""
    for key, value in fields.items():
        if key == "extra" and value is not None:
            metadata = {**run["extra"]["metadata"], **(value.get("metadata") or {})}
            run["extra"] = {**run["extra"], **value, "metadata": metadata}
        elif value is not None:
            run[key] = value


def metadata(run: JsonObject) -> JsonObject:
    """A run's metadata."""
    found: JsonObject = run["extra"]["metadata"]
    return found


def parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each part; the client sends its length, so any bytes may stand in it."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    assert boundary, content_type
    mark = b"--" + boundary[1].encode()
    at = body.find(mark)
    while at >= 0 and not body.startswith(mark + b"--", at):
        start = body.index(b"\r\n\r\n", at) + 4
        head = body[at:start].decode()
        name, length = re.search(r'name="([^"]*)"', head), re.search(r"(?i)length: *(\d+)", head)
        assert name, head
        assert length, head
        end = start + int(length[1])
        yield name[1], body[start:end]
        at = body.find(mark, end)
