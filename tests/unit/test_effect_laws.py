"""Laws that hold for every effect of the catalog, also for one that is added tomorrow."""

import ast
import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import EditNotAllowedError
from app.services.approvals.edit import StepEdit, apply_edits
from graphs.nodes.escalate import holding_reply
from graphs.policy import GRANTS, Policy, gate
from graphs.reply.assemble import with_sentences
from graphs.reply.checks import objections
from graphs.reply.facts import Facts
from graphs.run.replay import UNKNOWN_TRIAGE, replay_policy
from graphs.state import DoneStep, Objection, fresh_run
from tests.cases import some
from tests.fakes import FakeGate, World
from tests.unit.desk import ROOT, ticket
from tests.unit.effect_args import JUNK, args_of
from tests.unit.test_checks import facts
from tests.unit.test_grants import untouched
from tests.unit.test_hostile import POISON
from tools.catalog import EFFECTS, TOOLS, money_of
from tools.effect import Effect
from tools.errors import ApprovalRequiredError, RefusedError
from tools.ports import Caller
from tools.strategies import rehearse
from tools.toolbox import Toolbox
from tools.wording import LANGUAGES

# Hypothesis goes over the same lines many times: to trace them takes most of the time.
pytestmark = pytest.mark.no_cover

ALL = list(EFFECTS.values())
GATED = [effect for effect in ALL if effect.gated]
WORDED = [effect for effect in ALL if effect.kind != "reply"]
HANDED_OVER: Any = {"agent": {"name": "Mia"}, "queue_position": None, "opens_at": None}
CALLER = Caller("acme", "cus_ann", "T1", UUID(int=1), 1)
few = settings(max_examples=25, deadline=None)
# For a law that is held once a language.
fewer = settings(max_examples=5, deadline=None)


def every(effects: list[Effect[Any]]) -> pytest.MarkDecorator:
    """The law for each of these effects."""
    return pytest.mark.parametrize("effect", effects, ids=lambda effect: effect.name)


def toolbox(effect: Effect[Any], world: World) -> Toolbox:
    """The toolbox of a node that may call the effect."""
    node = next(node for node in GRANTS if effect.permission in GRANTS[node])
    return world.toolbox(node)


def done(effect: Effect[Any], args: Any) -> DoneStep:
    """The effect as a run remembers it."""
    given = args.model_dump(mode="json")
    return {"step_id": "s", "tool": effect.name, "args": given, "result": effect.simulate(args)}


def judged(text: str, known: Facts, language: str) -> list[Objection]:
    """The objections to a reply."""
    return objections({"text": text, "citations": []}, known, ticket("Hello"), language)


def test_a_name_is_one_effect_and_no_tool_that_only_reads() -> None:
    """What a step or a row of the ledger names is found by that name, and is that alone."""
    assert all(effect.name == name for name, effect in EFFECTS.items())
    assert {name for name, tool in TOOLS.items() if isinstance(tool, Effect)} == set(EFFECTS)
    assert all(tool.name == name for name, tool in TOOLS.items())


def test_no_code_outside_tools_names_an_effect() -> None:
    """Code that knows an effect by its name would have to be changed for the next one."""
    found = [
        f"{path}:{node.lineno}"
        for folder in ("app", "graphs")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in EFFECTS
    ]
    assert found == [], "ask the effect for what is special about it, as tools/effect.py has it"


def test_only_a_reply_and_a_hand_off_need_no_permit() -> None:
    """Everything that is done for a customer passes the gate."""
    assert {effect.kind for effect in ALL if not effect.gated} == {"reply", "handoff"}
    assert all(effect.gated for effect in ALL if effect.kind == "action")


@every(GATED)
@few
@given(data=st.data())
def test_gated_effect_needs_a_person_under_the_strictest_rules(
    effect: Effect[Any], data: st.DataObject
) -> None:
    """A replay's policy lets no gated step of a plan pass without a person."""
    step = effect.step("s", data.draw(args_of(effect)), "because")
    generous = Policy(refund_auto_limit={"USD": 10**12}, bulk_mail_gate_from=10**9)
    reasons = gate([step], replay_policy(generous, replied=True), {})
    assert reasons
    assert all(reason.strip() for reason in reasons)


@every(ALL)
@few
@given(data=st.data())
def test_step_that_cannot_be_carried_out_needs_a_person(
    effect: Effect[Any], data: st.DataObject
) -> None:
    """Arguments that the toolbox would refuse pass no gate by being unreadable."""
    step = effect.step("s", data.draw(args_of(effect)), "because")
    broken = {**step["args"], "more": 1}
    assert gate([{**step, "args": broken}], Policy(), {})
    assert money_of({**step, "args": broken}) is None


