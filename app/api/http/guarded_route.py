"""The checks of every route, in this order: the API key, its scope, the body, the parameters."""

from collections.abc import Callable, Coroutine
from typing import Any, get_origin

from fastapi import Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor

from app.api.http.dependencies import RequiredScope, open_session
from app.api.http.openapi_responses import with_problems
from app.api.http.problems import SLASH_IN_ID
from app.api.http.strict_body import WITH_BODY, checked_body
from app.api.http.strict_query import check_query
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

    @property
    def query_names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The query parameters that the route takes, and those of them that are lists."""
        flat = get_flat_params(self.dependant)
        fields = [field for field in flat if isinstance(field.field_info, Query)]
        lists = [f.alias for f in fields if get_origin(f.field_info.annotation) is list]
        return frozenset(field.alias for field in fields), frozenset(lists)

    def errors_by_shape(self) -> Errors:
        """What can go wrong with the address, the key, the body, the parameters and ourselves."""
        needs = self.dependant
        session = any(dependency.call is open_session for dependency in needs.dependencies)
        body = WITH_BODY.intersection(self.methods or ())
        errors: list[tuple[Any, Errors]] = [
            (True, (InvalidUrlError, DeskgraphError)),
            (self.required_scope, (UnauthorizedError,)),
            (self.required_scope and self.required_scope.any_of, (MissingScopeError,)),
            (body, (BodyError, TooLargeError, MediaTypeError)),
            (needs.path_params, (NotFoundError,)),
            # Any query parameter that the route does not know.
            (True, (InvalidRequestError,)),
            (session or self.required_scope, (UnavailableError,)),
        ]
        return tuple(error for applies, those in errors if applies for error in those)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind our checks."""
        handle, required = super().get_route_handler(), self.required_scope
        known, repeatable = self.query_names

        async def guarded(request: Request) -> Response:
            if required is not None:
                await required.check(request)
            max_bytes = request.app.state.backend.settings.max_body_bytes
            receive = await checked_body(request.scope, request.receive, max_bytes)
            if receive is None:
                return Response(status_code=CLIENT_CLOSED_REQUEST)
            check_query(request.query_params, known, repeatable)
            return await handle(Request(request.scope, receive))

        return guarded
