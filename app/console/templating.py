"""Templates to responses: every value is escaped, and every page has a policy."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.console.static_files import static_url
from app.console.views import figures, words
from app.services.approvals.deciders import spoken
from tools.money import format_money

# htmx adds no style and no script of its own, and evaluates nothing.
HTMX = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "allowScriptTags": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
}
# `no-referrer` would make browsers send `Origin: null` with a form of our own.
HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)


@cache
def environment() -> Environment:
    """Jinja with our filters; an undefined name is an error, not an empty text."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "inert": words.inert,
        "ago": words.ago,
        "until": words.until,
        "moment": words.moment,
        "label": words.label,
        "money": format_money,
        "plural": words.plural,
        "count": words.count,
        "duration": words.duration,
        "usd": words.usd,
        "rating": words.rating,
        "document": words.document,
        "spoken": spoken,
        "beginning": words.beginning,
        "console_runs": figures.here,
        "milliseconds": figures.milliseconds,
        "percent": figures.percent,
        "bar": figures.bar,
        "outcome": figures.outcome,
        "sums": words.sums,
        "segment": segment,
    }
    made.globals |= {"static": static_url, "htmx_config": json.dumps(HTMX)}
    return made


def segment(text: str) -> str:
    """A text as one segment of a path, slashes included."""
    return quote(text, safe="")


def page(
    request: Request, template: str, status: int = 200, *, forms: str = "'self'", **values: Any
) -> Response:
    """A page for the person of the request; a part of one when htmx asks for it.

    `forms` names where the page's forms may lead, by way of redirects too.
    """
    shared: Mapping[str, Any] = getattr(request.state, "page", {})
    text = environment().get_template(template).render({**shared, **values})
    headers = {**HEADERS, "Content-Security-Policy": POLICY.format(forms=forms)}
    return Response(text, status, headers, "text/html")
