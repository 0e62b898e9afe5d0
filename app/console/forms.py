"""Forms as browsers send them: read within a bound, each field once, from our own pages only."""

from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from starlette.types import Receive

from app.api.http.strict_body import read_body
from app.errors import BodyError, InvalidRequestError, MediaTypeError

MAX_FIELDS = 500
Form = dict[str, str]


async def read_form(request: Request, receive: Receive, max_bytes: int) -> Form | None:
    """The fields of a form; None when the browser left before its end.

    Raises:
        TooLargeError, MediaTypeError, BodyError, InvalidRequestError.
    """
    body = await read_body(request.scope, receive, max_bytes)
    if body is None:
        return None
    media = request.headers.get("content-type", "application/x-www-form-urlencoded")
    if media.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise MediaTypeError("Send the form as application/x-www-form-urlencoded.")
    return parse_form(body)


def parse_form(body: bytes) -> Form:
    """The fields of an encoded form. Raises BodyError, InvalidRequestError."""
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except (ValueError, UnicodeError):
        raise BodyError("The form is not encoded as browsers do, or has too many fields.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise InvalidRequestError("A field of the form stands there twice.")
    return {name: value.replace("\r\n", "\n") for name, value in form.items()}


def from_own_page(request: Request) -> bool:
    """Whether a page of this console sent the form: another site's must change nothing.

    Browsers say so in `Sec-Fetch-Site`; older ones in `Origin`, whose host is then ours. Without
    either the form is refused.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        named = urlsplit(request.headers.get("origin", "")).netloc
    except ValueError:
        return False
    return bool(named) and named == request.headers.get("host")
