"""An article as a form, and back again."""

from pydantic import TypeAdapter, ValidationError

from app.api.schemas import OutsideId, PutArticle
from app.console.forms import Form
from app.db.tables.knowledge import Article
from app.errors import InvalidRequestError
from app.log.error_text import wrong_value
from app.services.knowledge.articles import ArticleText

ID: TypeAdapter[str] = TypeAdapter(OutsideId)
NAMES = ("id", "title", "language", "questions", "content")


def typed_article(article: Article) -> Form:
    """An article as the form shows it."""
    return {
        "id": article.id,
        "title": article.title,
        "language": article.language,
        "questions": "\n".join(article.questions),
        "content": article.content,
    }


def article_of(form: Form) -> tuple[str, ArticleText]:
    """The id and the text that a form gives, as the API takes them.

    Raises:
        InvalidRequestError: with a sentence for the page.
    """
    fields = {
        "title": form.get("title", "").strip(),
        "content": form.get("content", "").strip(),
        "language": form.get("language", "").strip(),
        "questions": [line.strip() for line in form.get("questions", "").split("\n")
                      if line.strip()],
    }  # fmt: skip
    try:
        article_id = ID.validate_python(form.get("id", "").strip())
    except ValidationError:
        raise InvalidRequestError(
            "Id: 1 to 128 letters, digits and signs without spaces, such as opening-hours."
        ) from None
    try:
        given = PutArticle.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = str(first["loc"][0]).capitalize()
        raise InvalidRequestError(f"{where}: {wrong_value(first['msg'])}.") from None
    text = ArticleText(given.title, given.content, given.language, given.questions)
    return article_id, text
