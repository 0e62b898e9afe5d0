"""Whatever stands in an address or a form of the console, the answer is a page and no error."""

import re
from urllib.parse import quote

import pytest

from tests.cases import some
from tests.integration.console_victim import ALL, NEEDED, Victim, console, harmless_first, victim

__all__ = ["console", "victim"]

pytestmark = pytest.mark.no_articles

HOSTILE = ("\x00", "a\x00b", "\ud800", "\u202e", "%", "'\"<", "x" * 5000, "-1", "9" * 30, "../..")
QUERIES = {
    "/console": ("kind", "view", "ticket", "cursor", "answered"),
    "/console/runs": ("ticket", "customer", "status", "cursor", "cost_from", "created_from", "x"),
    "/console/articles": ("cursor", "deleted"),
    "/console/articles/hours": ("stored",),
    "/console/article-search": ("question",),
    "/console/audit": ("kind", "subject", "cursor"),
    "/console/figures": ("window",),
    "/console/settings/keys": ("before", "revoked", "revoked=true&before"),
    "/console/settings/policy": ("before", "stored"),
    "/console/settings/policy/edit": ("source",),
    "/console/sign-in": ("next", "lost", "out"),
    "/console/sign-in/callback": ("code", "state", "error"),
}


def encoded(value: str) -> str:
    """As an attacker writes it into an address, halves of surrogate pairs included."""
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("value", some(HOSTILE, 5))
async def test_no_value_is_an_error_of_ours(victim: Victim, value: str) -> None:
    """In every part of an address, and in every field of a form."""
    ann = await victim.console.sign_in("Ann", *ALL)
    sent: dict[str, int] = {}
    for path, names in QUERIES.items():
        for name in names:
            address = f"{path}?{name}={encoded(value)}"
            sent[address] = (await ann.get(address)).status_code
    for route in sorted(NEEDED, key=harmless_first):
        method, path = route.split(" ")
        address = re.sub(r"\{\w+[^}]*\}", encoded(value) or "x", path)
        if "{" in path:
            sent[route] = (await ann.request(method, address)).status_code
        if method == "POST":
            fields = FIELDS | victim.form(route).keys()
            body = "&".join(f"{name}={encoded(value)}" for name in sorted(fields))
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            reply = await ann.post(victim.place(route)[1], content=body, headers=kind)
            sent[f"{route} with a form"] = reply.status_code
    assert {place: status for place, status in sent.items() if status >= 500} == {}


# Names of fields that forms may have beside those of FORMS.
FIELDS = {
    "act", "back", "comment", "digest", "guidance", "hours", "limits", "name", "over", "paused",
    "person", "release", "takeover", "total-USD", "arg-0-amount_minor", "drop-0", "verdict",
    "version", "refund_auto_limit", "anger_threshold",
}  # fmt: skip
