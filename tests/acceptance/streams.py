"""A reader of server-sent events, as a client has one."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.tls import TLS


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as it came."""

    id: str
    type: str
    body: Any


def events_in(lines: Iterator[str]) -> Iterator[StreamEvent]:
    """The events of a stream; comments and `retry:` are none."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif fields.get("data"):
            yield StreamEvent(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
            fields = {}


def follow(
    http: httpx.Client, path: str, last: str | None = None, *, seconds: float = 30
) -> Iterator[StreamEvent]:
    """The events of one connection, `end` included, until it ends."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with http.stream("GET", path, headers=headers, timeout=seconds) as answer:
        assert answer.status_code == 200, answer.read()
        yield from events_in(answer.iter_lines())


class Follower:
    """Follows a stream in a thread, and goes on by the last id wherever `url` points to then."""

    def __init__(self, url: str, key: str, path: str) -> None:
        self.url, self.path = url, path
        self.headers = {"Authorization": f"Bearer {key}"}
        self.events: list[StreamEvent] = []
        self.connections = 0
        self.open = threading.Event()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopped.is_set():
            try:
                self._connect()
            except httpx.HTTPError:
                self.stopped.wait(0.05)

    def _connect(self) -> None:
        headers = self.headers | ({"Last-Event-ID": self.events[-1].id} if self.events else {})
        with (
            httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=TLS) as http,
            http.stream("GET", self.path) as answer,
        ):
            answer.raise_for_status()
            self.connections += 1
            lines = answer.iter_lines()
            next(lines)  # `retry:`
            self.open.set()
            for event in events_in(lines):
                if event.type == "end":
                    self.stopped.set()
                    return
                self.events.append(event)

    def stop(self) -> None:
        """Come back no more."""
        self.stopped.set()
