"""Offline wishes: which subscription to cancel, which mailing to send. Clear words, or not sure."""

import re
from typing import Any

from app.models.offline.wish_words import any_word, wish_words, word_pattern
from graphs.nodes.billing import MAX_WISH, ProposedCancellation
from graphs.nodes.general import Mailing
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from tools.models import Subscription

CANCEL = re.compile(
    rf"\b{any_word('cancel_verbs')}\b (?:[\w'-]+ ){{0,5}}?{any_word('cancel_objects')}\b"
    rf"|\b{any_word('cancel_alone')}\b",
    re.IGNORECASE,
)
ASKED, CONDITION = word_pattern("asked"), word_pattern("condition")
NEGATED = re.compile(
    rf"\b{any_word('not')}\b(?: \w+){{0,2}} {any_word('cancel_verbs')}\b", re.IGNORECASE
)
DOUBTFUL = word_pattern("condition", "doubtful", "not")
UNDONE, SUBSCRIBED, EVERY = map(word_pattern, ("undone", "subscribed", "every"))
SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
PLAN_NAME = re.compile(rf"\b(?i:{any_word('owners')}) [A-Z]\w* {any_word('plan_kinds')}\b")
# Words of a description that name the kind of thing and not which one.
KINDS = frozenset(wish_words("kinds"))
EVERYBODY = frozenset(wish_words("everybody"))

MAILING = re.compile(
    rf"\b{any_word('mailing')} {any_word('mailing_all')}\b(?P<whom>[^.!?:\n]*)", re.IGNORECASE
)
OPENING, CLOSING = re.compile('["“„«]'), re.compile('["”“»]')
TEXT_LINE = re.compile(
    rf"^{any_word('text_line')}:[ \t]*\n?(?P<text>.+)", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
SUBJECT_LINE = re.compile(
    rf"^{any_word('subject_line')}:[ \t]*(?P<subject>\S.*)$", re.IGNORECASE | re.MULTILINE
)


def cancellations(text: str, subscriptions: list[Subscription]) -> list[str] | None:
    """Ids of the active subscriptions to cancel; empty without a wish, None when it is not clear.

    A question, or a sentence that says not to, is no wish; "if", "maybe", a "not" elsewhere in the
    sentence, or a word of an end that was a mistake, is not clear. One active subscription needs
    no name; of several each must be named, or all. A wish in a text of more than READ_CHARS is not
    clear.
    """
    wishes = cancel_wishes(text)
    if all(NEGATED.search(s) and not CONDITION.search(s) for s in wishes):
        return []
    if len(text) > READ_CHARS or UNDONE.search(text) or any(map(DOUBTFUL.search, wishes)):
        return None
    if not (SUBSCRIBED.search(text) or any(named_by(s, text) for s in subscriptions)):
        return None
    active = [s for s in subscriptions if s["status"] == "active"]
    asked = " ".join(wishes)
    named = [s for s in active if named_by(s, asked)]
    chosen = named or (active if len(active) == 1 or EVERY.search(asked) else [])
    # Whoever names a plan that is not theirs means something that we cannot see.
    if not chosen or (not named and any(PLAN_NAME.search(s) for s in wishes)):
        return None
    return [s["id"] for s in chosen]


def cancel_wishes(text: str) -> list[str]:
    """The sentences that speak of cancelling as something to do, and ask no question."""
    wishes = [sentence for sentence in SENTENCE.findall(text) if CANCEL.search(sentence)]
    return [s.strip() for s in wishes if not (s.rstrip().endswith("?") or ASKED.search(s))]


def named_by(subscription: Subscription, text: str) -> bool:
    """Whether a text holds the words that tell this subscription from others."""
    own_words = spoken(subscription["description"]) - KINDS
    return bool(own_words) and own_words <= spoken(text)


def spoken(text: str) -> set[str]:
    """The words of a text in small letters."""
    return set(re.findall(r"\w+", text.casefold()))


def proposed(
    ids: list[str], subscriptions: list[Subscription], text: str
) -> list[ProposedCancellation]:
    """A proposal for each of them, with the sentence of the text that asks for it."""
    names = {s["id"]: s["description"] for s in subscriptions}
    return [
        ProposedCancellation(
            subscription_id=id_,
            reason=f"The customer asks to cancel {names[id_]} ({id_})"[:500],
            wish=cancel_wishes(text)[0][:MAX_WISH],
        )
        for id_ in ids
    ]


def mailing(ticket: Ticket, facts: dict[str, Any]) -> Mailing:
    """The audience that the ticket's first request names, and the text that it quotes."""
    text = f"{ticket['subject']}\n{ticket['body']}"
    request = MAILING.search(text)
    if request is None:
        return Mailing(audience=None, subject="", body="", unsure=False)
    audience = named_audience(request["whom"], list(facts["audiences"]))
    line = TEXT_LINE.search(ticket["body"])
    body = line["text"] if line else quoted(ticket["body"])
    subject = SUBJECT_LINE.search(ticket["body"])
    if audience is None or body is None:
        return Mailing(audience=None, subject="", body="", unsure=True)
    return Mailing(
        audience=audience,
        subject=(subject["subject"] if subject else "News from us").strip()[:200],
        body=body.strip()[:20_000],
        unsure=False,
    )


def quoted(text: str) -> str | None:
    """The first text between quotation marks."""
    for opening in OPENING.finditer(text):
        closing = CLOSING.search(text, opening.end())
        if closing is None:
            return None
        if closing.start() > opening.end():
            return text[opening.end() : closing.start()]
    return None


def named_audience(whom: str, audiences: list[str]) -> str | None:
    """The one audience whose whole name is said; everybody only when nothing narrows it."""
    said = spoken(whom)
    fits = [name for name in audiences if name != "all" and set(re.split(r"[-_]", name)) <= said]
    if len(fits) == 1:
        return fits[0]
    plain = said <= EVERYBODY
    return "all" if plain and not fits and "all" in audiences else None
