"""The checks of every route, in this order: the API key, its scope, the body, the parameters."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor

from app.api.http.dependencies import RequiredScope, open_session
from app.api.http.openapi_responses import with_problems
from app.api.http.problems import SLASH_IN_ID
from app.api.http.strict_body import WITH_BODY, checked_body
from app.errors import (
    BodyError,
    DeskgraphError,
    InvalidRequestError,
    InvalidUrlError,
    MediaTypeError,
    MissingScopeError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)

# As proxies write it: the client left before there was an answer.
CLIENT_CLOSED_REQUEST = 499
Errors = tuple[type[DeskgraphError], ...]


class OutsideIdConvertor(Convertor[str]):
    """One segment of a path, `{name:outside_id}`, that may hold an encoded slash."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """The id as it was before it was encoded."""
        return value.replace(SLASH_IN_ID, "/")

    def to_string(self, value: str) -> str:
        """The way back."""
        return value.replace("/", SLASH_IN_ID)


register_url_convertor("outside_id", OutsideIdConvertor())


class GuardedRoute(APIRoute):
    """A route that reads no byte of a body before it knows who sends it.

    FastAPI reads the body before it resolves a route's dependencies, the key among them.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Document, beside the errors that the route names, those that follow from its shape."""
        super().__init__(path, endpoint, **options)
        self.responses = with_problems(self.responses, *self.errors_by_shape())

    @property
    def required_scope(self) -> RequiredScope | None:
        """What the route asks of a key; None for a route without one."""
        calls = [dependency.call for dependency in self.dependant.dependencies]
        return next((call for call in calls if isinstance(call, RequiredScope)), None)

    def errors_by_shape(self) -> Errors:
        """What can go wrong with the address, the key, the body, the parameters and ourselves."""
        needs = self.dependant
        session = any(dependency.call is open_session for dependency in needs.dependencies)
        parameters = needs.query_params or needs.header_params or self.body_field
        body = WITH_BODY.intersection(self.methods or ())
        errors: list[tuple[Any, Errors]] = [
            (True, (InvalidUrlError, DeskgraphError)),
            (self.required_scope, (UnauthorizedError, MissingScopeError)),
            (body, (BodyError, TooLargeError, MediaTypeError)),
            (needs.path_params, (NotFoundError,)),
            (parameters, (InvalidRequestError,)),
            (session or self.required_scope, (UnavailableError,)),
        ]
        return tuple(error for applies, those in errors if applies for error in those)

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
