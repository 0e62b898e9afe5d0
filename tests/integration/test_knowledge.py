"""Articles: chunks, languages, fresh edits, and a real-sized knowledge base."""

import json
from pathlib import Path

import pytest

from app.adapters.knowledge import PostgresKnowledge
from app.commands.articles import read_source, store
from app.db.articles import delete_article, put_article
from app.db.engine import Sessions
from tests.conftest import Tenant

BANKING = Path(__file__).parents[3] / "shared" / "data" / "kb" / "banking_documents.jsonl"


@pytest.fixture
def knowledge(sessions: Sessions, tenant: Tenant) -> PostgresKnowledge:
    """The tenant's articles, the demo's to begin with."""
    return PostgresKnowledge(sessions, tenant.id)


@pytest.mark.parametrize(
    ("query", "language", "article"),
    [
        ("upload error E42", "en", "upload-error-e42"),
        ("E42", "en", "upload-error-e42"),
        ("forgot my password, how to reset it", "en", "reset-password"),
        ("when are you open", "en", "opening-hours"),
        ("Wie kann ich mein Passwort zurücksetzen?", "de", "passwort-zuruecksetzen"),
        ("two factor authentication codes", None, "two-factor-authentication"),
    ],
)
async def test_the_article_that_knows_comes_first(
    knowledge: PostgresKnowledge, query: str, language: str | None, article: str
) -> None:
    """Best first, one passage an article."""
    found = await knowledge.search([query], language, 5)
    assert found[0]["article_id"] == article
    assert len({passage["article_id"] for passage in found}) == len(found)


async def test_edits_are_found_at_once_and_deletions_are_gone(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """No index lags behind."""
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "a", "Quokkas", "Quokkas smile.", "en")
    assert (await knowledge.search(["quokka"], "en", 5))[0]["text"] == "Quokkas smile."
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "a", "Quokkas", "Quokkas sleep.", "en")
    assert (await knowledge.search(["quokka"], "en", 5))[0]["text"] == "Quokkas sleep."
    async with sessions.begin() as session:
        assert await delete_article(session, tenant.id, "a")
    assert await knowledge.search(["quokka"], "en", 5) == []


async def test_a_long_article_answers_with_the_part_that_fits(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """The end of a long text is found as well as its beginning."""
    sentence = "Paragraph {} speaks of ordinary things at length. "
    filler = "\n\n".join(sentence.format(n) * 8 for n in range(40))
    text = f"{filler}\n\nThe secret ingredient is cardamom."
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "long", "A long text", text, "en")
    [best, *_] = await knowledge.search(["secret ingredient cardamom"], "en", 3)
    assert "cardamom" in best["text"]
    assert len(best["text"]) < 3000


async def test_queries_of_odd_characters_find_nothing_and_break_nothing(
    knowledge: PostgresKnowledge,
) -> None:
    """Full-text syntax is data."""
    for query in ("'", '"', "a & | ! b", "\\", "<->", "(((", "or or or", " ", "' OR 1=1 --", "%_"):
        assert isinstance(await knowledge.search([query], "en", 5), list)


@pytest.mark.skipif(not BANKING.exists(), reason="the shared data folder is not here")
async def test_a_real_knowledge_base_is_imported_and_searched(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """698 documents; each of every tenth title finds its own document among the first five."""
    articles = read_source(BANKING)
    assert len(articles) == 698
    async with sessions.begin() as session:
        await store(session, tenant.id, articles)
    asked = [json.loads(line) for line in BANKING.read_text().splitlines()][::10]
    hits = 0
    for document in asked:
        found = await knowledge.search([document["title"]], "en", 5)
        hits += document["id"] in {passage["article_id"] for passage in found}
    assert hits >= 0.85 * len(asked)
