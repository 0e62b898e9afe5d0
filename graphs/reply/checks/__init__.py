"""The rules a draft must meet before it leaves. Pure functions; each yields its objections."""

from collections.abc import Callable, Iterator

from graphs.reply.checks import answers, evidence, leaks, markup, shape
from graphs.reply.checks.draft_case import Case, plain
from graphs.reply.facts import Facts
from graphs.state import Draft, Grounding, Objection, Ticket
from graphs.text.bounds import READ_CHARS

MAX_REDRAFTS = 2

Rule = Callable[[Case], Iterator[str]]
# What a person wrote meets these as well; none depends on the language.
ON_TEXT: dict[str, Rule] = {
    "length": shape.length,
    "markup": markup.links,
    "personal_data": leaks.personal_data,
    "secrets": leaks.secrets,
    "prompt": leaks.prompt,
}
ON_CLAIMS: dict[str, Rule] = {
    "unanswered": answers.unanswered,
    "quotes": evidence.quotes,
    "values": evidence.values,
    "language": shape.language,
}
RULES: dict[str, Rule] = {**ON_TEXT, **ON_CLAIMS}


def objections(
    draft: Draft,
    facts: Facts,
    ticket: Ticket,
    language: str | None = None,
    prompt: str = "",
    *,
    grounding: Grounding = "verified",
    edited: bool = False,
) -> list[Objection]:
    """Every reason why this draft may not leave; an empty list lets it go.

    All rules look at the draft without the sentences that code adds: those are true by
    themselves. A person's text, and one of a release that knew no claims, is `edited`: the rules
    on claims do not read it. `language` is the ticket's, when it is known; `prompt` is what the
    model was instructed with; in the grounding `quotes` a claim is nothing but quotes.
    A detail says how to correct the draft, and never repeats a secret.
    """
    if not plain(draft["text"]).strip():
        return [{"rule": "no_answer", "detail": "The facts do not answer the ticket."}]
    case = Case.of(draft, facts, ticket, language, prompt, grounding)
    claimed = draft.get("claims") is not None and not edited
    # Nothing so long can leave, so the other rules need not read it.
    if len(case.text) > READ_CHARS:
        rules: dict[str, Rule] = {"length": shape.length}
    else:
        rules = RULES if claimed else ON_TEXT
    return [
        {"rule": name, "detail": detail} for name, rule in rules.items() for detail in rule(case)
    ]
