"""Whether a quote stands word for word in what the run has retrieved, as whole statements."""

import re
from collections.abc import Iterable, Iterator, Sequence

from graphs.reply.sources import Source
from graphs.state import Claim, Quote
from graphs.text.markdown import Reading, read, unread

MAX_QUOTE_CHARS = 5000
SHOWN_CHARS = 200
# A list that was copied into one line: its items begin lines again.
ITEM_IN_LINE = re.compile(r"(?<=\S)[^\S\n]+(?=(?:[-*+•]|\d{1,3}[.)])[^\S\n]+\S)")


def quote_problem(quote: Quote, found: Sequence[Source]) -> str | None:
    """Why the quote proves nothing, or None when it stands in its source.

    It is whole sentences, whole list items with the line that introduces them, or whole rows of a
    table, and may begin with its heading. White space, emphasis, code ticks and the kind of quotes
    do not matter.
    """
    said, where = quote["quote"][:SHOWN_CHARS], f"{quote['kind']} {quote['id'][:100]!r}"
    if len(quote["quote"]) > MAX_QUOTE_CHARS:
        return f"A quote is longer than {MAX_QUOTE_CHARS} characters: quote fewer sentences."
    texts = [_text(s) for s in found if (s["kind"], s["id"]) == (quote["kind"], quote["id"])]
    if not texts:
        return f"{where} is no source of this run: quote one of the sources by its kind and id."
    forms = [form for form in _forms(quote["quote"]) if form.text]
    if not forms:
        return f"The quote of {where} is empty: copy whole sentences of it."
    readings = [read(text) for text in texts if _holds_unread(quote["quote"], text)]
    if any(_stands(form, reading) for form in forms for reading in readings):
        return None
    if any(form.text in reading.text for form in forms for reading in readings):
        return (
            f"The quote {said!r} is a fragment of {where}: quote whole sentences, or whole list "
            "items with the line that introduces their list."
        )
    return f"The quote {said!r} does not stand in {where}: copy it word for word."


def only_quotes(claim: Claim) -> bool:
    """Whether the text of a claim is nothing but the quotes of its evidence, all of it read."""
    if unread(claim["text"]):
        return False
    quotes = sorted((read(q["quote"]) for q in claim["evidence"]), key=lambda q: -len(q.text))
    said = read(claim["text"])
    at = 0
    numbers: dict[int, str] = {}
    while at < len(said.text):
        quote = next((q for q in quotes if q.text and said.text.startswith(q.text, at)), None)
        if quote is None:
            return False
        numbers |= {at + place: number for place, number in quote.numbers.items()}
        at += len(quote.text)
        at += said.text[at : at + 1] == " "
    return bool(said.text) and said.numbers.items() <= numbers.items()


def numbers_agree(numbers: Iterable[tuple[int, str]], source: Reading) -> bool:
    """Whether list items that carry a number carry it in the source, too."""
    return all(source.numbers.get(place) == number for place, number in numbers)


def _text(source: Source) -> str:
    """The source's text below its title, which is a heading of it."""
    title = f"# {source['title']}\n\n" if source["kind"] == "article" else ""
    return title + source["text"]


def _forms(quote: str) -> Iterator[Reading]:
    """The quote as it is, and with a list that stands in one line as a list again."""
    yield read(quote)
    if (lines := ITEM_IN_LINE.sub("\n", quote)) != quote:
        yield read(lines)


def _holds_unread(quote: str, text: str) -> bool:
    """Whether the source has what is read as no words: targets of links, comments, fences.

    A verifier sees them in the quote, so they may say nothing that the source does not.
    """
    left_out = unread(quote)
    known = set(unread(text)) if left_out else set()
    return all(part in known for part in left_out)


def _stands(quote: Reading, source: Reading) -> bool:
    """Whether the quote stands there as whole statements, in one piece or behind its lead."""
    return any(_fits(quote, source, 0, at) for at in source.begins) or _behind_lead(quote, source)


def _behind_lead(quote: Reading, source: Reading) -> bool:
    """Whether the quote leaves out items between a list's introduction and those it quotes."""
    for lead in source.leads:
        at = quote.text.find(lead.text)
        end = at + len(lead.text)
        begin = lead.end - end
        if at < 0 or begin not in source.begins:
            continue
        if not source.text.startswith(quote.text[:end], begin):
            continue
        before = [(begin + place, n) for place, n in quote.numbers.items() if place < end]
        if not numbers_agree(before, source):
            continue
        rest = end + (quote.text[end : end + 1] == " ")
        if any(_fits(quote, source, rest, place) for place in lead.followed_by):
            return True
    return False


def _fits(quote: Reading, source: Reading, start: int, at: int) -> bool:
    """Whether the quote from `start` on stands at that place and ends with a statement."""
    if start >= len(quote.text) or not source.text.startswith(quote.text[start:], at):
        return False
    end = at + len(quote.text) - start
    # The last full stop may be left out; another mark may not.
    stopped = end + 1 in source.ends and source.text[end] in ".。" and quote.text[-1] not in ".。"
    numbers = [(at + place - start, n) for place, n in quote.numbers.items() if place >= start]
    return (end in source.ends or stopped) and numbers_agree(numbers, source)
