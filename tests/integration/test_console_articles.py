"""The console's articles: what a question finds, the runs that cite one, and how they change."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.adapters.ports.knowledge import PostgresKnowledge
from app.db.knowledge.articles import get_article
from app.db.tables.knowledge import Article
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, serving_console, words
from tests.integration.place import E42
from tests.integration.workplace import Workplace

ARTICLES = "/console/articles"
EDITOR = ("articles:write", "runs:read")
NEW = {"version": "0", "id": "a/b", "title": "Hours <b>", "language": "en", "questions": "",
       "content": "We are open 9 to 5."}  # fmt: skip


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def stored(console: Console, article_id: str) -> Article | None:
    """The article as it is now."""
    async with console.service.sessions() as session:
        return await get_article(session, console.tenant.id, article_id)


def listed(page: httpx.Response) -> list[str]:
    """The articles that a page leads to, in its order."""
    return re.findall(r'href="/console/articles/([^"/?]+)" data-item', page.text)


async def test_search_finds_what_the_workflow_finds(console: Console) -> None:
    """The same articles in the same order with their scores, by the language of the words."""
    ann = await console.sign_in("Ann", "runs:read")
    question = "Wie kann ich mein Passwort zurücksetzen?"
    found = await ann.get("/console/article-search", params={"question": question})
    knowledge = PostgresKnowledge(console.service.sessions, console.tenant.id)
    expected = await knowledge.search([question], "de", 8)
    assert listed(found) == [passage["article_id"] for passage in expected]
    assert expected[0]["article_id"] == "passwort-zuruecksetzen"
    text = words(found)
    assert f"{expected[0]['score']:.3f} 100 % of the best" in text
    assert "read as de" in text
    assert len(found.content) < 100_000
    none = await ann.get("/console/article-search", params={"question": "xyzzyq"})
    assert "Nothing is found." in words(none)
    empty = await ann.get("/console/article-search", params={"question": " "})
    assert empty.headers["Location"] == ARTICLES


async def test_article_names_the_runs_that_cite_it(console: Console, service: Service) -> None:
    """For who may read runs; another tenant's and others of the same words are not there."""
    work = Workplace(service, console.tenant)
    run = await work.advance(await work.start(E42, ticket="T-42"))
    ann = await console.sign_in("Ann", "runs:read")
    page = await ann.get(f"{ARTICLES}/upload-error-e42")
    assert f'href="/console/runs/{run.id}"' in page.text
    assert "Ticket T-42" in words(page)
    assert "No run." in words(await ann.get(f"{ARTICLES}/opening-hours"))
    editor = await console.sign_in("Ed", "articles:write")
    hidden = words(await editor.get(f"{ARTICLES}/upload-error-e42"))
    assert "your key needs the scope runs:read" in hidden
    assert "T-42" not in hidden


@pytest.mark.no_articles
async def test_article_is_made_edited_and_deleted(console: Console) -> None:
    """The next search finds it as it is; its id may hold a slash, its text is no markup."""
    ed = await console.sign_in("Ed", *EDITOR)
    assert "There are no articles." in words(await ed.get(ARTICLES))
    made = await ed.post(ARTICLES, data=NEW | {"questions": "When are you open?\r\n\r\nHours?"})
    assert (made.status_code, made.headers["Location"]) == (303, f"{ARTICLES}/a%2Fb?stored=yes")
    page = await ed.get(made.headers["Location"])
    assert "Stored." in words(page)
    assert "Hours <b>" in words(page)
    assert "<b> " not in page.text.replace("<b>Tenant", "")
    article = await stored(console, "a/b")
    assert article is not None
    assert (article.questions, article.version) == (["When are you open?", "Hours?"], 1)
    assert listed(await ed.get(ARTICLES)) == ["a%2Fb"]
    search = {"question": "when are you open"}
    assert listed(await ed.get("/console/article-search", params=search)) == ["a%2Fb"]
    form = await ed.get(f"{ARTICLES}/a%2Fb/edit")
    assert 'name="version" value="1"' in form.text
    edited = await ed.post(ARTICLES, data=NEW | {"version": "1", "content": "Closed.\r\nAlways."})
    assert edited.status_code == 303
    article = await stored(console, "a/b")
    assert article is not None
    assert (article.content, article.version) == ("Closed.\nAlways.", 2)
    gone = await ed.post(f"{ARTICLES}/a%2Fb/delete", data={"version": "2"})
    assert gone.status_code == 303
    assert "The article is deleted." in words(await ed.get(gone.headers["Location"]))
    assert (await ed.get(f"{ARTICLES}/a%2Fb")).status_code == 404
    assert (await ed.get(f"{ARTICLES}/a%2Fb/edit")).status_code == 404