@every(GATED)
@few
@given(data=st.data())
def test_gated_effect_never_passes_the_toolbox_without_a_permit(
    effect: Effect[Any], data: st.DataObject
) -> None:
    """No approval: no row, no call."""
    args = data.draw(args_of(effect)).model_dump(mode="json")
    world = World(gate=FakeGate(), may_mail=True)
    with pytest.raises(ApprovalRequiredError):
        asyncio.run(toolbox(effect, world).call(effect, args, step_id="s"))
    [asked] = world.gate.asked
    assert (asked.tool, asked.args) == (effect.name, args)
    world.gate.asked.clear()
    assert untouched(world)


@every(ALL)
@few
@given(data=st.data())
def test_gate_and_ledger_count_what_a_plan_counts(effect: Effect[Any], data: st.DataObject) -> None:
    """The same money in a step's sum, at the gate and in the ledger's row."""
    args = data.draw(args_of(effect))
    moved = effect.moves(args)
    assert money_of(effect.step("s", args, "because")) == moved
    world = World(may_mail=True)
    box = replace(toolbox(effect, world), strategy=_remember)
    call = asyncio.run(box.call(effect, args.model_dump(mode="json")))
    assert (call.amount_minor, call.currency) == (moved or (None, None))


async def _remember(call: Any) -> Any:
    return call.call


@every(WORDED)
@pytest.mark.parametrize("language", some(LANGUAGES, 3))
@fewer
@given(data=st.data())
def test_every_effect_is_named_in_the_reply(
    effect: Effect[Any], language: str, data: st.DataObject
) -> None:
    """In the customer's language, with every value, and the true reply passes every rule.

    So does the reply that a person answers for, when the run went no further.
    """
    step = done(effect, data.draw(args_of(effect)))
    known = facts(done=[step], language=language)
    [sentence] = known["sentences"]
    missing = [v for fact in known["effects"] for v in fact["values"] if v not in sentence]
    assert missing == [], f"the phrase of {effect.name} in {language!r} must name every value"
    english = facts(done=[step], language="en")["sentences"]
    assert (known["sentences"] == english) == (language == "en"), (
        f"{effect.name} needs a phrase in {language!r}"
    )
    assert judged(with_sentences("Hello!", known["sentences"]), known, language) == []
    assert judged(sentence, known, language) == []
    state: Any = {**fresh_run("r", ticket("Hello")), "findings": {}, "effects": [step]}
    state["triage"] = {**UNKNOWN_TRIAGE, "language": language}
    assert sentence in holding_reply(state, HANDED_OVER)


@every(WORDED)
@pytest.mark.parametrize("language", some(LANGUAGES, 3))
@fewer
@given(data=st.data())
def test_no_text_hides_an_effect(effect: Effect[Any], language: str, data: st.DataObject) -> None:
    """Left out, cut off, or woven into another sentence: code says it below, each effect once."""
    step = done(effect, data.draw(args_of(effect)))
    known = facts(done=[step], language=language)
    [sentence] = known["sentences"]
    for text in ("Hello!", f"Hello! {sentence[:-1]}", f"It is not true that {sentence}"):
        assert with_sentences(text, known["sentences"]) == f"{text}\n\n{sentence}"
    twice = facts(done=[step] * 2, language=language)
    assert with_sentences("Hello!", twice["sentences"]).count(sentence) == 2


@every([effect for effect in WORDED if effect.kind == "action"])
@pytest.mark.parametrize("poison", some(POISON, 3))
@fewer
@given(data=st.data())
def test_what_an_outside_system_wrote_is_a_name_or_is_not_said(
    effect: Effect[Any], poison: str, data: st.DataObject
) -> None:
    """A result's texts that were no arguments speak to no customer."""
    step = done(effect, data.draw(args_of(effect)))
    foreign = {
        name: poison
        for name, value in step["result"].items()
        # A status that is none of ours leaves the effect unsaid.
        if isinstance(value, str) and name not in {*step["args"], "status"}
    }
    step["result"] = {**step["result"], **foreign}
    [sentence] = facts(done=[step])["sentences"]
    assert poison not in sentence, (
        f"{effect.name} repeats a text of its result: give it to `names`, or compute it from the "
        "arguments"
    )


