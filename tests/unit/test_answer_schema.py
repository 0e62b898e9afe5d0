"""The schema on an approval says exactly what may be answered to it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.api.views.approvals import answer_schema
from app.db.tables.approvals_and_ledger import Approval
from tests.unit.test_edits import PLAN, REPLY
from tests.unit.test_policy import RUN

VERDICTS = ["approve", "edit", "reject", "respond"]


def schema(steps: list[Any], verdicts: list[str] = VERDICTS, *, comment: bool = True) -> Any:
    """The answer's schema for these steps."""
    approval = Approval(
        id=UUID(RUN), digest="d", steps=steps, verdicts=verdicts, created_at=datetime.now(UTC)
    )
    return answer_schema(approval, comment_needed=comment)


def test_each_step_takes_its_own_arguments() -> None:
    """An amount is at most what is shown on that very step; nothing else is named."""
    found = schema(PLAN)["properties"]["steps"]["items"]["oneOf"]
    assert [step["properties"]["id"]["const"] for step in found] == [s["id"] for s in PLAN]
    for step, shown in zip(found, PLAN, strict=True):
        args = step["properties"]["args"]
        assert (list(args["properties"]), args["additionalProperties"]) == (["amount_minor"], False)
        amount = args["properties"]["amount_minor"]
        most = shown["args"]["amount_minor"]
        assert (amount["type"], amount["minimum"], amount["maximum"]) == ("integer", 1, most)
        assert step["properties"]["drop"] == {"type": "boolean"}


def test_text_of_a_reply_has_the_tools_own_length() -> None:
    """A plan's only step cannot be dropped: that is `reject`."""
    [step] = schema([REPLY])["properties"]["steps"]["items"]["oneOf"]
    assert list(step["properties"]["args"]["properties"]) == ["text"]
    assert step["properties"]["args"]["properties"]["text"]["maxLength"] == 10_000
    assert step["properties"]["drop"] == {"const": False}


def test_part_given_to_a_person_cannot_be_dropped() -> None:
    """As the edit itself would be refused."""
    handoff = {**PLAN[0], "id": "handoff-technical", "tool": "create_handoff", "editable": []}
    found = schema([PLAN[0], handoff])["properties"]["steps"]["items"]["oneOf"]
    assert [s["properties"]["drop"] for s in found] == [{"type": "boolean"}, {"const": False}]


def test_step_without_editable_arguments_takes_none() -> None:
    """Neither one of a tool that is not known nor one whose plan names none."""
    for bare in ({**REPLY, "editable": []}, {**REPLY, "tool": "launch"}):
        [step] = schema([bare])["properties"]["steps"]["items"]["oneOf"]
        assert step["properties"]["args"]["properties"] == {}


def test_verdicts_are_those_that_are_offered() -> None:
    """Without `edit` there are no steps to send; a wish needs words if nothing else is new."""
    found = schema(PLAN, ["approve", "reject"])
    assert found["properties"]["verdict"] == {"enum": ["approve", "reject"]}
    assert found["properties"]["steps"] == {"type": "array", "maxItems": 0}
    assert "then" not in found
    assert schema(PLAN)["then"]["required"] == ["comment"]
    assert "then" not in schema(PLAN, comment=False)
    assert found["properties"]["digest"] == {"const": "d"}
    assert found["properties"]["approval_id"] == {"const": RUN}
