"""/v1/articles: the knowledge base."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import ArticleReader, ArticleWriter, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.db.knowledge import articles, search
from app.db.tables.knowledge import Article
from app.errors import InvalidCursorError, InvalidRequestError, NotFoundError

router = APIRouter(prefix="/v1/articles", tags=["articles"], route_class=GuardedRoute)


@router.put(
    "/{article_id:outside_id}",
    response_model=schemas.ArticleOut,
    responses=documented_responses(200, openapi_examples.ARTICLE),
)
async def put_article(
    article_id: schemas.OutsideId, body: schemas.PutArticle, session: Session, key: ArticleWriter
) -> schemas.ArticleOut:
    """Store or replace an article; the next search finds it."""
    article = await articles.put_article(
        session,
        key.tenant_id,
        article_id,
        body.title,
        body.content,
        body.language,
        body.questions,
    )
    return show(article)


@router.post(
    "",
    response_model=schemas.ImportOut,
    responses=documented_responses(200, {"stored": ["opening-hours"], "unchanged": []}),
)
async def import_articles(
    body: schemas.ImportArticles, session: Session, key: ArticleWriter
) -> schemas.ImportOut:
    """Store or replace up to 100 articles at once, all of them or none."""
    ids = [article.id for article in body.articles]
    if doubled := [at for at, one in enumerate(ids) if one in ids[:at]]:
        problems = [{"pointer": f"/articles/{at}/id", "detail": "comes twice"} for at in doubled]
        raise InvalidRequestError(f"{problems[0]['pointer']} comes twice.", errors=problems)
    before = await articles.versions_of(session, key.tenant_id, ids)
    stored = []
    # By id, as two imports at the same instant lock them.
    for new in sorted(body.articles, key=lambda article: article.id):
        article = await articles.put_article(
            session, key.tenant_id, new.id, new.title, new.content, new.language, new.questions
        )
        if article.version != before.get(article.id):
            stored.append(article.id)
    unchanged = [one for one in ids if one not in stored]
    return schemas.ImportOut(stored=stored, unchanged=unchanged)


@router.get(
    "",
    response_model=schemas.ArticlePage,
    response_model_exclude_unset=True,
    responses=documented_responses(
        200, openapi_examples.page(openapi_examples.LISTED_ARTICLE), InvalidCursorError
    ),
)
async def list_articles(
    session: Session,
    backend: BackendDep,
    key: ArticleReader,
    q: Annotated[
        str | None, Query(min_length=1, max_length=4000, description="Search, best first.")
    ] = None,
    language: Annotated[
        schemas.LanguageTag | None,
        Query(description="Of a search: whose articles come first among equal ones."),
    ] = None,
    expand: Annotated[
        list[schemas.ExpandArticle],
        Query(max_length=5, description="`content`: the articles' texts as well."),
    ] = [],  # noqa: B006, FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 20,
) -> schemas.ArticlePage:
    """All articles by id, or the best ones for a search."""
    if language is not None and q is None:
        raise InvalidRequestError(
            "query/language belongs to a search; send q with it.",
            errors=[{"pointer": "query/language", "detail": "belongs to a search"}],
        )
    if q is not None and cursor is not None:
        raise InvalidCursorError("A search is one page; send no cursor with it.")
    if q is not None:
        found = await search.search_articles(session, key.tenant_id, q, language, limit)
        return schemas.ArticlePage(items=listed(found, expand), next_cursor=None)
    rows, following = await backend.cursors.page(
        session,
        articles.articles_of_tenant(key.tenant_id),
        Article.id,
        scope=["articles", key.tenant_id],
        cursor=cursor,
        limit=limit,
    )
    return schemas.ArticlePage(items=listed(rows, expand), next_cursor=following)


@router.get(
    "/{article_id:outside_id}",
    response_model=schemas.ArticleOut,
    responses=documented_responses(200, openapi_examples.ARTICLE),
)
async def get_article(
    article_id: schemas.OutsideId, session: Session, key: ArticleReader
) -> schemas.ArticleOut:
    """An article with its text."""
    article = await articles.get_article(session, key.tenant_id, article_id)
    if article is None:
        raise NotFoundError(f"There is no article {article_id}.")
    return show(article)


@router.delete("/{article_id:outside_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_article(
    article_id: schemas.OutsideId, session: Session, key: ArticleWriter
) -> Response:
    """Remove an article; the next search does not find it."""
    if not await articles.delete_article(session, key.tenant_id, article_id):
        raise NotFoundError(f"There is no article {article_id}.")
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def listed(articles: Sequence[Article], expand: Sequence[str]) -> list[schemas.ListedArticle]:
    """Articles for a list, their texts if `expand` names them."""
    names = {*schemas.ArticleSummary.model_fields, *expand}
    return [
        schemas.ListedArticle(**{name: getattr(article, name) for name in names})
        for article in articles
    ]


def show(article: Article) -> schemas.ArticleOut:
    """An article in the API's shape."""
    return schemas.ArticleOut(
        **{name: getattr(article, name) for name in schemas.ArticleOut.model_fields}
    )
