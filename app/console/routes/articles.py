"""/console/articles: the knowledge base: what a question would find, and each article."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.adapters.ports.embedders import build_embedder
from app.adapters.ports.knowledge import PostgresKnowledge
from app.api.http.dependencies import Backend, BackendDep, Session
from app.console.console_route import ConsoleRoute
from app.console.forms import Form
from app.console.templating import HEADERS, page, segment
from app.console.viewer import FormDep, Viewer, ViewerDep
from app.console.views.article_form import NAMES, article_of, typed_article
from app.db.knowledge.articles import articles_of_tenant, get_article
from app.db.knowledge.citations import LOOKED_THROUGH, citing_runs
from app.db.tables.knowledge import Article
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.services.knowledge import articles as cases
from graphs.findings import PASSAGES
from graphs.text.language import ticket_language
from tools.models import Passage

router = APIRouter(prefix="/console", route_class=ConsoleRoute)

PAGE, CITING = 50, 20
PATH = "/console/articles"


@router.get("/articles")
async def list_articles(
    request: Request,
    session: Session,
    backend: BackendDep,
    viewer: ViewerDep,
    cursor: Annotated[str, Query(max_length=500)] = "",
    deleted: str = "",
) -> Response:
    """Every article by its id, and a field for a question."""
    viewer.need("articles:write", "runs:read")
    rows, following = await backend.cursors.page(
        session,
        articles_of_tenant(viewer.tenant_id),
        Article.id,
        scope=["console articles", viewer.tenant_id],
        cursor=cursor or None,
        limit=PAGE,
    )
    return page(
        request, "articles.html", articles=rows, deleted=deleted == "yes", question="",
        next_url=f"{PATH}?{urlencode({'cursor': following})}" if following else "",
    )  # fmt: skip


@router.get("/article-search")
async def search(
    request: Request,
    backend: BackendDep,
    viewer: ViewerDep,
    question: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """What the workflow would find for a customer's question, with the scores."""
    viewer.need("articles:write", "runs:read")
    asked = question.strip()
    if not asked:
        return RedirectResponse(PATH, 303, HEADERS)
    language = _language(asked)
    found = await _found(backend, viewer, asked, language)
    return page(
        request, "article_search.html", question=asked, language=language, found=found,
        best=found[0]["score"] if found else 0,
    )  # fmt: skip


def _language(asked: str) -> str | None:
    """The language that a ticket of these words would have."""
    return ticket_language({"subject": "", "body": asked, "language": None, "customer_name": None})


async def _found(
    backend: Backend, viewer: Viewer, asked: str, language: str | None
) -> list[Passage]:
    """What the search of the specialists answers to these words."""
    # A model in a file is read from disk at its first use.
    embedder = await asyncio.to_thread(build_embedder, backend.settings)
    budget = backend.settings.context_token_budget
    knowledge = PostgresKnowledge(backend.sessions, viewer.tenant_id, embedder, budget)
    return await knowledge.search([asked], language, PASSAGES)


@router.get("/articles/{article_id:outside_id}")
async def show(
    request: Request,
    session: Session,
    viewer: ViewerDep,
    article_id: str,
    stored: str = "",
) -> Response:
    """One article, and the runs that cite it."""
    viewer.need("articles:write", "runs:read")
    article = await get_article(session, viewer.tenant_id, article_id)
    if article is None:
        raise NotFoundError(f"There is no article {article_id}.")
    reads = viewer.can("runs:read")
    citing = await citing_runs(session, viewer.tenant_id, article_id, CITING) if reads else None
    return page(
        request, "article.html", article=article, citing=citing, looked_through=LOOKED_THROUGH,
        stored=stored == "yes",
    )  # fmt: skip


@router.get("/new-article")
async def new(request: Request, viewer: ViewerDep) -> Response:
    """An empty form."""
    viewer.need("articles:write")
    return _form(request, {**dict.fromkeys(NAMES, ""), "language": "en"}, cases.ABSENT)


@router.get("/articles/{article_id:outside_id}/edit")
async def edit(request: Request, session: Session, viewer: ViewerDep, article_id: str) -> Response:
    """The article as a form."""
    viewer.need("articles:write")
    article = await get_article(session, viewer.tenant_id, article_id)
    if article is None:
        raise NotFoundError(f"There is no article {article_id}.")
    return _form(request, typed_article(article), article.version)


def _form(request: Request, form: Form, version: int, status: int = 200, **more: Any) -> Response:
    shown = {"wrong": "", "meanwhile": None, **more}
    return page(request, "article_edit.html", status, form=form, version=version, **shown)


@router.post("/articles")
async def store(request: Request, session: Session, viewer: ViewerDep, form: FormDep) -> Response:
    """Store it, unless it was changed since the form was opened; the next search finds it."""
    viewer.need("articles:write")
    typed = {name: form.get(name, "") for name in NAMES}
    seen = _seen(form)
    try:
        article_id, text = article_of(form)
        await cases.save(session, viewer.tenant_id, article_id, text, seen)
    except InvalidRequestError as error:
        return _form(request, typed, seen, error.status, wrong=error.detail)
    except ConflictError as error:
        now = await get_article(session, viewer.tenant_id, typed["id"].strip())
        version = now.version if now else cases.ABSENT
        return _form(request, typed, version, error.status, wrong=error.detail, meanwhile=now)
    return RedirectResponse(f"{PATH}/{segment(article_id)}?stored=yes", 303, HEADERS)


def _seen(form: Form) -> int:
    """The version that the form was made from. Raises InvalidRequestError."""
    version = form.get("version", "")
    if not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise InvalidRequestError("Load the article again, and change it there.")
    return int(version)


@router.post("/articles/{article_id:outside_id}/delete")
async def delete(session: Session, viewer: ViewerDep, form: FormDep, article_id: str) -> Response:
    """Delete it, unless it was changed since the page was loaded; the next search misses it."""
    viewer.need("articles:write")
    await cases.remove(session, viewer.tenant_id, article_id, _seen(form))
    return RedirectResponse(f"{PATH}?deleted=yes", 303, HEADERS)
