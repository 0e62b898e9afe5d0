"""What a person finds on a hand-off: a suggestion, and the articles that fit best."""

from typing import Any

import pytest

from graphs.reply.suggestion import (
    answering_sections,
    best_articles,
    found_passages,
    readable,
    suggestion,
)
from graphs.state import fresh_run
from tests.unit.desk import article, desk, ticket
from tools.models import Passage

PERSON = "Let me speak to a manager please. How do I reset my password?"


def passage(id_: str, text: str = "Text.") -> Passage:
    """What a search found."""
    return {"article_id": id_, "title": id_.upper(), "text": text, "score": 1.0}


def state(**changes: Any) -> Any:
    """A run's state with some keys changed."""
    return {**fresh_run("r", ticket("Hi")), **changes}


def test_sections_that_answer_are_whole() -> None:
    """The opening, and the first section where it lists steps; no headings."""
    opening, steps = answering_sections(article("reset-password")["text"])
    assert opening.startswith("To reset your password")
    assert steps.startswith("1. Open the sign-in page and choose **Forgot password?**\n2.")
    assert readable(steps).startswith("1. Open the sign-in page and choose Forgot password?\n2.")
    assert steps.endswith("Two-factor authentication stays switched on.")
    assert len(answering_sections(article("opening-hours")["text"])) == 1
    assert answering_sections("## Only\n\n1. One step") == ["1. One step"]
    assert answering_sections("") == []
    assert answering_sections("# Only a heading") == []


def test_refused_draft_comes_before_the_articles() -> None:
    """A model wrote it for this ticket; the person judges it."""
    refused = {"text": "Try this.", "citations": ["b"]}
    assert suggestion(state(refused_draft=refused), [passage("a")]) == refused
    assert suggestion(state(refused_draft={"text": " ", "citations": []}), []) is None
    greeting = {"text": "Hello Ann,", "citations": [], "claims": []}
    assert suggestion(state(refused_draft=greeting), []) is None
    assert suggestion(state(), [passage("a")]) == {"text": "Text.", "citations": ["a"]}
    assert suggestion(state(), []) is None


def test_best_articles_are_three_and_each_specialist_counts() -> None:
    """First each one's best; none twice, and a part's hand-off has its own."""
    lists = {"technical": ["a", "b", "c"], "general": ["d", "a"]}
    findings = {
        name: {"passages": [passage(id_) for id_ in ids], "payments": [], "steps": []}
        for name, ids in lists.items()
    }
    found = found_passages(state(findings=findings))
    assert [p["article_id"] for p in found] == ["a", "d", "b", "c"]
    assert [a["article_id"] for a in best_articles(found)] == ["a", "d", "b"]
    own = found_passages(state(findings=findings), "general")
    assert [p["article_id"] for p in own] == ["d", "a"]
    assert found_passages(state(findings=findings), "billing") == []
    assert best_articles([passage("a", "x" * 900)])[0]["excerpt"] == "x" * 500


async def test_escalate_searches_when_no_specialist_did() -> None:
    """A customer who asks for a person gets one who has the article at hand."""
    opened = desk("cus_eva", "reset-password", "sign-in-problems")
    done = await opened.start(PERSON)
    assert done["outcome"] == "escalated"
    assert opened.world.knowledge.queries == [["Help", PERSON]]
    handoff = done["handoff"]
    assert [a["article_id"] for a in handoff["articles"]] == ["reset-password", "sign-in-problems"]
    assert handoff["suggestion"]["citations"] == ["reset-password"]
    assert opened.world.conversations.suggestions == [handoff["suggestion"]]
    assert opened.world.conversations.articles == [handoff["articles"]]
    assert "Forgot password" not in done["reply"]["text"]


@pytest.mark.parametrize("failure", ["down", "broken"])
async def test_failed_search_stops_no_handoff(failure: str) -> None:
    """The person comes first; the articles are a help."""
    opened = desk("cus_eva", "reset-password")
    opened.world.knowledge.down = failure == "down"
    if failure == "broken":
        opened.world.knowledge.passages = None  # type: ignore[assignment]  # a bug of a search
    done = await opened.start(PERSON)
    assert done["outcome"] == "escalated"
    assert (done["handoff"]["suggestion"], done["handoff"]["articles"]) == (None, [])
