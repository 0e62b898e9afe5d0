"""How a plain text becomes a comment that reads exactly so."""

import html

# Zendesk renders Markdown in a plain body and placeholders such as {{ticket.id}} in any, so a
# customer's words that a reply quotes would be executed. As entities they are only text.
ENTITIES = str.maketrans({"{": "&#123;", "}": "&#125;", "\r": None, "\n": "<br>\n"})


def html_of(text: str) -> str:
    """The text as HTML that shows every character of it as it is."""
    return f"<div>{html.escape(text).translate(ENTITIES)}</div>"
