"""What a desk's hook says, in our words, and the signature of Standard Webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from standardwebhooks import Webhook, WebhookVerificationError

from app.connectors.errors import ForgedHookError

Kind = Literal["message", "person", "handback", "failed", "refund", "nothing"]
# Longer than any time that a desk writes; the end of the year 9999, in Unix seconds.
TIME_CHARS, LAST_SECOND = 50, 253_402_300_799
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of a hook.

    `kind`:
        message: there is a new public message of the customer; the ticket is read for it.
        person: a person wrote publicly, was assigned or opened the conversation: it is theirs.
        handback: the ticket is the bot's again.
        failed: the desk could not deliver what we posted under `key`.
        refund: the provider says what became of the refund `refund_id`.
        nothing: no fact for us; `why` says which, such as an own echo or a private note.

    `message_id` names the message for good, so that a second hook about it is a duplicate.

    `order` grows with all that is done at the desk, such as the number of a transaction; of two
    facts of a connection the greater one came later. `written_at` is when it happened, in Unix
    seconds of the desk's clock. A hook that says neither cannot be recognised as an old one, so a
    person in it has the ticket.
    """

    kind: Kind
    ticket_id: str = ""
    message_id: str | None = None
    who: str | None = None
    key: str | None = None
    refund_id: str | None = None
    why: str | None = None
    order: int | None = None
    written_at: float | None = None


def unix_seconds(said: str) -> float | None:
    """A moment of ISO 8601 with its offset, in Unix seconds; None for anything else."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo and moment.year > 1 else None


def moment_of(said: Any) -> float | None:
    """A moment as desks write them, in Unix seconds: ISO 8601 with its offset, also as Ruby writes
    UTC, or a number of seconds; None for anything else, since what a hook is about counts more.
    """
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said) if 0 < said <= LAST_SECOND else None
    if not isinstance(said, str) or len(said) > TIME_CHARS:
        return None
    return unix_seconds(said.removesuffix(" UTC") + "Z" if said.endswith(" UTC") else said)


def happened_at(event: Event, moment: float | None) -> Event:
    """The event with its time, in Unix seconds, for a desk whose clock is all its order.

    Its place is the whole second: desks write some of their times no finer, and the facts of one
    action are some milliseconds apart in no order. Two of one second are of the same moment.
    """
    return event if moment is None else replace(event, order=int(moment), written_at=moment)


def verify_standard_webhook(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str:
    """The delivery's id, if one of the secrets ("whsec_...") signed exactly this body.

    Source: Standard Webhooks 1.0.0; a timestamp more than five minutes off is refused. `headers`
    has names in small letters.

    Raises:
        ForgedHookError.
    """
    given = {name: headers.get(name, "") for name in HEADERS}
    for secret in secrets:
        try:
            Webhook(secret).verify(body, given, json_parse=False)
        # ValueError: a body that is not UTF-8, a signature without a comma or not in base64.
        except (WebhookVerificationError, ValueError):
            continue
        return given["webhook-id"]
    raise ForgedHookError("no secret of the connection signed this body just now")
