"""A reviewer's connection to the API: where it is, whose key it is, and refusals as sentences."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.commands.database import running_dev
from app.commands.terminal import failure, one_line, typed
from app.services.approvals.deciders import spoken
from app.settings import Settings

KEY_VARIABLE = "DESKGRAPH_API_KEY"
# The API may wait for a run for 30 s before it answers.
TIMEOUT_SECONDS = 40
# The API gives at most so many items a page.
PAGE = 100

Url = Annotated[
    str | None,
    typer.Option(help="Where the API is; a running `dev`, else port 8000 of this machine."),
]
# No option takes the key itself: arguments of a process are shown to every user of the machine.
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        exists=True,
        dir_okay=False,
        help=f"A file with the API key; else ${KEY_VARIABLE}, else that of a running `dev`.",
    ),
]

# What to do next, by the problem's code, where its `detail` does not say it.
NEXT = {
    "unauthorized": f"Check ${KEY_VARIABLE} or --api-key-file, and that --url is the right API.",
    "missing-scope": f"`{typed('keys create --scope approvals:decide --scope runs:read')}` makes "
    "a key that may.",
    "own-run": "Another person must decide, with a key of their own.",
    "over-limit": "A key with a higher --approve-limit may, or the verdict `edit` lowers it.",
    "stale-digest": f"The plan is another one by now. Run `{typed('approvals decide')}` again "
    "to see it.",
    "already-decided": f"`{typed('approvals list')}` shows what still waits.",
    "not-found": f"`{typed('approvals list')}` shows what waits.",
}


@contextmanager
def reviewer_api(settings: Settings, url: str | None, key_file: Path | None) -> Iterator[Any]:
    """A client that calls as the key; what the API refuses ends the command with a sentence."""
    dev = running_dev(settings) or {}
    base = (url or dev.get("url") or f"http://127.0.0.1:{settings.port or 8000}").rstrip("/")
    key = _key(key_file) or (dev.get("approver_key") if base == dev.get("url") else None)
    key = key or _asked()
    if not re.fullmatch(r"dg_[!-~]+", key):
        raise failure(
            f"That is no API key: one begins with `dg_`. `{typed('keys create')}` makes one."
        )
    try:
        with httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS
        ) as api:
            yield api
    except httpx.HTTPStatusError as error:
        raise failure(refusal(error.response)) from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise failure(
            f"{base} does not answer ({error}). Is the API running? --url names another one."
        ) from None


def _key(key_file: Path | None) -> str | None:
    if key_file is None:
        return os.environ.get(KEY_VARIABLE, "").strip() or None
    try:
        return key_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise failure(f"Cannot read {key_file}: {error}. Name a file with the key.") from None


def _asked() -> str:
    if not sys.stdin.isatty():
        raise failure(
            f"There is no API key: set {KEY_VARIABLE}, give --api-key-file, "
            f"or start `{typed('dev')}`."
        )
    # It turns the echo off before it asks; click's prompt asks first, and shows a quick paste.
    return getpass("API key: ").strip()


def refusal(response: httpx.Response) -> str:
    """The problem that the API answered, and what to do about it."""
    try:
        problem = response.json()
        code, detail = problem["code"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        said = one_line(response.text, 200)
        return f"{response.url} answered {response.status_code}: {said}\nIs --url that of the API?"
    decision = problem.get("decision") or {}
    lines = [f"{problem['title']} ({code}). {detail}"]
    if decision.get("verdict"):
        lines.append(f"It was decided: {decision['verdict']} by {who_decided(decision)}.")
    return "\n".join([*lines, NEXT.get(code, "")]).strip()


def who_decided(decision: dict[str, Any]) -> str:
    """The person who decided, by the API's `decided_by`."""
    who = decision.get("decided_by") or {}
    name = str(who.get("name") or "a key that is not known any more")
    return spoken(name, who.get("on_behalf_of"))


def get(api: httpx.Client, path: str, **query: Any) -> Any:
    """What a GET answers. Raises HTTPStatusError for a refusal."""
    return api.get(path, params=query).raise_for_status().json()


def get_if_allowed(api: httpx.Client, path: str, **query: Any) -> Any:
    """What a GET answers; None when the key lacks the scope for it."""
    answer = api.get(path, params=query)
    if answer.status_code == httpx.codes.FORBIDDEN:
        return None
    return answer.raise_for_status().json()


def every(api: httpx.Client, path: str, **query: Any) -> Iterator[Any]:
    """All items of a list, over its pages."""
    cursor: dict[str, Any] = {}
    while True:
        page = get(api, path, limit=PAGE, **query, **cursor)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}
