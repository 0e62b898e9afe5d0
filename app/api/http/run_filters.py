"""The filters of a list of runs, as query parameters."""

from typing import Annotated

from fastapi import Depends, Query

from app.api.schemas.base import OutsideId, Time
from app.db.runs.filters import Mark, RunFilters
from app.lifecycle import RunStatus
from graphs.state import Outcome

Name = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
HAPPENED = "What `node` and the filters below it name, or a fast decision, was"


# A coroutine, though nothing is awaited: FastAPI takes a plain dependency to a thread and back.
async def run_filters(  # one parameter of the query each
    status: RunStatus | None = None,
    ticket_id: OutsideId | None = None,
    customer_id: OutsideId | None = None,
    outcome: Outcome | None = None,
    created_from: Annotated[Time | None, Query(description="Created then or later.")] = None,
    created_before: Annotated[Time | None, Query(description="Created earlier.")] = None,
    finished_from: Annotated[Time | None, Query(description="Finished then or later.")] = None,
    finished_before: Annotated[Time | None, Query(description="Finished earlier.")] = None,
    cost_from: Annotated[
        float | None,
        Query(
            ge=0, le=1_000_000, allow_inf_nan=False, description="Cost so many US dollars or more."
        ),
    ] = None,
    mark: Annotated[
        Mark | None,
        Query(
            description="Answered from the cache; refused by grounding or another check; lost by "
            "a worker; came after an answer to the same ticket; decided within 3 seconds."
        ),
    ] = None,
    replays: Annotated[bool | None, Query(description="Only replays, or none of them.")] = None,
    node: Annotated[Name | None, Query(description="This node was executed in it.")] = None,
    failed_node: Annotated[Name | None, Query(description="This node failed in it.")] = None,
    error_type: Annotated[
        Name | None, Query(description="With this error of `failed_node`, else of the run itself.")
    ] = None,
    model: Annotated[Name | None, Query(description="This model was asked or answered.")] = None,
    model_error: Annotated[Name | None, Query(description="A call of a model failed so.")] = None,
    fallback: Annotated[
        Name | None, Query(description="A fallback answered for this reason.")
    ] = None,
    approval: Annotated[
        Name | None, Query(description="An approval of it ended so, such as `edited`.")
    ] = None,
    approval_kind: Annotated[
        Name | None, Query(description="An approval of this kind, such as `plan`.")
    ] = None,
    connection: Annotated[
        Name | None, Query(description="Its ticket is of this connected desk.")
    ] = None,
    happened_from: Annotated[Time | None, Query(description=f"{HAPPENED} then or later.")] = None,
    happened_before: Annotated[Time | None, Query(description=f"{HAPPENED} earlier.")] = None,
) -> RunFilters:
    """What the list is narrowed down to."""
    return RunFilters(
        status, ticket_id, customer_id, outcome, created_from, created_before, finished_from,
        finished_before, cost_from, mark, replays, node, failed_node, error_type, model,
        model_error, fallback, approval, approval_kind, connection, happened_from, happened_before,
    )  # fmt: skip


Filters = Annotated[RunFilters, Depends(run_filters)]
