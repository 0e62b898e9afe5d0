"""Search the tenant's articles."""

from typing import Annotated

from pydantic import Field

from tools.models import Passage
from tools.ports import Knowledge
from tools.tool import Args, Permission, Tool


class SearchArgs(Args):
    """Several queries are searched together; `language` is a two-letter code or None for any."""

    queries: Annotated[list[str], Field(min_length=1, max_length=8)]
    language: Annotated[str | None, Field(max_length=10)] = None
    limit: Annotated[int, Field(ge=1, le=20)] = 5


def search_articles(knowledge: Knowledge) -> Tool[SearchArgs]:
    """The passages that fit the queries best, best first."""

    async def run(args: SearchArgs, _key: str) -> list[Passage]:
        return await knowledge.search(args.queries, args.language, args.limit)

    return Tool("search_articles", Permission.SEARCH_ARTICLES, SearchArgs, run)
