"""deskgraph articles import: a folder of Markdown, or a JSONL file, into the knowledge base."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.progress import Progress
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.api.schemas import PutArticle
from app.commands.database import load_settings, require_database, with_database
from app.commands.embed_articles import embed_articles
from app.commands.terminal import complain
from app.commands.usage import usage
from app.db.core.connections import Sessions, make_engine
from app.db.knowledge.articles import put_article
from app.db.tenants.queries import tenant_exists
from app.log.error_text import wrong_value

cli = typer.Typer()
cli.command("embed", epilog=usage("articles embed"))(embed_articles)

LANGUAGE_COMMENT = re.compile(r"^<!--\s*language:\s*(\S+)\s*-->\s*$", re.MULTILINE)
# A line of a list, as YAML writes it: with quotation marks or without.
ITEM = re.compile(r"""- +(?:"(?P<quoted>[^"\\]+)"|(?P<text>[^\s"'].*))""")
# One transaction for so many articles: quick, and a broken one loses little.
BATCH = 50
LOOK_OVER = "VACUUM (ANALYZE) article_chunks, article_terms, article_ngrams"


@dataclass(frozen=True, slots=True)
class SourceArticle:
    """An article as read from a file."""

    id: str
    title: str
    content: str
    language: str
    questions: tuple[str, ...] = ()


class SourceError(ValueError):
    """A file cannot be read as articles; the message says where."""


def read_markdown(path: Path) -> SourceArticle:
    """The id is the file's name, the title its first heading; `questions` are in its front matter.

    Other keys of the front matter are other programs' and are passed over.
    """
    front, page = front_matter(path.read_text(encoding="utf-8-sig").strip(), path)
    first, _, rest = page.strip().partition("\n")
    if not first.startswith("# "):
        raise SourceError(f"{path}: the first line must be `# Title`")
    language = LANGUAGE_COMMENT.search(rest)
    content = LANGUAGE_COMMENT.sub("", rest, count=1).strip()
    title, code = first[2:].strip(), language[1] if language else "en"
    return checked(path.stem, title, content, code, path, declared(front, path))


def front_matter(page: str, where: object) -> tuple[str, str]:
    """What stands between two lines `---` at the very beginning, and the page after it.

    Raises SourceError when the second line is missing.
    """
    if not page.startswith("---\n"):
        return "", page
    front, line, rest = page[4:].partition("\n---\n")
    if not line:
        raise SourceError(f"{where}: no line `---` ends the front matter")
    return front, rest


def declared(front: str, where: object) -> list[str]:
    """The list below `questions:`, one a line after a dash. Raises SourceError for another form."""
    lines = iter(front.splitlines())
    heading = next((line for line in lines if line.startswith("questions:")), None)
    if heading is None:
        return []
    if heading.removeprefix("questions:").strip():
        raise SourceError(f"{where}: write each question below `questions:`, after a dash")
    items = takewhile(lambda line: not line or line[0] in " -", lines)
    found = [ITEM.fullmatch(line.strip()) for line in items if line.strip()]
    if not all(found):
        raise SourceError(f"{where}: each line of `questions:` must be `- a question`")
    return [item["text"] or item["quoted"] for item in found if item]


def read_jsonl(path: Path) -> Iterator[SourceArticle]:
    """One object a line: `id`, `title`, `content`; `language` if not English; `questions`."""
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                language, questions = row.get("language", "en"), row.get("questions", [])
                yield checked(row["id"], row["title"], row["content"], language, where, questions)
            except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
                raise SourceError(f"{where}: needs id, title and content ({error!r})") from None


def checked(
    article_id: str,
    title: str,
    content: str,
    language: str,
    where: object,
    questions: Sequence[str] = (),
) -> SourceArticle:
    """The same rules as the API's. Raises SourceError."""
    try:
        body = PutArticle.model_validate(
            {"title": title, "content": content, "language": language, "questions": questions}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise SourceError(f"{where}: {first['loc'][0]}: {wrong_value(first['msg'])}") from None
    if not isinstance(article_id, str) or not re.fullmatch(r"[!-~]{1,128}", article_id):
        raise SourceError(f"{where}: the id must be 1 to 128 printable ASCII characters")
    return SourceArticle(article_id, body.title, body.content, body.language, tuple(body.questions))


def read_source(source: Path) -> list[SourceArticle]:
    """Every article of a folder of `*.md`, or of one `.jsonl` file."""
    if source.is_dir():
        return [read_markdown(path) for path in sorted(source.glob("*.md"))]
    return list(read_jsonl(source))


async def store(session: AsyncSession, tenant_id: str, articles: list[SourceArticle]) -> None:
    """Write a batch of articles."""
    for article in articles:
        await put_article(
            session,
            tenant_id,
            article.id,
            article.title,
            article.content,
            article.language,
            article.questions,
        )


@cli.command("import", epilog=usage("articles import ./articles --tenant acme"))
def import_articles(
    source: Annotated[
        Path, typer.Argument(exists=True, help="A folder of *.md, or a .jsonl file.")
    ],
    tenant: Annotated[str, typer.Option(help="Whose knowledge base.")] = "demo",
) -> None:
    """Store every article of SOURCE; the same id again replaces it."""
    try:
        articles = read_source(source)
    except (SourceError, UnicodeDecodeError) as error:
        complain(error)
        raise typer.Exit(2) from None
    with with_database(load_settings()) as settings:
        engine = make_engine(require_database(settings), 1, prepared=settings.prepared_statements)
        asyncio.run(_import(engine, tenant, articles))
    typer.echo(f"{len(articles)} articles imported for {tenant}.")


async def _import(engine: AsyncEngine, tenant: str, articles: list[SourceArticle]) -> None:
    sessions = Sessions(engine)
    try:
        async with sessions() as session:
            if not await tenant_exists(session, tenant):
                raise typer.BadParameter(f"no tenant {tenant!r}; make it with `keys create`")
        with Progress() as progress:
            for start in progress.track(range(0, len(articles), BATCH), description="Importing"):
                async with sessions.begin() as session:
                    await store(session, tenant, articles[start : start + BATCH])
        await look_over(engine)
    finally:
        await engine.dispose()


async def look_over(engine: AsyncEngine) -> None:
    """Let Postgres count and clear many new articles now, which it would do by itself later.

    Until it has counted, its plans are poor; until it has marked the pages of words as visible to
    all, a search reads each of them beside the index.
    """
    async with engine.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text(LOOK_OVER))
