"""Articles from files, and articles in parts."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.articles import SourceError, read_jsonl, read_markdown, read_source
from app.db.knowledge.articles import CHUNK_CHARS, chunks, config_for
from graphs.text.tokens import WORD
from tests.unit.desk import ARTICLES

PARAGRAPH = st.text(alphabet="ab c.\nß日🙂", max_size=400)


def markdown(folder: Path, text: str, name: str = "upload-error.md") -> Path:
    """A file of one article."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def jsonl(folder: Path, *lines: str) -> Path:
    """A file of one article a line."""
    path = folder / "articles.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_markdown_gives_id_title_content_and_language(tmp_path: Path) -> None:
    """The file's name, its first heading, a comment, and the rest."""
    text = "# Öffnungszeiten\n<!-- language: de -->\n\nVon 8 bis 18 Uhr.\n\n## Feiertage\n\nZu.\n"
    read = read_markdown(markdown(tmp_path, text))
    assert (read.id, read.title, read.language) == ("upload-error", "Öffnungszeiten", "de")
    assert read.content == "Von 8 bis 18 Uhr.\n\n## Feiertage\n\nZu."
    assert read_markdown(markdown(tmp_path, "# Hi\n\nText")).language == "en"
    brazilian = read_markdown(markdown(tmp_path, "# Oi\n<!-- language: pt-BR -->\n\nTexto"))
    assert (brazilian.language, brazilian.content) == ("pt-BR", "Texto")


def test_front_matter_holds_the_questions_that_an_article_answers(tmp_path: Path) -> None:
    """As plain or quoted items; keys of other programs are passed over, and none of it is text."""
    front = '---\nlayout: page\nquestions:\n  - When are you open?\n- "How: by phone?"\nx: 1\n---\n'
    read = read_markdown(markdown(tmp_path, f"{front}\n# Hours\n\nText\n\n---\n\nMore"))
    assert read.questions == ("When are you open?", "How: by phone?")
    assert (read.title, read.content) == ("Hours", "Text\n\n---\n\nMore")
    assert read_markdown(markdown(tmp_path, "---\nlayout: page\n---\n# Hi\n\nx")).questions == ()
    assert read_markdown(markdown(tmp_path, "# Hi\n\n---\n\nx")).questions == ()


@pytest.mark.parametrize(
    "front",
    [
        "---\nquestions:\n- a\n# T\n\nx",
        "---\nquestions: [a, b]\n---\n# T\n\nx",
        "---\nquestions:\n  - a\n  b\n---\n# T\n\nx",
        "---\nquestions:\n  -\n---\n# T\n\nx",
        f"---\nquestions:\n- {'a' * 301}\n---\n# T\n\nx",
    ],
)
def test_questions_in_another_form_are_refused(tmp_path: Path, front: str) -> None:
    """An author hears of it; no question is lost without a word."""
    with pytest.raises(SourceError, match=r"upload-error\.md"):
        read_markdown(markdown(tmp_path, front))


@pytest.mark.parametrize("tag", ["english", "xx", "e", "de_AT", "-"])
def test_comment_with_an_unknown_language_is_refused(tmp_path: Path, tag: str) -> None:
    """It does not become a part of the text, nor the article an English one."""
    with pytest.raises(SourceError, match=r"upload-error\.md: language: "):
        read_markdown(markdown(tmp_path, f"# Hi\n<!-- language: {tag} -->\n\nText"))


@pytest.mark.parametrize(
    "text", ["", "no heading", "## Too deep\n\ntext", "# \n\ntext", "# Title only", "#Title\n\nx"]
)
def test_markdown_without_title_or_content_is_refused(tmp_path: Path, text: str) -> None:
    """The message names the file."""
    with pytest.raises(SourceError, match=r"upload-error\.md"):
        read_markdown(markdown(tmp_path, text))


def test_id_fits_a_url(tmp_path: Path) -> None:
    """A file's name with spaces or umlauts is no id."""
    for name in ("my file.md", "größe.md"):
        with pytest.raises(SourceError, match="printable ASCII"):
            read_markdown(markdown(tmp_path, "# T\n\nx", name))


