"""What a desk's hook says, in our words, and the signature of Standard Webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from standardwebhooks import Webhook, WebhookVerificationError

from app.connectors.errors import ForgedHookError

Kind = Literal["message", "person", "handback", "failed", "refund", "nothing"]
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
