"""The OpenAPI document has a true example for every body, and one for every error code."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from app.api import schemas
from app.api.application import create_app
from app.api.http import openapi_examples
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors, Page
from app.api.routes import webhooks
from app.db.core.connections import Sessions
from app.settings import Settings
from app.worker.consumer import enqueue_run
from graphs.state import Outcome
from tests.unit.desk import ROOT

API_PAGE = (ROOT / "docs/api.md").read_text()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What /openapi.json answers."""
    settings = Settings(_env_file=None)
    return create_app(Backend(settings, Sessions(), enqueue_run, Cursors("x"))).openapi()


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
        (schemas.ErasureOut, openapi_examples.ERASURE),
        (schemas.PauseOut, openapi_examples.PAUSE),
        (schemas.RunPage, openapi_examples.page(openapi_examples.RUN)),
        (webhooks.CallbackOut, webhooks.CALLBACK),
        (webhooks.SecretOut, webhooks.SECRET),
        (webhooks.SecretOut, webhooks.SHOWN),
    ],
)
def test_every_answer_example_fits_its_model(
    model: type[BaseModel], example: dict[str, Any]
) -> None:
    """No field is missing, none is left over, and it reads back the same."""
    parsed = model.model_validate(example)
    assert parsed.model_dump(mode="json") == example


@pytest.mark.parametrize(
    "model",
    [
        schemas.StartRun,
        schemas.ReplayRun,
        schemas.ResumeRun,
        schemas.PutArticle,
        schemas.PutPolicy,
        webhooks.RotateSecret,
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
def test_every_outcome_of_the_workflow_can_be_shown(outcome: str, document: dict[str, Any]) -> None:
    """A run that ended so is answered, and the document and docs/api.md say that it can."""
    shown = schemas.RunOut.model_validate({**openapi_examples.RUN, "outcome": outcome})
    assert shown.outcome == outcome
    for schema in ("RunOut", "RunSideOut"):
        told = document["components"]["schemas"][schema]["properties"]["outcome"]
        assert outcome in told["anyOf"][0]["enum"]
    [row] = [line for line in API_PAGE.splitlines() if line.startswith("| `outcome` |")]
    assert f"`{outcome}`" in row


def test_every_route_shows_examples_of_success_and_of_its_errors(document: dict[str, Any]) -> None:
    """Under /v1, no answer is documented without an example."""
    checked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items() if path.startswith("/v1") else ():
            for status, answer in operation["responses"].items():
                for media, content in answer.get("content", {}).items():
                    assert "example" in content or content.get("examples"), (path, method, status)
                    assert (media == "application/problem+json") == (int(status) >= 400)
                    checked += 1
    assert checked > 60


def test_pages_are_all_of_one_shape() -> None:
    """Every list answers `items` and `next_cursor`."""
    for name in ("RunPage", "ApprovalPage", "ArticlePage", "RunStepPage", "PolicyPage"):
        model = getattr(schemas, name)
        assert issubclass(model, Page)
        assert set(model.model_fields) == {"items", "next_cursor"}
