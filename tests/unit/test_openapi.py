"""The OpenAPI document has a true example for every body, and one for every error code."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from app.api import schemas
from app.api.http import openapi_examples, openapi_shared
from app.api.http.dependencies import SCOPES
from app.api.routes import audit, callbacks, keys, me, webhook_endpoints, webhook_secrets
from app.api.schemas import agents, policy_preview
from app.api.schemas.callbacks import CALLBACK_EVENTS, CallbackOut
from app.api.schemas.page import Page
from app.api.views import policy_changes
from app.services.webhooks.endpoints import TEST_EVENT
from graphs.state import Outcome
from tests.documented import Documented, own_document
from tests.unit.desk import ROOT

API_PAGE = (ROOT / "docs/api.md").read_text()


@pytest.fixture(scope="module")
def documented() -> Documented:
    """What /openapi.json answers."""
    return own_document()


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (schemas.RunOut, openapi_examples.RUN),
        (schemas.RunOut, openapi_examples.QUEUED),
        (schemas.RunOut, openapi_examples.REPLAY),
        (schemas.RunDiffOut, openapi_examples.DIFF),
        (schemas.ApprovalOut, openapi_examples.APPROVAL),
        (schemas.RunStepOut, openapi_examples.RUN_STEP),
        (schemas.ThreadOut, openapi_examples.THREAD),
        (schemas.ArticleOut, openapi_examples.ARTICLE),
        (schemas.PolicyOut, openapi_examples.POLICY),
        (schemas.PolicyChangeOut, policy_changes.EXAMPLE),
        (audit.AuditEventOut, audit.EVENT),
        (schemas.ErasureOut, openapi_examples.ERASURE),
        (schemas.PauseOut, openapi_examples.PAUSE),
        (schemas.RunPage, openapi_examples.page(openapi_examples.LISTED_RUN)),
        (schemas.ListedRun, openapi_examples.LISTED_RUN),
        (schemas.ListedApproval, openapi_examples.LISTED_APPROVAL),
        (schemas.ListedArticle, openapi_examples.LISTED_ARTICLE),
        (agents.AgentOut, agents.AGENT),
        (policy_preview.PolicyPreviewOut, policy_preview.PREVIEW),
        (me.MeOut, me.ME),
        (keys.ApiKeyOut, keys.KEY),
        (keys.ApiKeyIssued, keys.ISSUED),
        (CallbackOut, callbacks.CALLBACK),
        (CallbackOut, webhook_endpoints.TEST),
        (webhook_endpoints.EndpointOut, webhook_endpoints.ENDPOINT),
        (webhook_secrets.SecretOut, webhook_secrets.SECRET),
        (webhook_secrets.SecretOut, webhook_secrets.SHOWN),
    ],
)
def test_every_answer_example_fits_its_model(
    model: type[BaseModel], example: dict[str, Any]
) -> None:
    """No field is missing, none is left over, and it reads back the same."""
    parsed = model.model_validate(example)
    assert parsed.model_dump(mode="json", exclude_unset=True) == example


@pytest.mark.parametrize(
    "model",
    [
        schemas.StartRun,
        schemas.ReplayRun,
        schemas.ResumeRun,
        schemas.PutArticle,
        schemas.PutPolicy,
        schemas.ChangePolicy,
        schemas.DecideChange,
        schemas.ImportArticles,
        schemas.PersonMessage,
        agents.PutAgent,
        keys.IssueKey,
        webhook_secrets.RotateSecret,
        webhook_endpoints.AddEndpoint,
        webhook_endpoints.ChangeEndpoint,
        schemas.PutPause,
    ],
)
def test_every_request_example_is_accepted(model: type[BaseModel]) -> None:
    """What the document shows can be sent."""
    shown = model.model_json_schema()["examples"]
    assert shown
    for example in shown:
        model.model_validate(example)


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_of_the_workflow_can_be_shown(outcome: str, documented: Documented) -> None:
    """A run that ended so is answered, and the document and docs/api.md say that it can."""
    shown = schemas.RunOut.model_validate({**openapi_examples.RUN, "outcome": outcome})
    assert shown.outcome == outcome
    for schema in ("RunOut", "RunSideOut"):
        field = documented.document["components"]["schemas"][schema]["properties"]["outcome"]
        assert field["anyOf"][0] == {"$ref": "#/components/schemas/Outcome"}
        assert outcome in documented.document["components"]["schemas"]["Outcome"]["enum"]
    [row] = [line for line in API_PAGE.splitlines() if line.startswith("| `outcome` |")]
    assert f"`{outcome}`" in row


def examples_of(content: dict[str, Any]) -> list[Any]:
    """What a media type shows."""
    one = [content["example"]] if "example" in content else []
    return one + [example["value"] for example in content.get("examples", {}).values()]


def test_every_answer_shows_an_example_of_its_shape(documented: Documented) -> None:
    """Success and every error of every operation; errors are problems, and only errors are."""
    checked = 0
    for name, operation in documented.operations.items():
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            for media, content in answer.get("content", {}).items():
                assert (media == "application/problem+json") == (int(status) >= 400)
                assert examples_of(content), (name, status)
                for example in examples_of(content) if media.endswith("json") else ():
                    documented.fits(example, content["schema"])
                checked += 1
    assert checked > 200


def test_every_request_shows_an_example_of_its_shape(documented: Documented) -> None:
    """Bodies and parameters: what is shown can be sent."""
    for name, operation in documented.operations.items():
        for parameter in operation.get("parameters", ()):
            documented.fits(parameter["example"], parameter["schema"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert examples_of(content), name
            for example in examples_of(content):
                documented.fits(example, content["schema"])


def test_keys_are_asked_for_under_v1_alone(documented: Documented) -> None:
    """An operation names scopes, 401 and 403 if it needs a key, and none of them otherwise.

    A hook is signed by its connection's secret instead, so it answers 401 and never 403.
    """
    for name, operation in documented.operations.items():
        if name == "POST /v1/hooks/{connection_id}":
            assert "security" not in operation
            assert "403" not in operation["responses"]
            continue
        keyed = name.split(" ")[1].startswith("/v1/")
        assert ("security" in operation) == keyed, name
        assert ("401" in operation["responses"]) == keyed, name
        if name == "GET /v1/me":  # any key may ask whose it is
            assert "403" not in operation["responses"]
            continue
        assert ("403" in operation["responses"]) == keyed, name
        scopes = [scope for way in operation.get("security", ()) for scope in way["HTTPBearer"]]
        assert set(scopes) <= set(SCOPES)
        assert bool(scopes) == keyed


def test_answers_that_are_no_json_say_so(documented: Documented) -> None:
    """The metrics are plain text; streams are server-sent events of a described shape."""

    def success(name: str) -> dict[str, Any]:
        content: dict[str, Any] = documented.operations[name]["responses"]["200"]["content"]
        return content

    assert set(success("GET /metrics")) == {"text/plain"}
    for name in ("GET /v1/events", "GET /v1/runs/{run_id}/events"):
        content = success(name)
        assert set(content) == {"text/event-stream"}
        stream = content["text/event-stream"]
        documented.check_events(stream["example"], stream["schema"])


def test_document_holds_nothing_that_is_never_answered(documented: Documented) -> None:
    """FastAPI's own error shape is nowhere, and every reference leads somewhere."""
    text = json.dumps(documented.document)
    assert "HTTPValidationError" not in text
    assert "ValidationError" not in text
    schemas = documented.document["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert referred <= set(schemas)
    assert set(schemas) <= referred


def shapes_of(node: Any) -> Iterator[str]:
    """Every enumeration and free object of the document that has no name of its own."""
    if isinstance(node, list):
        for item in node:
            yield from shapes_of(item)
    if isinstance(node, dict):
        if "enum" in node or (node.get("type") == "object" and "properties" not in node):
            yield json.dumps(openapi_shared.plain(node), sort_keys=True)
        for key, value in node.items():
            if key not in openapi_shared.EXAMPLES:
                yield from shapes_of(value)


def test_no_shape_is_written_out_twice(documented: Documented) -> None:
    """A generated client has one class for one shape: what occurs twice has a name."""
    counted = Counter(shapes_of(documented.document))
    assert [shape for shape, times in counted.items() if times > 1] == []


def test_operations_have_short_names_of_their_own(documented: Documented) -> None:
    """The ids become names of functions: a verb and a noun, none twice."""
    hooks = documented.document["webhooks"].values()
    operations = [*documented.operations.values(), *(hook["post"] for hook in hooks)]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z_]{3,30}", name) for name in ids), ids


def test_webhooks_are_what_the_outbox_sends(documented: Documented) -> None:
    """Every event has an entry, and the body that the callbacks' example shows fits it."""
    hooks = documented.document["webhooks"]
    sent = dict.fromkeys(CALLBACK_EVENTS, callbacks.CALLBACK["payload"])
    sent[TEST_EVENT] = webhook_endpoints.TEST["payload"]
    assert set(hooks) == set(sent)
    assert set(get_args(webhook_endpoints.EventName)) == set(CALLBACK_EVENTS)
    for event, hook in hooks.items():
        content = hook["post"]["requestBody"]["content"]["application/json"]
        documented.fits(sent[event], content["schema"])


def test_pages_are_all_of_one_shape() -> None:
    """Every list answers `items` and `next_cursor`."""
    for name in ("RunPage", "ApprovalPage", "ArticlePage", "RunStepPage", "PolicyPage"):
        model = getattr(schemas, name)
        assert issubclass(model, Page)
        assert set(model.model_fields) == {"items", "next_cursor"}