def test_jsonl_gives_an_article_a_line(tmp_path: Path) -> None:
    """Empty lines are no articles; other fields are for other programs."""
    first = json.dumps({"id": "a", "title": "A", "content": "x", "extra": 1})
    second = json.dumps(
        {"id": "b", "title": "B", "content": "y", "language": "ja", "questions": ["なに"]}
    )
    read = list(read_jsonl(jsonl(tmp_path, first, "", "  ", second)))
    assert [(a.id, a.title, a.content, a.language) for a in read] == [
        ("a", "A", "x", "en"),
        ("b", "B", "y", "ja"),
    ]
    assert [a.questions for a in read] == [(), ("なに",)]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "1",
        "null",
        '"id"',
        '{"title": "A", "content": "x"}',
        '{"id": "a", "content": "x"}',
        '{"id": "a", "title": "A"}',
        '{"id": 1, "title": "A", "content": "x"}',
        '{"id": "", "title": "A", "content": "x"}',
        '{"id": "a", "title": "", "content": "x"}',
        '{"id": "a", "title": null, "content": "x"}',
        '{"id": "a", "title": "A", "content": ["x"]}',
        '{"id": "a", "title": "A", "content": "x", "language": "english"}',
        '{"id": "a b", "title": "A", "content": "x"}',
        '{"id": "a", "title": "A", "content": "x", "questions": "x"}',
        '{"id": "a", "title": "A", "content": "x", "questions": [""]}',
    ],
)
def test_jsonl_says_which_line_is_wrong(tmp_path: Path, line: str) -> None:
    """File and line number, whatever is wrong with it."""
    good = '{"id": "a", "title": "A", "content": "x"}'
    with pytest.raises(SourceError, match=r"articles\.jsonl:2: "):
        list(read_jsonl(jsonl(tmp_path, good, line)))


def test_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    """Only Markdown files, and a file of JSON lines by itself."""
    for name in ("b.md", "a.md", "c.txt"):
        markdown(tmp_path, "# T\n\nx", name)
    assert [a.id for a in read_source(tmp_path)] == ["a", "b"]
    line = '{"id": "z", "title": "A", "content": "x"}'
    assert [a.id for a in read_source(jsonl(tmp_path, line))] == ["z"]


def test_demo_has_the_articles_that_its_tickets_need() -> None:
    """At least forty, each once, and the ones that the samples ask for."""
    ids = [article.id for article in read_source(ARTICLES)]
    assert len(ids) == len(set(ids)) >= 40
    assert {"upload-error-e42", "reset-password", "opening-hours", "refund-policy", "invoices"} <= {
        *ids
    }


@given(paragraphs=st.lists(PARAGRAPH, max_size=30))
def test_every_word_is_in_some_part(paragraphs: list[str]) -> None:
    """Nothing is lost, in order, and no part is much longer than asked for."""
    content = "\n\n".join(paragraphs)
    parts = chunks(content)
    assert set(WORD.findall(content)) == {word for part in parts for word in WORD.findall(part)}
    assert all(0 < len(part) <= CHUNK_CHARS + 2 for part in parts)
    assert (parts == []) == (not content.strip())


def test_short_article_is_one_part() -> None:
    """As it was written."""
    assert chunks("One.\n\nTwo.\n") == ["One.\n\nTwo."]


def test_parts_repeat_nothing() -> None:
    """Read alone, a repeated end would look like an opening."""
    content = "\n\n".join(["first words " * 120, "second words " * 100])
    first, second = chunks(content)
    assert first.rstrip().endswith("first words")
    assert second.startswith("second words")


def test_sections_stay_whole() -> None:
    """A part holds as many as fit, and one that does not fit begins the next part."""
    sections = [f"## Section {number}\n\n{'Some words. ' * 60}".strip() for number in range(4)]
    parts = chunks("\n\n".join(sections))
    assert parts == ["\n\n".join(sections[:2]), "\n\n".join(sections[2:])]


def test_long_section_is_cut_at_its_paragraphs() -> None:
    """And what follows it may share its last part."""
    paragraphs = ["## Long", "One. " * 300, "Two. " * 300, "## Short", "Three."]
    first, second = chunks("\n\n".join(paragraphs))
    assert (first[:7], second[:4]) == ("## Long", "Two.")
    assert second.endswith("## Short\n\nThree.")


def test_long_paragraph_is_cut_between_words() -> None:
    """A word on the border can be found, and a number is not two numbers."""
    content = " ".join(f"word{number}" for number in range(2000))
    found = {word for part in chunks(content) for word in WORD.findall(part)}
    assert found == set(WORD.findall(content))


def test_part_begins_with_a_whole_sentence() -> None:
    """What is quoted from it to a customer can be read on its own."""
    sentence = "Every member can find the board and open it with one click. "
    _, second = chunks("\n\n".join([sentence * 29, sentence * 20]))
    assert second.startswith("Every member")


def test_language_without_a_dictionary_is_indexed_word_by_word() -> None:
    """Postgres' own configurations, else `simple`."""
    assert (config_for("de"), config_for("ja"), config_for(None)) == ("german", "simple", "simple")


@pytest.mark.parametrize(
    ("tag", "config"),
    [("pt-BR", "portuguese"), ("EN", "english"), ("en-US", "english"), ("nb-NO", "norwegian"),
     ("zh-Hant-TW", "simple"), ("fil", "simple")],
)  # fmt: skip
def test_dictionary_is_that_of_the_tags_language(tag: str, config: str) -> None:
    """Case, script and region of a language tag do not matter to the index."""
    assert config_for(tag) == config
