"""Articles: chunks, languages, fresh edits, and a real-sized knowledge base."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from app.adapters.ports.knowledge import PostgresKnowledge
from app.commands.articles import look_over, read_source, store
from app.db.core.connections import Sessions
from app.db.knowledge.articles import delete_article, put_article
from app.db.knowledge.bm25 import asked_parts, rank_chunks
from app.db.knowledge.search import search_articles
from graphs.llm.token_estimate import estimate_tokens
from tests.conftest import Tenant
from tests.integration.reads import rows_read

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


async def test_article_is_found_by_the_questions_it_declares(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """They count as its title does, come with the passage, and a change of them is an edit."""
    asked = ["How do numbats brush their teeth?"]
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "n", "Numbats", "They eat.", "en", asked)
    [found, *_] = await knowledge.search(["numbats teeth"], "en", 5)
    assert (found["questions"], found["opens"]) == (asked, True)
    async with sessions.begin() as session:
        same = await put_article(session, tenant.id, "n", "Numbats", "They eat.", "en", asked)
        assert same.version == 1
        edited = await put_article(session, tenant.id, "n", "Numbats", "They eat.", "en")
        assert (edited.version, edited.questions) == (2, [])
    assert await knowledge.search(["teeth"], "en", 5) == []
    async with sessions.begin() as session:
        await delete_article(session, tenant.id, "n")


async def test_a_long_article_answers_with_the_part_that_fits(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """The end of a long text is found as well as its beginning."""
    sentence = "Paragraph {} speaks of ordinary things at length. "
    filler = "\n\n".join(sentence.format(n) * 8 for n in range(40))
    content = f"{filler}\n\nThe secret ingredient is cardamom."
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "long", "A long text", content, "en")
    [best, *_] = await knowledge.search(["secret ingredient cardamom"], "en", 3)
    assert "cardamom" in best["text"]
    assert len(best["text"]) < 3000
    [best, *_] = await knowledge.search(["A long text"], "en", 3)
    assert len(best["text"]) > 3000, "what follows is joined while the budget allows"


async def test_a_word_that_is_rare_counts_more_than_a_usual_one(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """The article with the strange word wins against twenty that say the usual one twice."""
    async with sessions.begin() as session:
        for number in range(20):
            content = "The printer prints a page of paper."
            await put_article(session, tenant.id, f"p{number}", f"Note {number}", content, "en")
        await put_article(session, tenant.id, "z", "Odd", "The zygote stands by the page.", "en")
    [best, *_] = await knowledge.search(["printer zygote"], "en", 5)
    assert best["article_id"] == "z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("unlocking the numbat", "numbat"),
        ("numbaat", "numbat"),
        ("quick red wombat", "pair"),
    ],
)
async def test_parts_and_pairs_of_words_find_what_words_do_not(
    knowledge: PostgresKnowledge,
    sessions: Sessions,
    tenant: Tenant,
    query: str,
    found: str,
) -> None:
    """A misspelled word, and of two articles with the same words the one with them together."""
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "numbat", "Numbats", "Numbats are locked.", "en")
        apart = "A wombat is quick. Some paint is red."
        await put_article(session, tenant.id, "apart", "Animals", apart, "en")
        together = "A red wombat. Some paint is quick."
        await put_article(session, tenant.id, "pair", "Animals", together, "en")
    assert (await knowledge.search([query], "en", 3))[0]["article_id"] == found


async def test_second_round_finds_what_is_near_the_first(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """By the title of the best article, in the words of the knowledge base."""
    async with sessions.begin() as session:
        title = "Quokka enclosure rules"
        await put_article(session, tenant.id, "first", title, "Never feed zygotes.", "en")
        await put_article(session, tenant.id, "near", "Enclosure rules", "Close gates.", "en")
    once = await knowledge.search(["zygotes"], "en", 5)
    assert [passage["article_id"] for passage in once] == ["first"]
    twice = await knowledge.search(["zygotes"], "en", 5, second_round=True)
    assert [passage["article_id"] for passage in twice[:2]] == ["first", "near"]
    assert await knowledge.search(["xyzzy"], "en", 5, second_round=True) == []


async def test_several_queries_are_searched_together(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """Each finds its article among the first."""
    queries = ["reset password", "opening hours", "E42"]
    found = [passage["article_id"] for passage in await knowledge.search(queries, "en", 5)]
    assert {"reset-password", "upload-error-e42", "opening-hours"} <= set(found)


async def test_a_search_reads_words_from_the_index_alone(
    sessions: Sessions, tenant: Tenant
) -> None:
    """The rows of words stay unread, however many there are."""
    many = """
        INSERT INTO article_terms (tenant_id, term, chunk_id, weight)
        SELECT tenant_id, 'word' || i, id, 1 FROM article_chunks, generate_series(1, 300) AS i
        WHERE tenant_id = :tenant"""
    async with sessions.begin() as session:
        await session.execute(text(many), {"tenant": tenant.id})
    await look_over(sessions.kw["bind"])
    async with sessions() as session:
        before = await rows_read(session, "article_terms")
        assert await rank_chunks(
            session, tenant.id, asked_parts(["word7 word8 word9"]), "english", 5
        )
        assert await rows_read(session, "article_terms") == before


async def test_each_question_of_a_long_letter_finds_its_article(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Three questions and two anecdotes in one letter; three articles among the first ten."""
    letter = (
        "Hello, hope you are well! My dog ate the manual, which is a long story about a very"
        " long weekend with my aunt. How do I reset my password? The upload fails with E42."
        " What are the opening hours of your support? Best regards, Kim"
    )
    knowledge = PostgresKnowledge(sessions, tenant.id, context_tokens=20_000)
    found = [passage["article_id"] for passage in await knowledge.search([letter], "en", 10)]
    assert {"reset-password", "upload-error-e42", "opening-hours"} <= set(found)


