"""A reply is plain text and links to nothing that no source holds."""

import re
from collections.abc import Iterator

from graphs.reply.checks.draft_case import Case
from graphs.text.links import links_in, stands_in

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
    r"|!?\[[^\]\n]{0,300}\]\s{0,3}[(\[]|~~[^~\n]{1,300}~~|^[^\S\n]*\[[^\]\n]{1,200}\]:|&#?\w{1,32};",
    re.IGNORECASE | re.MULTILINE,
)
# Endings of files that are no top-level domains: the customer's own file may be named.
FILE = re.compile(
    r"\.(?:csv|docx?|gif|html?|jpe?g|json|log|pdf|png|pptx?|svg|txt|xlsx?|xml|ya?ml)$"
)
# More links than a reply of READ_CHARS needs.
MAX_LINKS = 30


def links(case: Case) -> Iterator[str]:
    """No tags, no images; an address of the web must stand in a source."""
    if found := MARKUP.search(case.text):
        yield f"The reply holds markup, {found[0][:60]!r}: write plain text."
    different, _ = links_in(case.text)
    if len(different) > MAX_LINKS:
        yield f"The reply holds more than {MAX_LINKS} links: leave them out."
    for link in different[:MAX_LINKS]:
        own_file = FILE.search(link.lower()) and stands_in(link, case.asked)
        if not own_file and not stands_in(link, case.sources):
            yield f"The reply holds a link that stands in no source, {link[:100]!r}: leave it out."
