"""The findings of specialists."""

from collections.abc import Mapping, Sequence

from graphs.context import SupportContext
from graphs.llm.errors import ModelError
from graphs.questions import queries_for
from graphs.reply.reusable_answer import CachedAnswer
from graphs.state import AskedBack, Finding, Proposer, Specialist, SupportState
from graphs.ticket_parts import part_for
from tools.errors import ToolError
from tools.knowledge import SEARCH_ARTICLES
from tools.models import Passage, Payment, Step, Subscription

# Passages for a specialist; the token budget may leave fewer.
PASSAGES = 8
# Of the queries that a search takes: what is named exactly first, then a model's own.
MAX_CODES, MAX_QUERIES = 3, 3


def finding(
    *,
    passages: Sequence[Passage] = (),
    payments: Sequence[Payment] = (),
    refunded_24h: Mapping[str, int] | None = None,
    steps: Sequence[Step] = (),
    subscriptions: Sequence[Subscription] = (),
    asked: Sequence[AskedBack] = (),
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
        "subscriptions": list(subscriptions),
        "asked": list(asked),
        "failed": failed,
        "unsure": unsure,
    }
    if proposer:
        found["proposer"] = proposer
    if doubts:
        found["doubts"] = list(doubts)
    return found


async def articles_finding(
    context: SupportContext, node: Specialist, state: SupportState, codes: list[str]
) -> Finding:
    """The passages for the node's part, or `unsure` when there is none.

    Whether they answer it is for who reads them to say: a model, or the offline rules.
    The search itself takes a text apart into its sentences (app/db/knowledge/tokenize.py).
    """
    ticket = part_for(state, node)
    wanted = queries_for(state, node)
    triage = state.get("triage")
    passages: list[Passage] = await context.toolbox(node).call(
        SEARCH_ARTICLES,
        {
            "queries": [
                *codes[:MAX_CODES],
                *wanted[:MAX_QUERIES],
                ticket["subject"],
                ticket["body"],
            ],
            "language": triage["language"] if triage else None,
            "limit": PASSAGES,
            # What the first round found is asked for again where a model chose the words.
            "second_round": bool(wanted),
        },
    )
    if not passages:
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
