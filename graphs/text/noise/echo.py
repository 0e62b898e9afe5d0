"""Our own replies that come back, as from a mailbox that forwards to us."""

from collections.abc import Sequence

from graphs.text.noise.wordings import WORD, folded

# Of a reply so short no echo is recognised: a customer may write the same.
REPLY_CHARS = 40
# What may stand around an echo: a greeting, or who wrote when.
AROUND_CHARS = 120


def is_echo(body: str, replies: Sequence[str]) -> bool:
    """Whether the text is one of our replies, with hardly anything else and no question around."""
    words = _bare(body) if replies else ""
    for reply in replies:
        said = _bare(reply)
        if len(said) < REPLY_CHARS or said not in words:
            continue
        # A question around the echo would be lost; one in our reply is none of the customer's.
        asks = body.count("?") > reply.count("?")
        return len(words) - len(said) <= AROUND_CHARS and not asks
    return False


def _bare(text: str) -> str:
    return "".join(WORD.findall(folded(text)))
