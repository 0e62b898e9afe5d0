"""What a reviewer may change on a plan, and how much a key may agree to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.tenants import ApiKey
from app.errors import EditNotAllowedError, OverLimitError, VerdictNotAllowedError
from app.services.approvals.decide import GivenAnswer, decided_steps
from app.services.approvals.edit import StepEdit, apply_edits, changes_made, refuse_over_limit
from tests.unit.test_policy import RUN, step
from tools.catalog import EFFECTS
from tools.models import JsonObject

PLAN: list[Any] = [step(4900), step(60_000, number=2), step(5800, "JPY", 3)]
FIRST = "refund-pay_1"
SECOND = "refund-pay_2"


def edit(id_: str = FIRST, *, drop: bool = False, **args: Any) -> StepEdit:
    """One change of one step."""
    return StepEdit(id_, args, drop)


def amounts(steps: list[JsonObject]) -> list[int]:
    """What each step moves."""
    return [step["args"]["amount_minor"] for step in steps]


def refused(*edits: StepEdit) -> str:
    """The pointer to what is wrong with the edits."""
    with pytest.raises(EditNotAllowedError) as refusal:
        apply_edits(PLAN, edits)
    assert refusal.value.status == 422
    [error] = refusal.value.extra["errors"]
    assert error["pointer"] in refusal.value.detail
    return str(error["pointer"])


def test_without_edits_the_plan_stays_as_shown() -> None:
    """Agreeing changes nothing."""
    assert apply_edits(PLAN, ()) == PLAN


def test_amount_may_be_lowered() -> None:
    """Only on the step that was named; everything else of the plan stays."""
    left = apply_edits(PLAN, (edit(amount_minor=1000),))
    assert amounts(left) == [1000, 60_000, 5800]
    assert left[1:] == PLAN[1:]
    assert left[0] == {**PLAN[0], "args": {**PLAN[0]["args"], "amount_minor": 1000}}
    assert amounts(PLAN) == [4900, 60_000, 5800], "the approval's own row is not touched"


def test_step_may_be_dropped() -> None:
    """The others keep their order."""
    left = apply_edits(PLAN, (edit(SECOND, drop=True),))
    assert [s["id"] for s in left] == [FIRST, "refund-pay_3"]


def test_part_given_to_a_person_cannot_be_dropped() -> None:
    """No other step would answer it; the other steps may go, and the schema says so."""
    handoff = {**PLAN[0], "id": "handoff-technical", "tool": "create_handoff", "editable": []}
    with pytest.raises(EditNotAllowedError, match="needs an answer") as refusal:
        apply_edits([PLAN[0], handoff], (edit("handoff-technical", drop=True),))
    assert (refusal.value.code, refusal.value.status) == ("edit-not-allowed", 422)
    [error] = refusal.value.extra["errors"]
    assert error["pointer"] == "/steps/0/drop"
    assert apply_edits([PLAN[0], handoff], (edit(drop=True),)) == [handoff]


def test_plan_without_steps_is_a_rejection() -> None:
    """Dropping all is another answer, and has to be said."""
    with pytest.raises(EditNotAllowedError, match="reject"):
        apply_edits(PLAN, tuple(edit(s["id"], drop=True) for s in PLAN))


@given(amount=st.integers())
def test_amount_is_between_one_and_what_was_shown(amount: int) -> None:
    """Every integer is either lower, or refused."""
    if 1 <= amount <= 4900:
        assert amounts(apply_edits(PLAN, (edit(amount_minor=amount),)))[0] == amount
    else:
        assert refused(edit(amount_minor=amount)).startswith("/steps/0/args")


@pytest.mark.parametrize("amount", [1000.0, "1000", True, None, [1000], float("nan"), "NaN"])
def test_amount_is_an_integer(amount: Any) -> None:
    """Money is never converted, by a reviewer no more than by a model."""
    assert refused(edit(amount_minor=amount)) == "/steps/0/args/amount_minor"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payment_id", "pay_2"),
        ("payment_id", "pay_1"),  # not even the same value
        ("currency", "JPY"),
        ("reason", "because I say so"),
        ("customer_id", "cus_bob"),
        ("key", "another"),
    ],
)
def test_nothing_else_may_be_changed(name: str, value: Any) -> None:
    """Another payment, customer or currency is another plan."""
    assert refused(edit(SECOND, **{name: value})) == f"/steps/0/args/{name}"


REPLY: Any = {
    "id": "reply",
    "tool": "send_reply",
    "args": {"text": "We looked into it.", "citations": ["a"], "public": True},
    "editable": ["text"],
    "reason": "replies are drafts",
    "risk": "the customer reads it",
    "evidence": [],
}


def test_text_of_a_reply_may_be_rewritten() -> None:
    """Within the tool's own length; citations and visibility stay."""
    [left] = apply_edits([REPLY], (edit("reply", text="Dear Ann"),))
    assert left["args"] == {**REPLY["args"], "text": "Dear Ann"}


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "x" * 10_001, None, 7, ["a"]])
def test_reply_is_never_without_a_text(text: Any) -> None:
    """Blank, too long or no text at all is refused at its place."""
    with pytest.raises(EditNotAllowedError) as refusal:
        apply_edits([REPLY], (edit("reply", text=text),))
    [error] = refusal.value.extra["errors"]
    assert error["pointer"] == "/steps/0/args/text"