@pytest.mark.no_articles
async def test_two_editors_lose_nothing(console: Console) -> None:
    """Who is second keeps what they typed and reads what stands there; a new id takes no other."""
    ed = await console.sign_in("Ed", *EDITOR)
    assert (await ed.post(ARTICLES, data=NEW)).status_code == 303
    twice = await ed.post(ARTICLES, data=NEW | {"content": "Mine"})
    assert twice.status_code == 409
    assert "We are open 9 to 5." in words(twice)
    assert "Mine</textarea>" in twice.text
    assert (await ed.post(ARTICLES, data=NEW | {"version": "1", "title": "B"})).status_code == 303
    late = await ed.post(ARTICLES, data=NEW | {"version": "1", "content": "Late"})
    assert late.status_code == 409
    assert 'name="version" value="2"' in late.text
    assert (await ed.post(f"{ARTICLES}/a%2Fb/delete", data={"version": "1"})).status_code == 409
    assert (await ed.post(f"{ARTICLES}/a%2Fb/delete", data={"version": "2"})).status_code == 303
    again = await ed.post(ARTICLES, data=NEW | {"version": "2", "content": "Kept"})
    assert again.status_code == 409
    assert "was deleted meanwhile" in words(again)
    assert await stored(console, "a/b") is None
    assert (await ed.post(f"{ARTICLES}/a%2Fb/delete", data={"version": "0"})).status_code == 404


@pytest.mark.no_articles
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": "a b"}, "Id: 1 to 128"),
        ({"id": ".."}, "Id: 1 to 128"),
        ({"title": " "}, "Title: String should have at least 1 character"),
        ({"content": ""}, "Content: String should have at least 1 character"),
        ({"language": "xx-1"}, "Language: Should be a language tag"),
        ({"questions": "q\n" * 51}, "Questions: List should have at most 50 items"),
        ({"questions": "q" * 301}, "Questions: String should have at most 300 characters"),
    ],
)
async def test_wrong_field_is_named(console: Console, fields: dict[str, str], said: str) -> None:
    """Beside what was typed; nothing is stored."""
    ed = await console.sign_in("Ed", "articles:write")
    answer = await ed.post(ARTICLES, data=NEW | fields)
    assert answer.status_code == 422
    assert said in words(answer)
    assert await stored(console, "a/b") is None


@pytest.mark.no_articles
async def test_articles_are_changed_by_their_scope_alone(console: Console) -> None:
    """A reader is offered nothing; a key of `articles:write` alone is led to the articles."""
    ed = await console.sign_in("Ed", "articles:write")
    led = await ed.get("/console")
    assert (led.status_code, led.headers["Location"]) == (303, ARTICLES)
    assert (await ed.get("/console/runs")).status_code == 403
    assert (await ed.get("/console/settings")).status_code == 403
    assert (await ed.post(ARTICLES, data=NEW)).status_code == 303
    ann = await console.sign_in("Ann", "runs:read")
    assert "Change it" not in words(await ann.get(f"{ARTICLES}/a%2Fb"))
    assert "New article" not in words(await ann.get(ARTICLES))
    for path in ("/console/new-article", f"{ARTICLES}/a%2Fb/edit"):
        assert (await ann.get(path)).status_code == 403
    for path in (ARTICLES, f"{ARTICLES}/a%2Fb/delete"):
        assert (await ann.post(path, data={"version": "1"})).status_code == 403
    root = await console.sign_in("Root", "admin")
    assert (await root.get(ARTICLES)).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    stranger = await ed.post(f"{ARTICLES}/a%2Fb/delete", data={"version": "1"}, headers=foreign)
    assert stranger.status_code == 403
    assert await stored(console, "a/b") is not None
