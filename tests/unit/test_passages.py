"""What a search hands to a model: whole sections before fragments, within the budget."""

from app.adapters.ports.passages import Excerpt, Found, within_budget
from app.db.tables.knowledge import ArticleChunk
from graphs.llm.token_estimate import estimate_tokens


def article(name: str, *texts: str) -> list[ArticleChunk]:
    """The chunks of one article."""
    return [
        ArticleChunk(article_id=name, title="T", text=text, position=place)
        for place, text in enumerate(texts)
    ]


def found(chunks: list[ArticleChunk], position: int) -> Found:
    """One of them, as the search finds it."""
    return chunks[position], chunks


def texts(excerpts: list[Excerpt]) -> list[str]:
    """What is read."""
    return [excerpt.text for excerpt in excerpts]


SENTENCE = "Every board has an owner who may invite others. "
LONG = (SENTENCE * 20).strip()


def test_passage_that_does_not_fit_makes_room_for_those_that_do() -> None:
    """A whole one further down says more than the beginning of a long one."""
    short = "Boards are shared by a link."
    chosen = [found(article("a", LONG), 0), found(article("b", LONG), 0)]
    tokens = estimate_tokens(LONG) + estimate_tokens(short) + 4
    excerpts = within_budget([*chosen, found(article("c", short), 0)], tokens)
    assert [excerpt.chunk.article_id for excerpt in excerpts] == ["a", "c"]
    assert texts(excerpts) == [LONG, short]


def test_first_that_does_not_fit_is_cut_at_a_sentence() -> None:
    """Little is better than nothing."""
    [only] = within_budget([found(article("a", LONG), 0)], 60)
    assert only.text.endswith("invite others.")
    assert estimate_tokens(only.text) < 60


def test_passage_is_widened_to_its_section() -> None:
    """From the heading before it to the next one, in the order of the article."""
    chunks = article("a", "Opening.", "## Share\n\nFirst.", "Second.", "Third.", "## Other\n\nNo.")
    size = estimate_tokens("## Share\n\nFirst.\n\nSecond.\n\nThird.")
    [excerpt] = within_budget([found(chunks, 2)], size + 2)
    assert excerpt.text == "## Share\n\nFirst.\n\nSecond.\n\nThird."
    assert not excerpt.opens
    assert excerpt.chunk.position == 2


def test_section_that_does_not_fit_is_read_from_the_place_found() -> None:
    """With what follows it, and it does not say that it opens the article."""
    chunks = article("a", LONG, "Second.", "Third.", LONG)
    [excerpt] = within_budget([found(chunks, 1)], 40)
    assert (excerpt.text, excerpt.opens) == ("Second.\n\nThird.", False)


def test_only_a_text_from_the_articles_beginning_opens_it() -> None:
    """Also when the passage found stands further down and was widened."""
    chunks = article("a", "First.", "Second.")
    assert [e.opens for e in within_budget([found(chunks, 1)], 100)] == [True]
    assert [e.opens for e in within_budget([found(chunks, 1)], 4)] == [False]


def test_the_best_is_widened_first() -> None:
    """What is left goes to the first passages."""
    first, second = article("a", "One.", LONG), article("b", "One.", LONG)
    tokens = estimate_tokens(LONG) + 20
    excerpts = within_budget([found(first, 0), found(second, 0)], tokens)
    assert texts(excerpts) == [f"One.\n\n{LONG}", "One."]


def test_nothing_found_is_nothing() -> None:
    """And no error."""
    assert within_budget([], 100) == []
