"""A stand-in for a helpdesk that receives callbacks, with manners that a test chooses."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook

PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came."""

    path: str
    body: str
    headers: dict[str, str]

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The payload, if the signature is right."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(slots=True)
class Receiver:
    """Notes each delivery; `status`, `headers` and `hold` are its manners."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    deliveries: list[Delivery] = field(default_factory=list)
    # While it is set, requests are noted and not answered.
    hold: threading.Event = field(default_factory=threading.Event)

    @property
    def app(self) -> FastAPI:
        """What a server serves."""
        app = FastAPI()
        app.add_api_route("/{path:path}", self._take, methods=["GET", "POST"])
        return app

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.deliveries.append(Delivery(request.url.path, body, dict(request.headers)))
        while self.hold.is_set():  # noqa: ASYNC110  # set by another thread
            await asyncio.sleep(0.01)
        return Response(self.answer, self.status, self.headers)

    def until(self, condition: Callable[[list[Delivery]], bool]) -> list[Delivery]:
        """The deliveries, once the condition holds for them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(self.deliveries):
            assert time.monotonic() < deadline, self.deliveries
            time.sleep(0.01)
        return self.deliveries
