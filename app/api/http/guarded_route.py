"""What every route checks, in this order: the API key, its scope, the body, the parameters."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.api.http.dependencies import RequiredScope
from app.api.http.strict_body import checked_body

# As proxies write it: the client left before there was an answer.
CLIENT_CLOSED_REQUEST = 499


class GuardedRoute(APIRoute):
    """A route that reads no byte of a body before it knows who sends it.

    FastAPI reads the body before it resolves a route's dependencies, the key among them.
    """

    @property
    def required_scope(self) -> RequiredScope | None:
        """What the route asks of a key; None for a route without one."""
        calls = [dependency.call for dependency in self.dependant.dependencies]
        return next((call for call in calls if isinstance(call, RequiredScope)), None)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind our checks."""
        handle, required = super().get_route_handler(), self.required_scope

        async def guarded(request: Request) -> Response:
            if required is not None:
                await required.check(request)
            max_bytes = request.app.state.backend.settings.max_body_bytes
            receive = await checked_body(request.scope, request.receive, max_bytes)
            if receive is None:
                return Response(status_code=CLIENT_CLOSED_REQUEST)
            return await handle(Request(request.scope, receive))

        return guarded
