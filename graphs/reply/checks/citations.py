"""A reply is plain text, links to nothing foreign, and names the articles it comes from."""

import re
from collections.abc import Iterator

from graphs.reply.checks.draft_case import Case

# A tag begins with a letter right behind the sign, and its name ends as HTML wants it: "a<b" does
# not. Source: HTML standard, 13.2.5.6 (tag open state).
TAGS = ("a|abbr|article|audio|b|base|blockquote|body|br|button|canvas|code|details|dialog|div|em|"
        "embed|font|form|frame|frameset|h[1-6]|head|hr|html|i|iframe|img|image|input|isindex|li|"
        "link|main|marquee|math|meta|noscript|object|ol|p|picture|pre|s|script|section|select|"
        "small|source|span|strong|style|sub|sup|svg|table|td|template|textarea|th|title|tr|u|ul|"
        "video")  # fmt: skip
MARKUP = re.compile(
    rf"<(?:/\s*[a-z]|[!?]|(?:{TAGS})(?:[\s/][^<]{{0,500}})?>|[a-z][\w:-]*[\s/]+[\w:-]+\s*="
    r"|(?:img|script|iframe|svg|object|embed|style|link|meta|base|form)\b)"
    r"|!?\[[^\]\n]{0,200}\]\s{0,3}[(\[]|^[^\S\n]*\[[^\]\n]{1,200}\]:|&#?\w{1,32};",
    re.IGNORECASE | re.MULTILINE,
)
URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s)>\]]*|\bh\s?t\s?t\s?p\s?s?\s?:(?:\s?/){1,2}\s?\S*|\b(?:data|javascript|vbscript|mailto|tel|sms):\S+",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
DOMAIN = re.compile(r"(?<![\w.-])[^\W_][\w-]*(?:\.[^\W\d_]{2,})+\b(?:/\S*)?", re.IGNORECASE)
ADDRESS_OF_HOST = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/\S*|//[^\s/]+\.\S+")
# Endings of files that are no top-level domains: the customer's own file may be named.
FILE = re.compile(
    r"\.(?:csv|docx?|gif|html?|jpe?g|json|log|pdf|png|pptx?|svg|txt|xlsx?|xml|ya?ml)$"
)
# "evil [.] com", "evil dot com": a link for a person who repairs it.
HIDDEN = re.compile(
    r"\b[\w-]{2,40}\s?(?:[\[({]\s?(?:\.|dot|punkt)\s?[\])}]|\sdot\s|\s\.)\s?"
    r"(?:com|net|org|io|xyz|info|biz|ru|cn|de|example)\b",
    re.IGNORECASE,
)

# More links than a reply of READ_CHARS needs; a link of the web is at most so long.
MAX_LINKS, LINK_CHARS = 30, 2048

# Browsers read these as the dot of a name, too. Source: UTS 46, section 4, label separators.
IDEOGRAPHIC_STOP = re.compile(r"(?<=[A-Za-z0-9])[\u3002\uff0e\uff61](?=[A-Za-z])")


def links(case: Case) -> Iterator[str]:
    """No tags, no images; an address of the web must stand in a fact."""
    if found := MARKUP.search(case.text):
        yield f"The reply holds markup, {found[0][:60]!r}: write plain text."
    seen: list[str] = []
    text = ADDRESS.sub(" ", IDEOGRAPHIC_STOP.sub(".", case.text))
    for pattern in (URL, ADDRESS_OF_HOST, HIDDEN, DOMAIN):
        seen += [found[0].rstrip(".,;:!?") for found in pattern.finditer(text)]
        text = pattern.sub(" ", text)
    different = list(dict.fromkeys(seen))
    if len(different) > MAX_LINKS:
        yield f"The reply holds more than {MAX_LINKS} links: leave them out."
    for link in different[:MAX_LINKS]:
        own_file = FILE.search(link.lower()) and stands_in(link, case.asked)
        if not own_file and not stands_in(link, case.sources):
            yield f"The reply holds a link that stands in no fact, {link[:100]!r}: leave it out."


def stands_in(link: str, sources: str) -> bool:
    """Whether the whole link stands there, not the beginning or end of another."""
    if len(link) > LINK_CHARS:
        return False
    return bool(re.search(rf"(?<![\w.@/-]){re.escape(link)}(?![\w@-]|[./][\w])", sources))


def citations(case: Case) -> Iterator[str]:
    """Only articles that were found, and one for each part of the ticket that has passages.

    No effect and no other part's article excuses a part: the customer asked that, too.
    """
    found: dict[str, set[str]] = {}
    for passage in case.facts["passages"]:
        found.setdefault(passage["part"], set()).add(passage["article_id"])
    for unknown in sorted(set(case.citations).difference(*found.values())):
        yield f"Article {unknown[:100]!r} was not retrieved in this run: do not cite it."
    for part, articles in found.items():
        if not articles & set(case.citations):
            yield f"The {part} part has passages: answer it from them and cite their article ids."
