"""What the customer calls things, and how a done step is worded for them."""

import re
from collections.abc import Iterable

from graphs.state import DoneStep, SupportState
from graphs.text.bounds import normalized
from graphs.text.function_words import DEED_STEMS, PERSONS
from graphs.text.tokens import visible
from graphs.text.value_words import any_of
from tools.catalog import EFFECTS
from tools.models import Payment
from tools.wording import Names, Sentence

# A description may come from the person who paid. One that could be more than a name (a link,
# markup, a sentence, an order) is no fact: the provider's id stands for it.
NO_NAME = re.compile(
    r"[<>\[\]{}@`|*\x00-\x1f\x7f-\x9f\u2028\u2029]|//|[.!?。！？](?!\d)|\.\w*[^\W\d_]|&\w+;"
    rf"|\b(?:data|javascript|mailto|tel|sms):|\b(?:{any_of(PERSONS)})\b|{any_of(DEED_STEMS)}",
    re.IGNORECASE,
)
NAME_CHARS = 100


def reply_language(state: SupportState) -> str | None:
    """The language that the ticket is answered in, as far as it is known."""
    triage, ticket = state.get("triage"), state.get("ticket")
    if triage:
        return triage["language"]
    return ticket["language"] if ticket else None


def names_in(payments: Iterable[Payment]) -> Names:
    """What the customer calls the payments that were read, and whatever else has a description."""
    read = {payment["id"]: payment["description"] for payment in payments}

    def name(id_: str, description: str | None = None) -> str:
        return named(read.get(id_, "") if description is None else description, id_)

    return name


def named(description: str, id_: str) -> str:
    """What was bought, as a name; the id when the description could say more than that."""
    plain = visible(normalized("NFKC", description)).strip()
    return id_ if not plain or len(plain) > NAME_CHARS or NO_NAME.search(plain) else plain


def sentences_about(step: DoneStep, names: Names) -> list[Sentence]:
    """How a done step is worded; nothing for an effect that is unknown here."""
    effect = EFFECTS.get(step["tool"])
    return list(effect.wording(step["args"], step["result"], names)) if effect else []


def text_of(said: Iterable[Sentence], language: str | None) -> str:
    """Sentences as one text."""
    return " ".join(sentence.text(language) for sentence in said)