@every(ALL)
@few
@given(data=st.data())
def test_every_effect_can_be_rehearsed(effect: Effect[Any], data: st.DataObject) -> None:
    """Plain JSON marked as simulated, or the world's own objection; and nothing is touched."""
    args = data.draw(args_of(effect))
    world = World(gate=FakeGate(), may_mail=True)
    box = replace(toolbox(effect, world), strategy=rehearse)
    try:
        answer = asyncio.run(box.call(effect, args.model_dump(mode="json")))
        simulated = {**effect.simulate(args), "simulated": True}
        assert json.loads(json.dumps(answer)) == simulated, "`simulate` must give plain JSON"
    except RefusedError:
        assert effect.check is not None
    assert untouched(world)


@every(ALL)
def test_unknown_end_can_be_cleared_up(effect: Effect[Any]) -> None:
    """The outside system is asked by key, or the same call may simply be made again.

    Where only some providers promise that it may, it is looked for first.
    """
    assert effect.find is not None or effect.repeatable is True, (
        f"give {effect.name} a `find` that asks the provider by key, or `repeatable=True` if every "
        "provider drops a repeated key"
    )


@every(ALL)
@few
@given(data=st.data())
def test_an_edit_never_widens(effect: Effect[Any], data: st.DataObject) -> None:
    """Refused, or only marked arguments change: amounts and money down, texts to another text."""
    before = data.draw(args_of(effect))
    step: Any = {**effect.step("s", before, "because"), "editable": list(effect.args.model_fields)}
    other = data.draw(args_of(effect)).model_dump(mode="json")
    marked = {name: other[name] for name in effect.editable}
    anything = st.dictionaries(st.sampled_from(sorted(other)), JUNK)
    changes = data.draw(st.sampled_from([marked, other]) | anything)
    try:
        [left] = apply_edits([step], (StepEdit("s", changes, drop=False),))
    except EditNotAllowedError:
        return
    changed = {name for name, value in left["args"].items() if value != step["args"][name]}
    assert changed <= set(effect.editable), "mark what may be changed LOWERABLE or REWRITABLE"
    assert {**left, "args": step["args"]} == step
    for name in changed:
        old, new = step["args"][name], left["args"][name]
        assert new < old if effect.editable[name] == "down" else new.strip()
    old_money, new_money = money_of(step), money_of(left)
    assert (old_money is None) == (new_money is None)
    if old_money and new_money:
        assert new_money.currency == old_money.currency
        assert new_money.amount_minor <= old_money.amount_minor
    open_rules = Policy(refund_auto_limit={"USD": 500}, bulk_mail_gate_from=10)
    needed = {bool(effect.needs_person(effect.args(**s["args"]), open_rules)) for s in (step, left)}
    assert len(needed) == 1, "no edit takes a step past the gate"


@every(ALL)
@few
@given(data=st.data())
def test_key_is_the_business_fact(effect: Effect[Any], data: st.DataObject) -> None:
    """The same for the same call, in a replay and with other words; another on another ticket."""
    args = data.draw(args_of(effect))
    key = effect.key(args, CALLER)
    assert key == effect.key(effect.args(**args.model_dump(mode="json")), CALLER)
    replayed = replace(CALLER, run_id=UUID(int=2), attempt=7, replayed=(CALLER.run_id,))
    assert effect.key(args, replayed) == key, f"the key of {effect.name} must not name the run"
    texts = [name for name, way in effect.editable.items() if way == "text"]
    other = data.draw(args_of(effect))
    reworded = args.model_copy(update={name: getattr(other, name) for name in texts})
    assert effect.key(reworded, CALLER) == key, f"the key of {effect.name} must not hold {texts}"
    elsewhere = replace(CALLER, ticket_id="T2", run_id=UUID(int=3))
    assert effect.key(args, elsewhere) != key, f"the key of {effect.name} must name the ticket"


@few
@given(data=st.data())
def test_no_two_effects_share_a_key(data: st.DataObject) -> None:
    """Whatever their arguments are, the ledger never takes one for the other."""
    keys = [effect.key(data.draw(args_of(effect)), CALLER) for effect in ALL]
    assert len(set(keys)) == len(ALL), "begin the key with a word that no other effect has"


@every(ALL)
@few
@given(data=st.data())
def test_people_read_what_an_effect_is(effect: Effect[Any], data: st.DataObject) -> None:
    """A reviewer reads its risk; who drops it, and who reads the next ticket, has words for it."""
    args = data.draw(args_of(effect))
    step = effect.step("s", args, "because")
    assert step["risk"].strip()
    assert isinstance(effect.subject(step, lambda id_, _description=None: id_), str)
    if effect.remembered:
        assert effect.remembered(step["args"], effect.simulate(args)).strip()