@pytest.mark.parametrize("name", ["citations", "public"])
def test_nothing_of_a_reply_but_its_text_may_be_changed(name: str) -> None:
    """Not even where the step claims that it may: the tool's own model decides."""
    claims = {**REPLY, "editable": ["text", "citations", "public"]}
    with pytest.raises(EditNotAllowedError):
        apply_edits([claims], (edit("reply", **{name: REPLY["args"][name]}),))


def test_step_of_an_unknown_tool_cannot_be_edited() -> None:
    """It can be agreed to or dropped, but its bounds are unknown."""
    unknown = {**REPLY, "tool": "launch"}
    assert apply_edits([unknown], ()) == [unknown]
    with pytest.raises(EditNotAllowedError):
        apply_edits([unknown], (edit("reply", text="Dear Ann"),))


def test_every_tool_with_an_effect_declares_what_may_be_edited() -> None:
    """Only amounts, which go down, and texts."""
    for effect in EFFECTS.values():
        for name, way in effect.editable.items():
            kind = effect.args.model_json_schema()["properties"][name]["type"]
            assert kind == {"down": "integer", "text": "string"}[way]


def test_changes_are_shown_to_who_must_agree_as_well() -> None:
    """Every lowered amount with both values, every dropped step, each rewritten text."""
    lowered = apply_edits(PLAN, (edit(amount_minor=100), edit(SECOND, drop=True)))
    assert changes_made("Ann", PLAN, lowered) == [
        "Ann changed amount_minor of refund-pay_1 from 4900 to 100",
        "Ann dropped refund-pay_2",
    ]
    rewritten = apply_edits([REPLY], (edit("reply", text="Dear Ann"),))
    assert changes_made("Ann", [REPLY], rewritten) == ["Ann changed text of reply"]
    assert changes_made("Ann", PLAN, PLAN) == []


def test_edits_name_each_step_of_the_plan_once() -> None:
    """Neither a step of another plan, nor one step twice."""
    assert refused(edit("refund-pay_9")) == "/steps/0/id"
    assert refused(edit(), edit("refund-pay_9")) == "/steps/1/id"
    assert refused(edit(amount_minor=1), edit(amount_minor=2)) == "/steps/0/id"
    assert refused(edit(), edit(SECOND, amount_minor=10**6)) == "/steps/1/args/amount_minor"


def answer(verdict: Any, *edits: StepEdit) -> GivenAnswer:
    """A request to decide."""
    return GivenAnswer(approval_id=RUN, digest="", verdict=verdict, edits=edits, comment="")  # type: ignore[arg-type]  # the id is not looked at


def test_verdict_is_one_that_was_offered() -> None:
    """An approval of a plan does not take a reply."""
    approval = Approval(steps=PLAN, verdicts=["approve", "edit", "reject"])
    assert decided_steps(approval, answer("approve")) == PLAN
    assert decided_steps(approval, answer("reject")) == []
    assert amounts(decided_steps(approval, answer("edit", edit(amount_minor=1))))[0] == 1
    with pytest.raises(VerdictNotAllowedError, match="approve, edit, reject"):
        decided_steps(approval, answer("respond"))


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_only_the_verdict_edit_edits(verdict: str) -> None:
    """Who approves agrees to what was shown; an edit beside it is a mistake, not a wish."""
    approval = Approval(steps=PLAN, verdicts=["approve", "edit", "reject"])
    with pytest.raises(EditNotAllowedError, match="edit"):
        decided_steps(approval, answer(verdict, edit(amount_minor=1)))


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        (None, None),
        ({"USD": 64_900, "JPY": 5800}, None),
        ({"USD": 64_899, "JPY": 5800}, "649.00 USD"),
        ({"USD": 64_900, "JPY": 5799}, "5800 JPY"),
        ({"USD": 10**9}, "5800 JPY"),
        ({}, "649.00 USD"),
    ],
)
def test_limit_of_a_key_counts_the_whole_plan(limits: Any, over: str | None) -> None:
    """Currency by currency, the sum of all steps; what is not named is 0, no limits is no limit."""
    key = ApiKey(approve_limits=limits)
    if over is None:
        refuse_over_limit(key, PLAN)
        return
    with pytest.raises(OverLimitError, match=over) as refusal:
        refuse_over_limit(key, PLAN)
    assert (refusal.value.status, refusal.value.code) == (403, "over-limit")


def test_rejecting_is_never_over_a_limit() -> None:
    """A plan of nothing moves nothing; a lowered one counts as it was left."""
    refuse_over_limit(ApiKey(approve_limits={}), [])
    left = apply_edits(PLAN[:1], (edit(amount_minor=100),))
    refuse_over_limit(ApiKey(approve_limits={"USD": 100}), left)
