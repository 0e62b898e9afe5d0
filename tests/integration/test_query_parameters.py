"""No query parameter is dropped: an unknown one, or one that comes twice, is 422 on every route."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.api.application import create_app
from app.api.http.dependencies import Backend
from app.api.http.guarded_route import GuardedRoute
from app.api.http.pagination import Cursors
from app.api.http.strict_query import MAX_NAME
from app.db.runs.queue import enqueue_run
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.place import DOCUMENT, Place, bare, expect, opened

pytestmark = pytest.mark.no_articles

TWICE = {"limit": "5", "wait": "0", "status": "open", "cursor": "x", "after": "1-1"}


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


def routes_of(service: Service) -> list[GuardedRoute]:
    """Every route that the application serves, also those outside the document."""
    backend = Backend(service.settings, service.sessions, enqueue_run, Cursors("tests"))
    app = create_app(backend)
    served = {str(getattr(route, "path", "")) for route in app.routes}
    known = {route.path for route in app.state.routes}
    assert {path for path in served if path.startswith("/v1")} <= known
    routes: list[GuardedRoute] = app.state.routes
    return routes


async def test_every_route_refuses_a_parameter_it_does_not_know(place: Place) -> None:
    """422 with the name, whatever else the request says; a law over all routes."""
    checked = set()
    for route in routes_of(place.service):
        assert isinstance(route, GuardedRoute), route
        method = next(iter(route.methods or ()))
        path = bare(f"{method} {route.path_format}", name="page.js")[1]
        answer = await place.starter.request(method, path, params={"state": "pending"})
        assert answer.status_code == 422, (method, path, answer.text)
        assert answer.json()["errors"][0]["pointer"] == "query/state"
        checked.add(f"{method} {route.path_format}")
    assert checked >= set(DOCUMENT.operations)


async def test_every_parameter_comes_once(place: Place) -> None:
    """One that is given twice is refused wherever it is no list, not read as one of the two."""
    checked = 0
    for name, operation in DOCUMENT.operations.items():
        known: list[dict[str, Any]] = operation.get("parameters", [])
        for parameter in known:
            if parameter["in"] == "query" and parameter["schema"].get("type") != "array":
                one = TWICE.get(parameter["name"], "x")
                twice = {parameter["name"]: [one, one]}
                answer = await place.starter.request(*bare(name), params=twice)
                expect(answer, "invalid-request")
                assert "more than once" in answer.text, (name, parameter["name"])
                checked += 1
    assert checked > 20


async def test_long_name_is_cut_and_many_are_few(place: Place) -> None:
    """An answer does not grow with the request."""
    many = "&".join(f"p{n}=1" for n in range(2000))
    answer = await place.starter.get(f"/v1/runs?{many}")
    expect(answer, "invalid-request")
    assert len(answer.json()["errors"]) == 50
    answer = await place.starter.get("/v1/runs", params={"x" * 5000: "1"})
    expect(answer, "invalid-request")
    [error] = answer.json()["errors"]
    assert error["pointer"] == "query/" + "x" * MAX_NAME
