"""The filters of the console's list of runs that the API's list does not have."""

from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, literal_column, select

from app.db.tables.runs import Run, Step

# In the words of the index that holds these steps.
REFUSED = "steps.node = 'check' AND steps.output #> '{objections,0}' IS NOT NULL"


class Trouble(NamedTuple):
    """What went wrong, or cost much: each filter that is not set lets every run pass.

    `failed_node`: an execution of that node ended in an error; `refused`: a draft was sent back by
    the check; `cost_usd`: the run cost so much or more. A run of unknown cost passes none.
    """

    failed_node: str | None = None
    refused: bool = False
    cost_usd: Decimal | None = None


def with_trouble(query: Select[Run], tenant_id: str, wanted: Trouble) -> Select[Run]:
    """The runs among these that pass every filter that is set."""
    steps = select(Step.run_id).where(Step.tenant_id == tenant_id)
    if wanted.failed_node is not None:
        # Constants, so that each is planned by its own partial index.
        failed = Step.status == literal_column("'error'")
        query = query.where(Run.id.in_(steps.where(failed, Step.node == wanted.failed_node)))
    if wanted.refused:
        refused: ColumnElement[bool] = literal_column(REFUSED)
        query = query.where(Run.id.in_(steps.where(refused)))
    if wanted.cost_usd is not None:
        query = query.where(Run.cost_usd >= wanted.cost_usd, Run.cost_usd > literal_column("0"))
    return query
