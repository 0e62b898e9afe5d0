"""Sends runs to LangSmith as its own client does: many in one request of many parts.

The client of the langsmith package takes each run as two calls, and copies, masks and writes every
state again for both. Here a run is one set of parts, of texts that are written already.
Source of the format: langsmith/_internal/_operations.py, MultipartPart.
"""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid5

import httpx

from app.observability.trace_json import dumps
from app.observability.trace_run import TracedRun
from app.observability.trace_sender import Sent, made, note_lost
from app.settings import Settings

NAME = "langsmith"
# LangSmith takes 20 MB.
MAX_REQUEST_BYTES = 10_000_000
TIMEOUT = httpx.Timeout(10, connect=3)
# Waits before another try, where a later one may do.
WAITS_SECONDS = (0.5, 1.0)
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
# Scores whose project is not known yet; it is made by the first trace.
MAX_SCORES = 1000
Part = tuple[str, bytes]
Score = dict[str, Any]


class LangSmithClient:
    """The client of these settings, which must hold a key."""

    def __init__(self, settings: Settings) -> None:
        assert settings.langsmith_api_key is not None, "without a key nothing is made"
        self.lost: str | None = None
        self.away = False
        self._project = settings.langsmith_project
        self._project_id: str | None = None
        # As they are sent: what they were found in would stay in memory with them.
        self._scores: list[Score] = []
        self._base = settings.langsmith_endpoint.rstrip("/")
        self._http = httpx.Client(
            headers={"x-api-key": settings.langsmith_api_key.get_secret_value()}, timeout=TIMEOUT
        )

    def send(self, items: list[Sent]) -> None:
        """See TraceClient."""
        runs = [item for item in items if item.feedback is None]
        said = [item for item in items if item.feedback is not None]
        self._scores += [score for _, score in made(NAME, said, score_of)]
        written = made(NAME, runs, lambda item: list(parts_of(item)))
        self._post(part for _, parts in written for part in parts)
        if self._scores and self._knows_project():
            scores, self._scores = self._scores, []
            self._post(_part_of(score, str(self._project_id)) for score in scores)
        elif len(self._scores) > MAX_SCORES:
            del self._scores[:-MAX_SCORES]

    def _knows_project(self) -> bool:
        if self._project_id is None:
            query = {"name": self._project, "limit": "1"}
            try:
                found = self._http.get(f"{self._base}/sessions", params=query).json()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError):
                return False
            named = found if isinstance(found, list) else []
            ids = [one.get("id") for one in named if isinstance(one, dict)]
            self._project_id = str(ids[0]) if ids else None
        return self._project_id is not None

    def _post(self, parts: Iterable[Part]) -> None:
        boundary = secrets.token_hex(16)
        for body, count in bodies(parts, boundary):
            self._try(body, f"multipart/form-data; boundary={boundary}", count)

    def _try(self, body: bytes, kind: str, count: int) -> None:
        for wait in (*WAITS_SECONDS, None):
            failure, again = self._once(body, kind)
            self.away = failure is not None
            if failure is None:
                return
            if wait is None or not again:
                break
            time.sleep(wait)
        self.lost = failure
        note_lost(NAME, items=count, error=failure)

    def _once(self, body: bytes, kind: str) -> tuple[str | None, bool]:
        """What went wrong, and whether another try may do."""
        try:
            answer = self._http.post(
                f"{self._base}/runs/multipart", content=body, headers={"Content-Type": kind}
            )
        except httpx.TimeoutException as error:
            # It may have been taken, and each try would hold the others up for as long.
            return type(error).__name__, False
        except httpx.HTTPError as error:
            return type(error).__name__, True
        except (httpx.InvalidURL, UnicodeError) as error:
            return type(error).__name__, False
        # 409: it has the runs already.
        if answer.is_success or answer.status_code == httpx.codes.CONFLICT:
            return None, False
        return f"answered {answer.status_code}", answer.status_code in LATER


def parts_of(item: Sent) -> Iterator[Part]:
    """A run as LangSmith takes it: what it is, then what it was given, answered and said."""
    run, text = item.run, item.text
    operation = f"{'post' if item.is_new else 'patch'}.{run.id}"
    yield operation, dumps(_facts(run))
    if item.is_new:
        yield f"{operation}.inputs", text.of(run.inputs)
    if run.end is not None:
        yield f"{operation}.outputs", text.of(run.outputs)
    about = text.about(run.execution.metadata, run.own_metadata)
    yield f"{operation}.extra", b'{"metadata":' + about + b"}"
    if (error := item.error) is not None:
        yield f"{operation}.error", error


def score_of(item: Sent) -> Score:
    """Feedback on a trace but for the project, by the id that a repetition has as well."""
    said, run = item.feedback, item.run
    assert said is not None, "an item of feedback has some"
    about = json.loads(item.text.about(run.execution.metadata, {}))
    own = {name: about.get(name) for name in ("ticket_id", "run_id")}
    return {
        "id": uuid5(run.id, said.key),
        "run_id": run.id,
        "trace_id": run.trace_id,
        "key": said.key,
        "score": said.score,
        "value": said.value,
        "feedback_source": {"type": "api", "metadata": own},
    }


def _part_of(score: Score, project_id: str) -> Part:
    return f"feedback.{score['id']}", dumps({**score, "session_id": project_id})


def bodies(parts: Iterable[Part], boundary: str) -> Iterator[tuple[bytes, int]]:
    """Requests of a bounded size, each with the number of its parts."""
    kept: list[bytes] = []
    size = count = 0
    for name, data in parts:
        # A run's own parts stay together.
        if size > MAX_REQUEST_BYTES and name.count(".") == 1:
            yield b"".join([*kept, _end(boundary)]), count
            kept, size, count = [], 0, 0
        kept += [_head(name, len(data), boundary), data, b"\r\n"]
        size, count = size + len(data), count + 1
    if count:
        yield b"".join([*kept, _end(boundary)]), count


def _facts(run: TracedRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "trace_id": run.trace_id,
        "parent_run_id": run.parent_id,
        "dotted_order": run.place,
        "name": run.name,
        "run_type": run.kind,
        "start_time": run.start,
        "end_time": run.end,
        "session_name": run.execution.project,
        "tags": sorted({*run.tags, *run.execution.tags}),
    }


def _head(name: str, length: int, boundary: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def _end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()
