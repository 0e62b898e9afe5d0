"""The version of a graph: what a paused run must fit, and nothing else."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from graphs.run.compatibility import graph_version, incompatible_keys
from graphs.state import fresh_run
from tests.unit.desk import ticket


def version(fields: dict[str, Any], words: str = "A plan.") -> str:
    """That of a graph of one node whose state holds a plan of these fields."""
    plan: Any = TypedDict("plan", fields)  # type: ignore[misc]  # made for this test
    plan.__doc__ = words
    state: Any = TypedDict("state", {"plan": plan})
    builder = StateGraph(state)
    builder.add_node("ask", lambda state: state)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", END)
    return graph_version(builder.compile())


def test_every_field_of_the_state_counts() -> None:
    """Deep inside a plan as well: added, taken away, or of another type."""
    known: dict[str, Any] = {"steps": list[str], "description": str}
    others = [{**known, "risk": str}, {"steps": list[str]}, {**known, "description": int}]
    assert len({version(fields) for fields in (known, *others)}) == 4


def test_words_about_the_state_do_not_count() -> None:
    """A docstring is no shape."""
    known = {"steps": list[str]}
    assert version(known) == version(known, "What is proposed.")


def test_misfits_are_named_and_not_quoted() -> None:
    """The place and the rule, without the value, which is the customer's."""
    fresh = {**fresh_run("r1", ticket("Hi")), "findings": {}}
    assert incompatible_keys(fresh) == {}
    assert incompatible_keys({"branch:to:plan": None, "plan": None}) == {}
    wrong = incompatible_keys(
        {**fresh, "ticket": {**ticket("Hi"), "body": ["secret"]}, "drafts": "1"}
    )
    assert set(wrong) == {"ticket", "drafts"}
    assert wrong["ticket"] == "ticket.body: Input should be a valid string"
    assert "secret" not in str(wrong)
