"""The few calls of LangSmith's API that its client makes only synchronously, or not any more.

Traces themselves are sent by the client (`trace_sender.py`).
"""

from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

import httpx
from langsmith.utils import get_host_url

from app.settings import Settings

TIMEOUT_SECONDS = 10
# What an answer may come to; those here are small.
MAX_ANSWER_BYTES = 5_000_000


class LangSmithError(Exception):
    """A call failed; the message says how, without anything that LangSmith wrote."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Project(NamedTuple):
    """A project, and the workspace that it is in."""

    id: str
    workspace_id: str


class LangSmithApi:
    """One HTTP client to LangSmith. Every call raises LangSmithError and changes nothing then."""

    def __init__(self, settings: Settings) -> None:
        assert settings.langsmith_api_key is not None, "without a key nothing is called"
        self._base = settings.langsmith_endpoint.rstrip("/")
        self._client = httpx.AsyncClient(
            headers={"x-api-key": settings.langsmith_api_key.get_secret_value()},
            timeout=TIMEOUT_SECONDS,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def info(self) -> Any:
        """What the server says of itself; it asks for no key."""
        return await self._call("GET", "/info")

    async def project(self, name: str) -> Project | None:
        """The project of that name; None while there is none, as before the first trace."""
        found = await self._call("GET", "/sessions", params={"name": name, "limit": 1})
        for item in found if isinstance(found, list) else []:
            if isinstance(item, dict) and item.get("name") == name and "id" in item:
                return Project(str(item["id"]), str(item.get("tenant_id", "")))
        return None

    async def run(self, run_id: UUID) -> Any:
        """A run that has arrived; None while it has not."""
        try:
            return await self._call("GET", f"/runs/{run_id}")
        except LangSmithError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def end_run(self, run_id: UUID, error: str) -> None:
        """End a run of which no end came; its id is enough."""
        ended = datetime.now(UTC).isoformat()
        await self._call("PATCH", f"/runs/{run_id}", json={"error": error, "end_time": ended})

    async def write_feedback(self, feedback: dict[str, Any]) -> None:
        """Write feedback; the same id again replaces it."""
        await self._call("POST", "/feedback", json=feedback)

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            async with self._client.stream(method, self._base + path, **request) as answer:
                text = await _read(answer)
        except httpx.HTTPError as error:
            raise LangSmithError(f"gave no answer ({type(error).__name__})") from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise LangSmithError("has no valid address") from error
        if not answer.is_success:
            raise LangSmithError(f"answered {answer.status_code}", answer.status_code)
        try:
            return httpx.Response(200, content=text).json() if text else None
        except ValueError as error:
            raise LangSmithError("answered something that is no JSON") from error


async def _read(answer: httpx.Response) -> bytes:
    text = b""
    async for piece in answer.aiter_bytes():
        text += piece
        if len(text) > MAX_ANSWER_BYTES:
            raise LangSmithError("answered more than 5 MB")
    return text


def web_url(settings: Settings) -> str:
    """Where people look at traces."""
    return (settings.langsmith_web_url or get_host_url(None, settings.langsmith_endpoint)).rstrip(
        "/"
    )
