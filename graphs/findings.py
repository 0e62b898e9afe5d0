"""The findings of specialists, and how well an article must fit before it may be quoted."""

from collections.abc import Mapping, Sequence

from graphs.context import SupportContext
from graphs.llm.errors import ModelError
from graphs.reply.reusable_answer import CachedAnswer
from graphs.state import Finding, Proposer, Specialist, SupportState
from graphs.text.tokens import coverages
from graphs.ticket_parts import slice_of
from tools.errors import ToolError
from tools.knowledge import SEARCH_ARTICLES
from tools.models import Passage, Payment, Step

# Share of the ticket's content words that the best passage must contain before it may be quoted.
MIN_COVERAGE = 0.3
# The same when triage was not sure what the ticket is about: two weak signs are not one strong one.
SURE, DOUBTFUL_COVERAGE = 0.6, 0.6
PASSAGES = 4


def finding(
    *,
    passages: Sequence[Passage] = (),
    payments: Sequence[Payment] = (),
    refunded_24h: Mapping[str, int] | None = None,
    steps: Sequence[Step] = (),
    failed: str | None = None,
    unsure: str | None = None,
    proposer: Proposer | None = None,
    doubts: Sequence[str] = (),
) -> Finding:
    """What one specialist found; empty where nothing is given."""
    found: Finding = {
        "passages": list(passages),
        "payments": list(payments),
        "refunded_24h": dict(refunded_24h or {}),
        "steps": list(steps),
        "failed": failed,
        "unsure": unsure,
    }
    if proposer:
        found["proposer"] = proposer
    if doubts:
        found["doubts"] = list(doubts)
    return found


async def articles_finding(
    context: SupportContext, node: Specialist, state: SupportState, extra_queries: list[str]
) -> Finding:
    """The passages for the node's slice, or `unsure` when none covers enough of what it asks.

    The search itself takes a text apart into its sentences (app/db/knowledge/tokenize.py).
    """
    ticket = slice_of(state, node)
    question = f"{ticket['subject']}\n{ticket['body']}"
    triage = state.get("triage")
    passages: list[Passage] = await context.toolbox(node).call(
        SEARCH_ARTICLES,
        {
            "queries": [*extra_queries, ticket["subject"], ticket["body"]],
            "language": triage["language"] if triage else None,
            "limit": PASSAGES,
        },
    )
    sure = triage is None or triage["confidence"] >= SURE
    needed = MIN_COVERAGE if sure else DOUBTFUL_COVERAGE
    shares = coverages(question, [f"{p['title']}\n{p['text']}" for p in passages])
    fits = any(
        share >= needed or any(code in p["title"] for code in extra_queries)
        for share, p in zip(shares, passages, strict=True)
    )
    if not fits:
        return finding(unsure="No article covers the question.")
    return finding(passages=passages)


def failed_finding(error: BaseException) -> Finding:
    """What a specialist leaves behind when its retries are spent."""
    return finding(failed=failure_text(error))


def failure_text(error: BaseException) -> str:
    """What people read about a failure: its class, and its text if that is one of ours.

    Any other text may quote a statement, a model or what the customer wrote.
    """
    name = type(error).__name__
    ours = isinstance(error, ToolError | ModelError)
    return f"{name}: {error}"[:500] if ours else name


def recalled_finding(answer: CachedAnswer) -> dict[str, Finding]:
    """The passages of a kept answer, as its specialist found them."""
    return {answer["triage"]["intents"][0]: finding(passages=answer["passages"])}
