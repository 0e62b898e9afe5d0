"""Holds answers against the OpenAPI document: status, media type, code and shape."""

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import httpx
import jsonschema_rs

from app.api.application import create_app
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors
from app.db.core.connections import Sessions
from app.db.runs.queue import enqueue_run
from app.settings import Settings

PROBLEM = "application/problem+json"
# What an address or method outside the document is answered.
OUTSIDE = {"not-found", "method-not-allowed", "invalid-url"}


def pattern(template: str) -> str:
    """A regular expression for the addresses of a path of the document."""
    return re.sub(r"\{\w+\}", "[^/]+", template)


@dataclass(frozen=True, eq=False)
class Documented:
    """An OpenAPI document that answers are held against."""

    document: dict[str, Any]

    @cached_property
    def operations(self) -> dict[str, dict[str, Any]]:
        """Every operation by its method and path, as "GET /v1/runs"."""
        paths = self.document["paths"]
        return {f"{m.upper()} {path}": paths[path][m] for path in paths for m in paths[path]}

    def codes(self, name: str) -> set[tuple[int, str]]:
        """The problems of an operation: status and code."""
        answers = self.operations[name]["responses"]
        return {
            (int(status), code)
            for status, answer in answers.items()
            for code in answer.get("content", {}).get(PROBLEM, {}).get("examples", ())
        }

    def operation_of(self, request: httpx.Request) -> dict[str, Any] | None:
        """The operation of a request; None for an address or a method that the document lacks."""
        path = request.url.raw_path.decode().partition("?")[0]
        method = request.method.lower()
        for template, methods in self.document["paths"].items():
            if method in methods and re.fullmatch(pattern(template), path):
                found: dict[str, Any] = methods[method]
                return found
        return None

    def check(self, answer: httpx.Response) -> None:
        """Fails unless the document says that this can be answered."""
        summary = f"{answer.request.method} {answer.request.url}: {answer.status_code}"
        operation = self.operation_of(answer.request)
        if operation is None:
            assert answer.json()["code"] in OUTSIDE, summary
            return
        assert str(answer.status_code) in operation["responses"], summary
        content = operation["responses"][str(answer.status_code)].get("content")
        if content is None:
            assert answer.content == b"", summary
            return
        media_type = answer.headers["Content-Type"].partition(";")[0]
        assert media_type in content, (summary, media_type)
        if media_type.endswith("json"):
            self.fits(answer.json(), content[media_type]["schema"])
        if media_type == PROBLEM:
            assert answer.json()["code"] in content[media_type]["examples"], (summary, answer.text)
        if media_type == "text/event-stream":
            self.check_events(answer.text, content[media_type]["schema"])

    def fits(self, value: Any, schema: dict[str, Any]) -> None:
        """Fails unless the value is of the shape."""
        self._validator(json.dumps(schema)).validate(value)

    @cache  # noqa: B019  # documents live as long as the tests
    def _validator(self, schema: str) -> jsonschema_rs.Validator:
        components = {"components": self.document["components"]}
        return jsonschema_rs.validator_for({**json.loads(schema), **components})

    def check_events(self, text: str, schema: dict[str, Any]) -> None:
        """Fails unless each event, and the JSON in its data, is of the shape."""
        for frame in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in frame.splitlines() if line[0] != ":")
            if "data" in fields:
                self.fits({k: v for k, v in fields.items() if k != "retry"}, schema)
                data = schema["properties"]["data"]["contentSchema"]
                self.fits(json.loads(fields["data"]), data)


@cache
def own_document() -> Documented:
    """What `/openapi.json` answers."""
    backend = Backend(Settings(_env_file=None), Sessions(), enqueue_run, Cursors("x"))
    return Documented(create_app(backend).openapi())
