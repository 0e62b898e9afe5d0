"""Builds passages that fit a model's context: the best chunks first, then their neighbours."""

from collections.abc import Sequence

from app.db.knowledge.articles import neighbours
from app.db.tables.knowledge import ArticleChunk
from graphs.llm.token_estimate import clip, estimate_tokens

Found = tuple[ArticleChunk, list[ArticleChunk]]


def within_budget(found: Sequence[Found], tokens: int) -> list[str]:
    """A text for each chunk, in order, until the budget is spent; the rest is left out.

    The last one may end at an earlier sentence. What is left goes to the chunks that
    follow, the best article's first.
    """
    texts: list[str] = []
    for chunk, _ in found:
        text = clip(chunk.text, tokens - estimate_tokens(chunk.title))
        if not text and chunk.text:
            break
        texts.append(text)
        tokens -= estimate_tokens(chunk.title) + estimate_tokens(text)
    for place, (chunk, siblings) in enumerate(found[: len(texts)]):
        if texts[place] == chunk.text:
            texts[place] = _widened(chunk, siblings, estimate_tokens(chunk.text) + tokens)
            tokens -= estimate_tokens(texts[place]) - estimate_tokens(chunk.text)
    return texts


def _widened(chunk: ArticleChunk, siblings: list[ArticleChunk], tokens: int) -> str:
    """The chunk with the one after it, if both fit; the end of the one before it has already."""
    following = [sibling for sibling in siblings if sibling.position == chunk.position + 1]
    wider = neighbours(chunk.text, following[0].text) if following else chunk.text
    return wider if estimate_tokens(wider) <= tokens else chunk.text
