"""check: hold the draft against the facts. Pure code, no model, no grants."""

from graphs.checks import MAX_REDRAFTS, objections
from graphs.facts import reply_facts
from graphs.state import Escalation, SupportState
from tools.models import JsonObject


async def check(state: SupportState) -> JsonObject:
    """List what is wrong with the draft; when redrafts are spent, say why a person is needed."""
    draft = state["draft"]
    assert draft is not None, "respond always leaves a draft"
    found = objections(draft, reply_facts(state), state["ticket"])
    hopeless = any(objection["rule"] == "no_answer" for objection in found)
    if found and (hopeless or state["drafts"] > MAX_REDRAFTS):
        detail = "; ".join(objection["detail"] for objection in found)[:1000]
        unanswered: Escalation = {"reason": "no_valid_reply", "detail": detail}
        return {"objections": found, "escalation": unanswered}
    return {"objections": found}
