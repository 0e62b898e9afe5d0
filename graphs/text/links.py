"""Finds links, domains and addresses of mail in a text, disguised ones among them."""

import re

URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s)>\]]*|\bh\s?t\s?t\s?p\s?s?\s?:(?:\s?/){1,2}\s?\S*|\b(?:data|javascript|vbscript|mailto|tel|sms):\S+",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
DOMAIN = re.compile(
    r"(?<![\w.-])[^\W_][\w-]*(?:\.[^\W\d_]{2,})+\b(?:-[\w-]*(?:\.[\w-]+)+)?(?:/\S*)?", re.IGNORECASE
)
ADDRESS_OF_HOST = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/\S*|//[^\s/]+\.\S+")
# "evil [.] com", "evil dot com": a link for a person who repairs it.
HIDDEN = re.compile(
    r"\b[\w-]{2,40}\s?(?:[\[({]\s?(?:\.|dot|punkt)\s?[\])}]\s?[a-z]{2,24}"
    r"|\sdot\s(?:com|net|org|io|xyz|info|biz|ru|cn|de|example|shop|site|online|store|top|app|eu|uk)"
    r"|\s\.\s?(?:com|net|org|io|xyz|info|biz|ru|cn|de|example|shop|site|online|store))\b",
    re.IGNORECASE,
)
# Browsers read these as the dot of a name, too. Source: UTS 46, section 4, label separators.
IDEOGRAPHIC_STOP = re.compile(r"(?<=[A-Za-z0-9])[\u3002\uff0e\uff61](?=[A-Za-z])")
# A link of the web is at most so long.
LINK_CHARS = 2048


def links_in(text: str) -> tuple[list[str], str]:
    """The different links of a text, and the text without them; addresses of mail are none."""
    return _taken(ADDRESS.sub(" ", text), (URL, ADDRESS_OF_HOST, HIDDEN, DOMAIN))


def literals_in(text: str) -> tuple[list[str], str]:
    """The links and the addresses of mail, and the text without them."""
    addresses, rest = _taken(text, (ADDRESS,))
    links, rest = links_in(rest)
    return [*addresses, *links], rest


def stands_in(link: str, sources: str) -> bool:
    """Whether the whole link stands there, not the beginning or end of another."""
    if len(link) > LINK_CHARS:
        return False
    return bool(re.search(rf"(?<![\w.@/-]){re.escape(link)}(?![\w@-]|[./][\w])", sources))


def _taken(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[list[str], str]:
    seen: dict[str, None] = {}

    def take(found: re.Match[str]) -> str:
        seen[found[0].rstrip(".,;:!?")] = None
        return " "

    text = IDEOGRAPHIC_STOP.sub(".", text)
    for pattern in patterns:
        text = pattern.sub(take, text)
    return list(seen), text
