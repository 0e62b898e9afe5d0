"""Search the tenant's articles."""

from typing import Annotated

from pydantic import Field

from tools.models import Passage
from tools.ports import Caller, Ports
from tools.tool import Args, Permission, Tool


class SearchArgs(Args):
    """Several queries are searched together; `language` is a two-letter code or None for any.

    A second round is worth it for a model's queries: they name what is asked, and nothing else.
    """

    queries: Annotated[list[str], Field(min_length=1, max_length=8)]
    language: Annotated[str | None, Field(max_length=10)] = None
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    second_round: bool = False


async def search_articles(args: SearchArgs, ports: Ports, _caller: Caller) -> list[Passage]:
    """The passages that fit the queries best, best first."""
    return await ports.knowledge.search(
        args.queries, args.language, args.limit, second_round=args.second_round
    )


SEARCH_ARTICLES = Tool(
    "search_articles", Permission("search_articles"), SearchArgs, search_articles
)