@pytest.mark.parametrize(
    ("language", "title", "content", "query"),
    [
        (
            "ja",
            "パスワードの再設定",
            "設定画面で新しいパスワードを登録します。",
            "パスワードを忘れました",
        ),
        ("zh", "退款政策", "我们在十四天内退还全部费用。", "请问费用怎么退还?"),
        ("th", "รีเซ็ตรหัสผ่าน", "กดลิงก์ในอีเมลเพื่อตั้งรหัสผ่านใหม่", "ลืมรหัสผ่านแล้ว"),
        ("ko", "비밀번호 재설정", "설정에서 비밀번호를 바꿉니다.", "비밀번호가 기억나지 않아요"),
    ],
)
async def test_scripts_without_spaces_are_found_by_their_words(
    knowledge: PostgresKnowledge,
    sessions: Sessions,
    tenant: Tenant,
    language: str,
    title: str,
    content: str,
    query: str,
) -> None:
    """A question shares a word with the article, though nothing marks where the word ends."""
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "own-script", title, content, language)
    [best, *_] = await knowledge.search([query], language, 5)
    assert best["article_id"] == "own-script"
    assert best["text"] == content


async def test_of_two_that_say_the_same_the_customers_language_comes_first(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """An error code is the same word in every language."""
    async with sessions.begin() as session:
        for id_, language in (("a-en", "en"), ("b-de", "de")):
            await put_article(session, tenant.id, id_, "X9917", "X9917 Status", language)
    for language, first in (("de", "b-de"), ("en", "a-en")):
        assert (await knowledge.search(["X9917"], language, 5))[0]["article_id"] == first


async def test_passages_fit_the_budget(sessions: Sessions, tenant: Tenant) -> None:
    """Whatever is found, the model reads no more than was set, in whole sentences."""
    small = PostgresKnowledge(sessions, tenant.id, context_tokens=200)
    found = await small.search(["how do I reset my password and invite members"], "en", 5)
    assert found
    assert sum(estimate_tokens(p["title"]) + estimate_tokens(p["text"]) for p in found) <= 200


async def test_queries_of_odd_characters_find_nothing_and_break_nothing(
    knowledge: PostgresKnowledge,
) -> None:
    """Full-text syntax is data."""
    for query in ("'", '"', "a & | ! b", "\\", "<->", "(((", "or or or", " ", "' OR 1=1 --", "%_"):
        assert isinstance(await knowledge.search([query], "en", 5), list)


@pytest.mark.thorough
@pytest.mark.skipif(not BANKING.exists(), reason="the shared data folder is not here")
async def test_a_real_knowledge_base_is_imported_and_searched(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant
) -> None:
    """Every fourth of 698 documents is stored, and nearly each title finds its own among five.

    `make bench-retrieval` asks all of them: to index them here took 20 s.
    """
    articles = read_source(BANKING)
    assert len(articles) == 698
    async with sessions.begin() as session:
        await store(session, tenant.id, articles[::4])
    asked = [json.loads(line) for line in BANKING.read_text().splitlines()][::4][:70]
    hits = 0
    for document in asked:
        found = await knowledge.search([document["title"]], "en", 5)
        hits += document["id"] in {passage["article_id"] for passage in found}
    assert hits >= 0.85 * len(asked)


@pytest.mark.parametrize("tag", ["pt-BR", "PT", "pt"])
async def test_article_is_found_by_the_language_of_its_tag(
    knowledge: PostgresKnowledge, sessions: Sessions, tenant: Tenant, tag: str
) -> None:
    """Its words are stemmed as those of its language, and the tag is kept as given."""
    async with sessions.begin() as session:
        stored = await put_article(session, tenant.id, "a", "Quocas", "Quocas sorriem.", tag)
    assert stored.language == tag
    [passage] = await knowledge.search(["uma quoca"], "pt-PT", 1)
    assert passage["article_id"] == "a"


async def test_search_prefers_the_language_that_it_names(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Of two articles that say the same, the one in the searched language comes first."""
    async with sessions.begin() as session:
        for name, tag in (("a-pt", "pt-BR"), ("b-en", "en-US"), ("c-de", "de-AT")):
            await put_article(session, tenant.id, name, "Zyxomat", "Zyxomat 4711.", tag)
    async with sessions() as session:
        for tag, first in (("PT", "a-pt"), ("en", "b-en"), ("de-CH", "c-de")):
            found = await search_articles(session, tenant.id, "zyxomat 4711", tag, 3)
            assert found[0].id == first
