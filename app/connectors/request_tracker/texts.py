"""The texts of a ticket's transactions, one body each and never an attached file, and headers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_string

from app.connectors.answers import read_as
from app.connectors.errors import SettingsError
from app.connectors.request_tracker.rest2 import (
    PER_PAGE,
    Content,
    Items,
    MailHeaders,
    Part,
    Rest2,
    words_of,
)
from graphs.text.noise.headers import telling

# JSON may write a byte as six, and HttpClient takes answers of two million.
BATCH_BYTES = 300_000
TOO_LONG = "[This message is too long to be read here; it stands in Request Tracker.]"
# Headers of many messages would be longer than an answer may be; only new ones are answered.
NEWEST_HEADERS = 10
PLAIN, HTML = "text/plain", "text/html"


@dataclass(frozen=True, slots=True)
class Body:
    """What a message says."""

    text: str = ""
    html: bool = False


async def bodies(rest: Rest2, ticket_id: str, transactions: Collection[str]) -> dict[str, Body]:
    """By the id of its transaction, each message's text; its HTML when it has no plain text."""
    if not transactions:
        return {}
    chosen = _chosen(await _parts(rest, ticket_id, min(map(int, transactions))))
    parts = [part for id_, part in chosen.items() if id_ in transactions]
    short = [part for part in parts if part.ContentLength <= BATCH_BYTES]
    found = {part.TransactionId: Body(TOO_LONG) for part in parts}
    for batch in _batches(short):
        texts = await _contents(rest, [part.id for part in batch])
        for part in batch:
            found[part.TransactionId] = Body(texts.get(part.id, ""), part.ContentType == HTML)
    return found


async def _parts(rest: Rest2, ticket_id: str, first: int) -> list[Part]:
    """The text parts of the ticket's messages from a transaction on, in the order of RT."""
    only = [
        {"field": "ContentType", "operator": "STARTSWITH", "value": "text/"},
        {"field": "TransactionId", "operator": ">", "value": str(first - 1)},
    ]
    # "Parent" among the fields makes RT fail for a message's first part.
    fields = "TransactionId,ContentType,Filename,ContentLength"
    query = {"fields": fields, "orderby": "id", "order": "DESC"}
    found = await rest.pages("POST", f"/ticket/{ticket_id}/attachments", Part, query, only)
    return found[::-1]


def _chosen(parts: Sequence[Part]) -> dict[str, Part]:
    """The first plain text of each transaction, or else its first HTML."""
    chosen: dict[str, Part] = {}
    for part in parts:
        if part.Filename or not part.ContentLength or part.ContentType not in (PLAIN, HTML):
            continue
        known = chosen.get(part.TransactionId)
        if known is None or (known.ContentType == HTML and part.ContentType == PLAIN):
            chosen[part.TransactionId] = part
    return chosen


def _batches(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts that are neither too many for a page nor too long for an answer together."""
    batch: list[Part] = []
    for part in parts:
        size = part.ContentLength + sum(other.ContentLength for other in batch)
        if batch and (size > BATCH_BYTES or len(batch) == PER_PAGE - 1):
            yield batch
            batch = []
        batch.append(part)
    if batch:
        yield batch


async def _contents(rest: Rest2, ids: Sequence[str]) -> dict[str, str]:
    any_of = [{"field": "id", "value": id_, "entry_aggregator": "OR"} for id_ in ids]
    found = await rest.pages("POST", "/attachments", Content, {"fields": "Content"}, any_of)
    return {content.id: content.Content or "" for content in found}


async def newest_headers(rest: Rest2, ticket_id: str) -> dict[str, Mapping[str, str]]:
    """By the id of its transaction, what the newest mails' headers say of how they were sent.

    Raises:
        SettingsError: RT does not show them.
    """
    query: dict[str, str | int] = {
        "fields": "TransactionId,Headers", "orderby": "id", "order": "DESC",
        "per_page": NEWEST_HEADERS,
    }  # fmt: skip
    # The whole mail, not its parts.
    only = [{"field": "Parent", "value": "0"}]
    answer = await rest.call("POST", f"/ticket/{ticket_id}/attachments", query=query, body=only)
    if not answer.ok:
        raise SettingsError(f"RT does not show the mails' headers: {words_of(answer)}")
    found = read_as(list[MailHeaders], read_as(Items, answer.json()).items)
    return {one.TransactionId: telling(dict(_headers(one.Headers))) for one in found}


def _headers(text: str | None) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in message_from_string(text or "").items()]
