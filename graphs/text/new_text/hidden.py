"""Which elements of HTML no reader sees, as far as their attributes and plain rules say so."""

import re
from collections.abc import Iterable
from typing import Any

NAME = re.compile(r"[.#][\w-]+")
ZERO = re.compile(
    r"(?:0{1,9}(?:\.\d{0,9})?|\.\d{1,9}|1px|1pt)(?:px|pt|r?em|ex|%|vw|vh|cm|mm|in)?\s?(?:!important)?"
)
FAR = re.compile(r"-\d{3,}")
SIZES = ("max-height", "height", "max-width", "width")
WHITE = frozenset({"#fff", "#ffffff", "#fefefe", "#fdfdfd", "white", "rgb(255,255,255)", "snow",
                   "rgba(255,255,255,1)", "ivory", "hsl(0,0%,100%)"})  # fmt: skip
# Rules of a page that are read; a mail program's are fewer.
MAX_RULES = 2_000


def hides(element: Any, names: frozenset[str], ground: str) -> tuple[bool, str]:
    """Whether the element hides its content, and the colour of the ground within it.

    `names` are the classes and ids that a style sheet hides. An unknown ground is white.
    """
    style = declarations(element.get("style") or "")
    ground = _colour(style.get("background-color") or style.get("background")
                     or element.get("bgcolor") or "") or ground  # fmt: skip
    ink = _colour(style.get("color") or element.get("color") or "")
    unseen = bool(ink) and (ink == (ground or "white"))
    named = (
        element.get("hidden") is not None or (element.get("aria-hidden") or "").lower() == "true"
    )
    if element.tag == "font" and (element.get("size") or "") == "0":
        named = True
    own = {f".{name}" for name in (element.get("class") or "").split()}
    own.add(f"#{element.get('id') or ''}")
    return unseen or named or bool(own & names) or is_hiding(style), ground


def is_hiding(style: dict[str, str]) -> bool:
    """Whether declarations hide an element: not shown, without size, or far outside."""
    shown = style.get("display", ""), style.get("visibility", ""), style.get("mso-hide", "")
    if shown[0].startswith("none") or shown[1].startswith(("hidden", "collapse")):
        return True
    if shown[2].startswith("all"):
        return True
    if any(ZERO.fullmatch(style.get(name, "")) for name in ("font-size", "opacity")):
        return True
    if "hidden" in style.get("overflow", "") and any(
        ZERO.fullmatch(style.get(name, "")) for name in SIZES
    ):
        return True
    if ZERO.fullmatch(style.get("max-height", "")):
        return True
    out = style.get("position", "").startswith(("absolute", "fixed"))
    placed = any(FAR.match(style.get(name, "")) for name in ("left", "top", "right"))
    return (out and placed) or FAR.match(style.get("text-indent", "")) is not None


def declarations(style: str) -> dict[str, str]:
    """The declarations of a style, in small letters."""
    said = (one.partition(":") for one in style.lower().split(";"))
    return {name.strip(): value.strip() for name, mark, value in said if mark}


def hidden_names(sheets: Iterable[str]) -> frozenset[str]:
    """The classes and ids that plain rules of a page hide, each with its "." or "#"."""
    names: set[str] = set()
    for sheet in sheets:
        for rule in sheet.split("}")[:MAX_RULES]:
            selectors, opened, body = rule.rpartition("{")
            if opened and is_hiding(declarations(body)):
                found = (one.strip() for one in selectors.rpartition("{")[2].split(","))
                names |= {one for one in found if NAME.fullmatch(one)}
    return frozenset(names)


def _colour(said: str) -> str:
    """A colour in one spelling; every nearly white one is "white"."""
    plain = re.sub(r"\s|!important", "", said.lower())
    return "white" if plain in WHITE else plain
