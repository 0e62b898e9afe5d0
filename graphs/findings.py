"""What the article specialists share: search, and say honestly whether anything fits."""

from graphs.context import SupportContext
from graphs.grounding import coverage
from graphs.slices import slice_of
from graphs.state import Finding, Specialist, SupportState
from tools.models import Passage

# Share of the ticket's content words that the best passage must contain before it may be quoted.
MIN_COVERAGE = 0.3
# The same when triage was not sure what the ticket is about: two weak signs are not one strong one.
SURE, DOUBTFUL_COVERAGE = 0.6, 0.6
PASSAGES = 4


async def articles_finding(
    context: SupportContext, node: Specialist, state: SupportState, extra_queries: list[str]
) -> Finding:
    """The passages for the node's slice, or `unsure` when none covers enough of what it asks.

    The search itself takes a text apart into its sentences (app/db/search_words.py).
    """
    ticket = slice_of(state, node)
    question = f"{ticket['subject']}\n{ticket['body']}"
    triage = state.get("triage")
    passages: list[Passage] = await context.toolbox(node).call(
        "search_articles",
        {
            "queries": [*extra_queries, ticket["subject"], ticket["body"]],
            "language": triage["language"] if triage else None,
            "limit": PASSAGES,
        },
    )
    sure = triage is None or triage["confidence"] >= SURE
    needed = MIN_COVERAGE if sure else DOUBTFUL_COVERAGE
    fits = any(
        coverage(question, f"{p['title']}\n{p['text']}") >= needed
        or any(code in p["title"] for code in extra_queries)
        for p in passages
    )
    return {
        "passages": passages if fits else [],
        "payments": [],
        "refunded_24h": {},
        "steps": [],
        "failed": None,
        "unsure": None if fits else "No article covers the question.",
    }


def failed_finding(error: BaseException) -> Finding:
    """What a specialist leaves behind when its retries are spent."""
    return {
        "passages": [],
        "payments": [],
        "refunded_24h": {},
        "steps": [],
        "failed": f"{type(error).__name__}: {error}"[:500],
        "unsure": None,
    }
