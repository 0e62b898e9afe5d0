"""A language tag with a region is taken everywhere, kept as given, and answered in its language."""

from typing import Any

import httpx
import pytest

from tests.acceptance.refusals import expect_refused, pointers
from tests.acceptance.stack import Client, ticket

PERSON = "I want to speak to a human being, please."


def started(starter: Client, language: str) -> str:
    """The id of a run on a ticket in that language, which a person answers."""
    body = ticket("cus_lou", PERSON)
    body["ticket"]["language"] = language
    answer = starter.http.post("/v1/runs?wait=20", json=body)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["status"], answer.json()["language"]) == ("success", language)
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("language", "thanks"),
    [("pt-BR", "Obrigado pela sua mensagem."), ("EN", "Thank you for your message."),
     ("de-AT", "Vielen Dank"), ("fil", "Thank you for your message.")],
)  # fmt: skip
def test_run_keeps_the_tag_and_speaks_its_language(
    starter: Client, language: str, thanks: str
) -> None:
    """The run shows the tag of its ticket; the sentences of code are in its language."""
    assert starter.run(started(starter, language))["reply"]["text"].startswith(thanks)


def test_replay_takes_a_tag(starter: Client) -> None:
    """In the ticket and in the triage that a replay replaces."""
    run = started(starter, "EN")
    steps = starter.http.get(f"/v1/runs/{run}/steps").json()["items"]

    def replay(step: int, state: Any) -> httpx.Response:
        body = {"checkpoint_id": steps[step]["checkpoint_id"], "dry_run": True, "state": state}
        return starter.http.post(f"/v1/runs/{run}/replay?wait=20", json=body)

    again = replay(0, {"ticket": {"language": "pt-BR"}}).json()
    assert (again["status"], again["language"]) == ("success", "pt-BR")
    other = replay(1, {"triage": {"language": "de-AT", "intents": ["general"]}})
    assert (other.status_code, other.json()["language"]) == (202, "de-AT")
    refusal = expect_refused(replay(1, {"triage": {"language": "xx"}}), 422, "invalid-request")
    assert pointers(refusal) == ["/state/triage/language"]


def test_articles_take_a_tag(admin: Client) -> None:
    """Stored as given, found by a search that names it, and refused when no people speak it."""
    article = {"title": "Zyxomat", "content": "Zyxomat 4711.", "language": "pt-BR"}
    stored = admin.http.put("/v1/articles/zyxomat", json=article)
    assert (stored.status_code, stored.json()["language"]) == (200, "pt-BR")
    for language in ("pt-BR", "PT", "en-US"):
        found = admin.http.get("/v1/articles", params={"q": "zyxomat", "language": language})
        assert [item["language"] for item in found.json()["items"]] == ["pt-BR"]
    refused = admin.http.put("/v1/articles/zyxomat", json={**article, "language": "xx"})
    assert pointers(expect_refused(refused, 422, "invalid-request")) == ["/language"]
    for params in ({"q": "zyxomat", "language": "xx"}, {"language": "pt"}):
        refused = admin.http.get("/v1/articles", params=params)
        assert pointers(expect_refused(refused, 422, "invalid-request")) == ["query/language"]
