"""HTML to text, with what no reader sees and what the mail program quoted set apart.

lxml parses and html-text writes the text; docs/adr/0020 says why.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, NamedTuple

import html_text
from lxml import etree  # type: ignore[import-untyped]
from lxml.html import HTMLParser  # type: ignore[import-untyped]

from graphs.state import Apart, ApartKind
from graphs.text.new_text.characters import tag_text, without_hidden
from graphs.text.new_text.hidden import hidden_names, hides

KNOWN = (
    "html|head|body|meta|title|style|script|div|p|span|br|hr|table|tbody|tr|td|th|a|b|i|u|em|strong|"
    "font|center|blockquote|ul|ol|li|h[1-6]|img|pre|code|small|big|sup|sub|s|label|section|template"
)
# A tag that begins the text, one that ends or has attributes, a line break or a comment.
HTML = re.compile(
    rf"\A\s*<(?:!doctype\b|\?xml\b|!--|(?:{KNOWN})\b)|</(?:{KNOWN})\s?>|<br\s?/?>|<!--"
    rf"|<(?:{KNOWN})\s[^<>=]{{0,60}}=|<(?:{KNOWN})\s+hidden\b",
    re.IGNORECASE,
)
BLOCK = re.compile(r"<(?:br|p|div|table|li|body|html)\b", re.IGNORECASE)
# "<ann@example.org>" and "<https://...>" are no tags, nor is "a < b".
NO_TAG = re.compile(r"<(?=[^\s<>\"'=]{1,200}@|https?:|mailto:|[^a-zA-Z/!?]|\Z)", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>?")
QUOTE_CLASSES = frozenset(
    "gmail_quote gmail_attr yahoo_quoted protonmail_quote moz-cite-prefix zmail_extra "
    "tutanota_quote freshdesk_quote zendesk_quote".split()
)
SIGNATURE_CLASSES = frozenset(
    "gmail_signature moz-signature protonmail_signature_block signature email-signature".split()
)
SIGNATURE_IDS = frozenset(
    "signature ms-outlook-mobile-signature applemailsignature ymail_android_signature".split()
)
# A line break of the source that the text keeps; a private character that blanks do not absorb.
BREAK = "\uf8f8"
# Around the number of a quote, on a quoted line in its place: the lines before it may head it.
PLACE = "\uf8f9"
PLACED = re.compile(f"(?:> ?)?{PLACE}(\\d{{1,6}}){PLACE}")
PRIVATE = re.compile(f"[{BREAK}{PLACE}]")
LINE = re.compile(r"\n")
QUOTED_LINE = re.compile(r"\n(?=\s{0,3}>)")
UNSEEN = frozenset({"style", "script", "title", "template", "noscript", "object", "applet", "svg",
                    "math", "datalist"})  # fmt: skip


def is_html(text: str) -> bool:
    """Whether the text is HTML: a word in angle brackets alone does not make it so."""
    return "<" in text and HTML.search(text) is not None


class HtmlText(NamedTuple):
    """The lines that a reader sees; `quotes` stand in them by their place, the rest is apart."""

    text: str
    quotes: list[str]
    parts: list[Apart]

    def with_quotes(self, text: str) -> str:
        """A part of the text with the quotes in their places."""
        return PLACED.sub(lambda place: self.quotes[int(place[1])], text)


def read_html(text: str) -> HtmlText:
    """The text as a reader sees it, and what no reader sees or the mail program set apart.

    What is nested more deeply than the parser follows cannot be told to be visible, so all of it
    is hidden.
    """
    plain = PRIVATE.sub("", text)
    tags = tag_text(unescape(plain)) if "&#" in plain else ""
    root = _parsed(NO_TAG.sub("&lt;", plain), proper=_is_proper(plain))
    if root is None:
        return HtmlText("", [], [{"kind": "html_hidden", "text": TAG.sub(" ", plain).strip()}])
    quotes: list[str] = []
    parts: list[Apart] = [{"kind": "hidden_characters", "text": tags}] if tags else []
    for element, kind in _apart(root):
        said = _take(element, keep=kind != "markup")
        if said and kind == "quote":
            element.text = f"> {PLACE}{len(quotes)}{PLACE}"
            quotes.append(said)
        elif said and kind != "markup":
            parts.append({"kind": kind, "text": said})
    return HtmlText(_text(root), quotes, parts)


def _is_proper(text: str) -> bool:
    """Whether the lines of the source mean nothing, as where a mail program wrote HTML."""
    return text.lstrip()[:1] == "<" and BLOCK.search(text) is not None


def _parsed(text: str, *, proper: bool) -> Any:
    parser = HTMLParser(recover=True, encoding="utf-8", remove_pis=True)
    root = etree.fromstring(text.encode("utf-8", "replace") or b"<html/>", parser=parser)
    if root is None or any("depth" in error.message for error in parser.error_log):
        return None
    line = QUOTED_LINE if proper else LINE
    for element in root.iter():
        lines = LINE if element.tag == "pre" else line
        element.text = lines.sub(BREAK, _plain(element.text)) if element.text else element.text
        element.tail = line.sub(BREAK, _plain(element.tail)) if element.tail else element.tail
    return root


def _plain(text: str) -> str:
    """The text without hidden characters and places of ours, which references can spell."""
    return PRIVATE.sub("", without_hidden(text))


def _apart(root: Any) -> Iterator[tuple[Any, Any]]:
    """The outermost elements that are set apart, with their kind; "markup" is for nobody."""
    names = hidden_names(style.text or "" for style in root.iter("style"))
    found: list[tuple[Any, ApartKind | str]] = []
    waiting: list[tuple[Any, str]] = [(root, "")]
    while waiting:
        element, ground = waiting.pop()
        kind, ground = _kind(element, names, ground)
        if kind:
            found.append((element, kind))
        else:
            waiting += [(child, ground) for child in reversed(element)]
    yield from found


def _kind(element: Any, names: frozenset[str], ground: str) -> tuple[ApartKind | str | None, str]:
    """The kind of an element, and the colour of the ground on which its content stands."""
    if element.tag is etree.Comment:
        return (
            "markup" if (element.text or "").lstrip().startswith("[") else "html_hidden"
        ), ground
    if not isinstance(element.tag, str) or element.tag in ("style", "title"):
        return "markup", ground
    hidden, ground = hides(element, names, ground)
    if hidden or element.tag in UNSEEN:
        return "html_hidden", ground
    classes = set((element.get("class") or "").lower().split())
    id_ = (element.get("id") or "").lower().removeprefix("x_")
    if classes & SIGNATURE_CLASSES or id_ in SIGNATURE_IDS:
        return "signature", ground
    cited = element.tag == "blockquote" or classes & QUOTE_CLASSES
    return ("quote" if cited else None), ground


def _take(element: Any, *, keep: bool) -> str:
    """Empty the element, whatever follows it, and give its text."""
    said = ""
    if keep:
        comment = element.tag is etree.Comment
        said = (element.text or "").strip() if comment else _text(element)
    tail = element.tail
    if isinstance(element.tag, str):
        element.clear()
        element.tag = "div" if keep else "span"
    else:
        element.text = ""
    element.tail = tail
    return said


def _text(element: Any) -> str:
    for comment in list(element.iter(etree.Comment)):
        comment.text = ""
    etree.strip_tags(element, etree.Comment)
    return html_text.etree_to_text(element).replace(BREAK, "\n").strip()
