"""Builds passages that fit a model's context: the best chunks whole, then widened to sections."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.db.knowledge.articles import HEADING
from app.db.tables.knowledge import ArticleChunk
from graphs.llm.token_estimate import clip, estimate_tokens

Found = tuple[ArticleChunk, list[ArticleChunk]]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The text of one passage around the chunk that was found; `opens` where its article does."""

    chunk: ArticleChunk
    text: str
    opens: bool


def within_budget(found: Sequence[Found], tokens: int) -> list[Excerpt]:
    """An excerpt for each chunk that fits whole, in order; what is left of the budget widens them.

    When not even the first fits, its beginning stands alone, up to the end of a sentence.
    """
    taken: list[Found] = []
    left = tokens
    for chunk, siblings in found:
        cost = estimate_tokens(chunk.title) + estimate_tokens(chunk.text)
        if cost <= left:
            taken.append((chunk, siblings))
            left -= cost
    if found and not taken:
        return _beginning(found[0][0], tokens)
    excerpts: list[Excerpt] = []
    for chunk, siblings in taken:
        excerpt = _widened(chunk, siblings, estimate_tokens(chunk.text) + left)
        left -= estimate_tokens(excerpt.text) - estimate_tokens(chunk.text)
        excerpts.append(excerpt)
    return excerpts


def _beginning(chunk: ArticleChunk, tokens: int) -> list[Excerpt]:
    text = clip(chunk.text, tokens - estimate_tokens(chunk.title))
    return [Excerpt(chunk, text, chunk.position == 0)] if text else []


def _widened(chunk: ArticleChunk, siblings: list[ArticleChunk], tokens: int) -> Excerpt:
    """The chunk's section if it fits, else the chunk and as much as fits of what follows it."""
    section = _section(chunk, siblings)
    if estimate_tokens(_joined(section)) <= tokens:
        chosen, following = section, siblings[section[-1].position + 1 :]
    else:
        chosen, following = [chunk], siblings[chunk.position + 1 :]
    for sibling in following[:1]:
        if estimate_tokens(_joined([*chosen, sibling])) <= tokens:
            chosen = [*chosen, sibling]
    return Excerpt(chunk, _joined(chosen), chosen[0].position == 0)


def _section(chunk: ArticleChunk, siblings: list[ArticleChunk]) -> list[ArticleChunk]:
    """The chunks from the heading at or before this one to the next heading that begins one."""
    begins = [s.position for s in siblings if s.position == 0 or HEADING.match(s.text)]
    first = max(place for place in begins if place <= chunk.position)
    last = min((place for place in begins if place > chunk.position), default=len(siblings))
    return [s for s in siblings if first <= s.position < last]


def _joined(chunks: Sequence[ArticleChunk]) -> str:
    return "\n\n".join(chunk.text for chunk in chunks)
