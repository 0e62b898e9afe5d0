"""Bounds what a connection may send before a request's head, a chunk or the trailers are complete.

The parser joins the parts of an unfinished header, which takes time quadratic in its length, and
uvicorn has no bound on it. What the server itself refuses is a problem as well.
"""

import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.http.problems import MEDIA_TYPE, problem_body
from app.errors import DeskgraphError, HeadTooLargeError, MalformedRequestError

# Source: the usual bound of servers is 8 to 64 kB for the whole head.
MAX_HEAD_BYTES = 65_536


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the bytes that no complete part of a request holds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._incomplete = 0
        self._progressed = False

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; refuse the request when its head or its trailers grow too long."""
        self._progressed = False
        super().data_received(data)
        self._incomplete = 0 if self._progressed else self._incomplete + len(data)
        if self._incomplete > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HeadTooLargeError(f"A head may hold {MAX_HEAD_BYTES} bytes."))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._progressed = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body is here; its own bound holds for it."""
        self._progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete, with its trailers."""
        self._progressed = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(MalformedRequestError(msg))

    def _refuse(self, error: DeskgraphError) -> None:
        """Answer with a problem and close; only close while the answer to a request is open."""
        if self.cycle is None or self.cycle.response_complete:
            body = json.dumps(problem_body(error, "/")).encode()
            head = (
                f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
                f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()
