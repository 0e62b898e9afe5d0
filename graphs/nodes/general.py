"""general: find articles that answer a question. Sees no account data."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.findings import articles_finding
from graphs.state import SupportState
from tools.models import JsonObject


async def general(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Search by the ticket's own words."""
    finding = await articles_finding(runtime.context, "general", state, [])
    return {"findings": {"general": finding}}
