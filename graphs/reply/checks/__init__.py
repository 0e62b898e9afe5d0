"""The rules a draft must meet before it leaves. Pure functions; each yields its objections."""

from collections.abc import Callable, Iterator
from itertools import chain

from graphs.reply.checks import amounts, citations, dates, deeds, grounding, leaks, promises, shape
from graphs.reply.checks.draft_case import Case, plain
from graphs.reply.facts import Facts
from graphs.state import Draft, Grounding, Objection, Ticket
from graphs.text.bounds import READ_CHARS

MAX_REDRAFTS = 2

Rule = Callable[[Case], Iterator[str]]
RULES: dict[str, Rule] = {
    "length": shape.length,
    "language": shape.language,
    "markup": citations.links,
    "citations": citations.citations,
    "support": grounding.support,
    "money": amounts.money,
    "numbers": amounts.in_facts,
    "dates": dates.dates,
    "commitments": lambda case: chain(promises.commitments(case), deeds.actions(case)),
    "personal_data": leaks.personal_data,
    "secrets": leaks.secrets,
    "prompt": leaks.prompt,
}


def objections(
    draft: Draft,
    facts: Facts,
    ticket: Ticket,
    language: str | None = None,
    prompt: str = "",
    *,
    grounding: Grounding = "quotes",  # noqa: ARG001
    edited: bool = False,  # noqa: ARG001
) -> list[Objection]:
    """Every reason why this draft may not leave; an empty list lets it go.

    All rules but `effects_stated` look at the draft without the sentences that code adds: those
    are true by themselves. `language` is the ticket's, when it is known; `prompt` is what the
    model was instructed with.
    A detail says how to correct the draft, and never repeats a secret.
    """
    case = Case.of(draft, facts, ticket, language, prompt)
    if not plain(draft["text"]).strip():
        return [{"rule": "no_answer", "detail": "The facts do not answer the ticket."}]
    # Nothing so long can leave, so the other rules need not read it.
    rules = RULES if len(case.text) <= READ_CHARS else {"length": shape.length}
    return [
        {"rule": name, "detail": detail} for name, rule in rules.items() for detail in rule(case)
    ]
