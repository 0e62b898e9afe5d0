"""Which model writes the reply: transparent rules over what the run already knows, no model."""

from collections.abc import Mapping

from graphs.state import Finding, Plan, Role, Ticket, Triage

# About a screen of text; a how-to question has a few lines.
LONG_TEXT = 1500
# More than one search brings: the answer is put together from several places.
MANY_PASSAGES = 9
PRESSING = ("high", "critical")


def tier_of(
    ticket: Ticket,
    triage: Triage | None,
    findings: Mapping[str, Finding],
    plan: Plan | None,
    drafts: int,
) -> Role:
    """`strong` for any reason of `reasons_for_strong`, else `fast`: a simple question."""
    return "strong" if reasons_for_strong(ticket, triage, findings, plan, drafts) else "fast"


def reasons_for_strong(
    ticket: Ticket,
    triage: Triage | None,
    findings: Mapping[str, Finding],
    plan: Plan | None,
    drafts: int,
) -> list[str]:
    """Why a reply is worth the better model; `drafts` counts those that `check` refused."""
    found = list(findings.values())
    rules = {
        "no_triage": triage is None,
        "several_intents": triage is not None and len(triage["intents"]) > 1,
        "urgent": triage is not None and triage["urgency"] in PRESSING,
        "money": any(f["payments"] or f["steps"] for f in found) or bool(plan and plan["steps"]),
        "long_text": len(ticket["subject"]) + len(ticket["body"]) > LONG_TEXT,
        "many_passages": sum(len(f["passages"]) for f in found) >= MANY_PASSAGES,
        "redraft": drafts > 0,
    }
    return [rule for rule, holds in rules.items() if holds]
