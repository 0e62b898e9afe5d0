"""The OpenAPI document: FastAPI's, with our examples and the checks in front of our routes."""

from typing import Any

from fastapi import FastAPI

from app.api.http import stats_examples
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_examples import PARAMETERS
from app.api.http.openapi_responses import with_problems
from app.api.http.openapi_shared import name_shared_shapes
from app.api.schemas import EventOut, Problem
from app.api.schemas.callbacks import CALLBACK_EVENTS, CallbackBody, WebhookTest
from app.errors import (
    HeadTooLargeError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotFoundError,
    all_errors,
)

DESCRIPTION = """\
Every call under `/v1` needs `Authorization: Bearer dg_<id>_<secret>`, a key that holds one of the
scopes that the call names. Errors are `application/problem+json` (RFC 9457) with a stable `code`;
`GET /problems/{code}` says what it means. An address without a route is 404 `not-found`, a method
that an address does not know is 405 `method-not-allowed`. Before any address is read, bytes that
are not HTTP are 400 `malformed-request`, and a head above 64 KiB is 431 `head-too-large`."""
# FastAPI's own answer to wrong parameters, which is never given here.
FASTAPI_ERROR = "#/components/schemas/HTTPValidationError"
REF = "#/components/schemas/{model}"


class DocumentedApi(FastAPI):
    """A FastAPI application whose document says what its routes answer, and nothing else."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for route in self.state.routes:
                for method in route.methods if route.include_in_schema else ():
                    complete(document, route, document["paths"][route.path_format][method.lower()])
            add_components(document["components"])
            add_webhooks(document)
            drop_defaults(document["components"]["schemas"])
            name_shared_shapes(document)
        return self.openapi_schema or {}


def complete(document: dict[str, Any], route: GuardedRoute, operation: dict[str, Any]) -> None:
    """Add scopes and examples of the body and of each parameter, and set the answers right."""
    # FastAPI's own title is the name of the function.
    operation["summary"] = operation["description"].partition("\n")[0].rstrip(".")
    if (required := route.required_scope) is not None:
        ways = [[scope] for scope in required.any_of] or [[]]
        operation["security"] = [{"HTTPBearer": way} for way in ways]
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        own = PARAMETERS.get(f"{route.path_format} {name}")
        parameter["example"] = own or PARAMETERS.get(name, stats_examples.PARAMETERS.get(name))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        content["examples"] = body_examples(document, content["schema"]["$ref"])
    operation["responses"] = answers_of(route, operation["responses"])


def answers_of(route: GuardedRoute, answers: dict[str, Any]) -> dict[str, Any]:
    """A route's answers by status, their examples whole, and without those never given."""
    for status, answer in route.responses.items():
        # FastAPI leaves out what is null, also in examples.
        for media_type, content in answer.get("content", {}).items():
            answers[str(status)]["content"][media_type] |= content
    schema = answers.get("422", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema == {"$ref": FASTAPI_ERROR}:
        del answers["422"]
    return dict(sorted(answers.items()))


def body_examples(document: dict[str, Any], reference: str) -> dict[str, Any]:
    """The examples of a request's model, by number."""
    model = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return {str(n): {"value": example} for n, example in enumerate(model["examples"], 1)}


def add_webhooks(document: dict[str, Any]) -> None:
    """What is sent to a `callback_url` and to webhook endpoints, one entry an event."""
    for body in (CallbackBody, WebhookTest):
        model = body.model_json_schema(ref_template=REF)
        document["components"]["schemas"] |= {**model.pop("$defs"), body.__name__: model}
    headers = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    events = [(name, when, "CallbackBody") for name, when in CALLBACK_EVENTS.items()]
    events.append(("webhook.test", "A test of an endpoint was asked for", "WebhookTest"))
    document["webhooks"] = {
        event: {
            "post": {
                "operationId": "on_" + event.replace(".", "_"),
                "summary": when,
                "description": f"{when}; signed by Standard Webhooks 1.0.0.",
                "parameters": headers,
                "requestBody": {"required": True, "content": {"application/json": {
                    "schema": {"$ref": REF.format(model=body)},
                }}},
                "responses": {"2XX": {"description": "Any 2xx: it was taken."},
                              "410": {"description": "Nothing more is sent to this URL."}},
            }
        }
        for event, when, body in events
    }  # fmt: skip


def drop_defaults(schemas: dict[str, Any]) -> None:
    """Leave out defaults that are objects, which generators of clients stumble on.

    Those of a change as well: what it leaves out stays as it is.
    """
    for model, schema in schemas.items():
        for field in schema.get("properties", {}).values():
            if isinstance(field.get("default"), dict) or model == "ChangePolicy":
                field.pop("default", None)


def add_components(components: dict[str, Any]) -> None:
    """The shapes of problems and events, and the answers to what is no operation at all."""
    schemas = components["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=REF)
    schemas["ProblemDetail"] = problem.pop("$defs")["ProblemDetail"]
    problem["properties"]["code"]["enum"] = sorted({error.code for error in all_errors()})
    schemas["Problem"] = problem
    schemas["Event"] = EventOut.model_json_schema(ref_template=REF)
    outside = {
        "UnknownAddress": NotFoundError,
        "UnknownMethod": MethodNotAllowedError,
        "MalformedRequest": MalformedRequestError,
        "HeadTooLarge": HeadTooLargeError,
    }
    components["responses"] = {
        name: with_problems({}, error)[error.status] for name, error in outside.items()
    }
